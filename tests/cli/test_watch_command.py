"""What `stream-tracker watch` says of what it cannot watch: one line, and an exit code."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.command import FAILED, MISUSED
from cli.main import app
from media.sources.source import Observation, SourceState
from media.watching import StreamUnavailable
from tests.testkit.children import STREAM_TRACKER, Child, run
from tests.testkit.ports import free_port
from tests.testkit.waiting import until_true


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


@pytest.mark.parametrize("has_terminal", [True, False])
async def test_why_nothing_is_seen_is_said_at_once(tmp_path: Path, has_terminal: bool) -> None:
    url = f"http://127.0.0.1:{free_port()}/x.m3u8"
    command = [STREAM_TRACKER, "watch", url]
    if has_terminal:
        command = [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", *command]
    watching = Child("watch", command, tmp_path)
    try:
        await until_true(lambda: "the connection failed" in watching.said, "the reason")
    finally:
        watching.discard()
    assert url in watching.said
    assert watching.said.index("loading") < watching.said.index("not observed")


async def test_a_stream_that_is_not_on_air_is_one_line_of_json(tmp_path: Path) -> None:
    port = free_port()
    server = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    origin = Child("origin", server, tmp_path)
    url = f"http://127.0.0.1:{port}/x.m3u8"
    watching = Child("watch", [STREAM_TRACKER, "watch", url, "--json"], tmp_path)
    try:
        await until_true(lambda: '"state": "upcoming"' in watching.said, "the observation")
        await until_true(lambda: origin.said.count("/x.m3u8") > 2, "more polls")
    finally:
        watching.discard()
        origin.discard()
    assert watching.said.count('"kind": "observation"') == 1


async def test_a_demo_without_its_extra_says_which_one_is_missing(tmp_path: Path) -> None:
    without = "import sys; sys.modules['imageio_ffmpeg'] = None; from cli.main import app; app()"
    done = await run([sys.executable, "-c", without, "demo"], tmp_path)
    assert done.code == FAILED
    assert "imageio_ffmpeg" in done.err
    assert "stream-tracker[demo]" in done.err


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
