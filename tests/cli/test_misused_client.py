"""A URL or a key that cannot be used is one line and exit code 2."""

import pytest
from typer.testing import CliRunner

from cli.main import app

ARGUMENTS = ["monitors", "list", "--url"]


@pytest.mark.parametrize(
    ("url", "api_key", "named"),
    [
        pytest.param("http://[::1", "k" * 32, "--url: ", id="url"),
        pytest.param("http://127.0.0.1:9", "ü" * 32, "API_KEY: must be ASCII", id="key"),
    ],
)
def test_what_is_misused_is_named(url: str, api_key: str, named: str) -> None:
    done = CliRunner(env={"API_KEY": api_key}).invoke(app, [*ARGUMENTS, url])
    assert done.exit_code == 2
    assert done.stderr.startswith(named)
