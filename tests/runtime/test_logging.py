"""Logs: one line an event, in the form that was asked for, without what URLs keep secret."""

import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog

from runtime.logging import configure_logging
from runtime.shared_settings import SharedSettings


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root, libraries = logging.getLogger(), ("httpx", "httpcore", "hpack")
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in libraries}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def log_as(capsys: pytest.CaptureFixture[str], **settings: str) -> "Log":
    configure_logging(SharedSettings.model_validate(settings))
    return Log(capsys)


class Log:
    """What was logged."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def lines(self) -> list[str]:
        captured = self._capsys.readouterr()
        assert not captured.out
        return captured.err.splitlines()


def test_our_lines_and_those_of_libraries_are_json_alike(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = log_as(capsys, log_format="json")
    structlog.get_logger("ours").info("said", number=1)
    logging.getLogger("theirs").warning("said %s", "too")
    ours, theirs = (json.loads(line) for line in log.lines())
    assert (ours["event"], ours["number"], ours["level"]) == ("said", 1, "info")
    assert (theirs["event"], theirs["logger"]) == ("said too", "theirs")
    assert ours["timestamp"].endswith("Z")
    assert theirs["timestamp"].endswith("Z")


def test_an_exception_stays_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    log = log_as(capsys, log_format="json")
    try:
        raise ValueError("of two\nlines")
    except ValueError:
        structlog.get_logger("ours").exception("failed")
        logging.getLogger("theirs").exception("failed")
    for line in log.lines():
        assert "ValueError" in json.loads(line)["exception"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        pytest.param("debug", 8, id="debug"),
        pytest.param("info", 6, id="info"),
        pytest.param("warning", 4, id="warning"),
        pytest.param("error", 2, id="error"),
    ],
)
def test_the_level_holds_for_all(
    capsys: pytest.CaptureFixture[str], level: str, expected: int
) -> None:
    log = log_as(capsys, log_level=level)
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger("ours"), name)("said")
        getattr(logging.getLogger("theirs"), name)("said")
    assert len(log.lines()) == expected


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_no_url_is_logged_by_the_http_client(
    capsys: pytest.CaptureFixture[str], level: str
) -> None:
    log = log_as(capsys, log_level=level)
    answer = httpx.MockTransport(lambda request: httpx.Response(200))
    async with httpx.AsyncClient(transport=answer) as client:
        await client.get("https://media.example/live.m3u8?token=secret")
    assert "secret" not in "\n".join(log.lines())


def test_lines_for_people_carry_their_context(capsys: pytest.CaptureFixture[str]) -> None:
    log = log_as(capsys, log_format="console")
    with structlog.contextvars.bound_contextvars(monitor_id="mon-1"):
        structlog.get_logger("ours").warning("said", number=1)
    (line,) = log.lines()
    assert "said" in line
    assert "monitor_id=mon-1" in line
    assert "\x1b" not in line
