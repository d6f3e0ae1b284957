from runtime.settings_table import README, with_table


def test_the_readme_lists_the_settings_as_they_are() -> None:
    text = README.read_text()
    assert with_table(text) == text, "run: python -m runtime.settings_table"
