"""What `stream-tracker watch` says of what it cannot watch: one line, and an exit code."""

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.options import FAILED, MISUSED
from media.sources.source import Observation, SourceState
from media.watching import StreamUnavailable


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        pytest.param(["ftp://127.0.0.1/x.m3u8"], "URL", id="no http"),
        pytest.param(["https://www.youtube.com/@channel"], "URL", id="a channel"),
        pytest.param(["http://127.0.0.1/x.m3u8", "--blackout", "-1"], "--blackout", id="negative"),
    ],
)
def test_wrong_usage_is_named(arguments: list[str], word: str) -> None:
    result = CliRunner().invoke(app, ["watch", *arguments])
    assert result.exit_code == MISUSED
    assert word in result.stderr
    assert "Traceback" not in result.output


def test_a_stream_that_can_never_be_watched_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_arguments: object, **_options: object) -> None:
        raise StreamUnavailable(
            Observation(state=SourceState.UNAVAILABLE, reason="private", message="it is private")
        )

    monkeypatch.setattr("cli.watch.watch_url", refuse)
    result = CliRunner().invoke(app, ["watch", "http://127.0.0.1/x.m3u8"])
    assert result.exit_code == FAILED
    assert result.stderr == "URL: it is private\n"


@pytest.mark.parametrize(
    ("header", "word"),
    [
        pytest.param("s3cr3t", "'Name: value'", id="no colon"),
        pytest.param("Host: s3cr3t", "Host: is set by each request", id="not to be set"),
        pytest.param("X-A:", "X-A: must be printable ASCII", id="no value"),
        pytest.param("@/nowhere/headers", "/nowhere/headers cannot be read", id="no file"),
    ],
)
@pytest.mark.parametrize(
    "command", [["watch", "http://127.0.0.1/x.m3u8"], ["monitors", "add", "http://a/", "http://b/"]]
)
def test_a_header_that_cannot_be_sent_is_named(command: list[str], header: str, word: str) -> None:
    result = CliRunner().invoke(app, [*command, "--header", header])
    assert result.exit_code == MISUSED
    assert word in result.stderr
    assert "s3cr3t" not in result.output
