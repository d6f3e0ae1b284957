"""The words of the page: the same in each language, and all that are used exist."""

import re

import pytest

from api.page.rendering import TEMPLATES
from api.page.static_files import FILES
from api.page.texts import TEXTS, preferred
from monitors.status import SEEN_AS
from notifications.notification import Language

PLACEHOLDER = re.compile(r"\{\w+\}")
USED = re.compile(r"""\bt\(\s*["']([\w.]*\w)["']""")


def test_each_text_is_in_each_language_with_the_same_values() -> None:
    english, japanese = TEXTS[Language.ENGLISH], TEXTS[Language.JAPANESE]
    assert english.keys() == japanese.keys()
    for key, text in english.items():
        assert text.strip(), key
        assert japanese[key].strip(), key
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(japanese[key])), key


def test_each_text_that_is_used_exists() -> None:
    sources = {str(path): path.read_text() for path in TEMPLATES.rglob("*.html")}
    sources |= {name: content.decode() for name, content in FILES.items() if name.endswith(".js")}
    missing = {
        (name, key)
        for name, source in sources.items()
        for key in USED.findall(source)
        if key not in TEXTS[Language.ENGLISH]
    }
    assert missing == set()


def test_each_fault_that_health_names_has_its_words() -> None:
    for text in TEXTS.values():
        assert {f"seen.{words}" for words in SEEN_AS.values()} <= text.keys()


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-GB,ja;q=0.9", "en"),
        ("de,fr;q=0.9", "en"),
        ("de,ja;q=0.5,en;q=0.4", "ja"),
        ("ja;q=0,en", "en"),
        ("ja;q=x", "en"),
        (",;,;q=", "en"),
    ],
)
def test_the_language_is_what_the_browser_likes_best(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
