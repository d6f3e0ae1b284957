"""`stream-tracker demo`, run as a stranger runs it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from cli.demo.runner import SCREENSHOT
from cli.demo.screenshot import BROWSERS
from tests.testkit.scenario_runner import ScenarioRunner

pytestmark = pytest.mark.timeout(240)

ROOT = Path(__file__).parents[2]
DEMO_LIMIT_SEC = 170
STOP_LIMIT_SEC = 60


@contextmanager
def started_demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the demo with `folder` for its temporary files, in a session of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "demo"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "DATABASE_URL": "postgresql://not.there/at-all"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def left_processes(folder: Path) -> list[str]:
    """Return the processes that still know `folder` from their environment."""
    left = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR") == str(folder):
                left.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return left


def told_of_the_page() -> str:
    if any(map(shutil.which, BROWSERS)):
        return f"The page, as it was at the end: {SCREENSHOT}"
    return "No picture of the page is left: no Chromium is installed."


@dataclass(frozen=True)
class Seen:
    """How the demo ended, and what it left behind."""

    code: int
    output: str
    errors: str
    left: list[str]


async def SCENARIO(runner: ScenarioRunner) -> Seen:  # noqa: N802
    """Run the demo to its end."""
    folder = runner.folder / "demo"
    folder.mkdir()
    return await asyncio.to_thread(_run, folder)


def _run(folder: Path) -> Seen:
    with started_demo(folder) as demo:
        output, errors = demo.communicate(timeout=DEMO_LIMIT_SEC)
    left = [*left_processes(folder), *map(str, folder.iterdir())]
    return Seen(demo.returncode, output, errors, left)


def test_all_events_of_the_demo_arrive_and_nothing_is_left(seen: Seen) -> None:
    assert seen.code == 0, seen.output + seen.errors
    assert "10 events expected, 10 arrived, 0 unexpected; 10 of 10 signatures valid." in seen.output
    assert "All as scripted." in seen.output
    assert told_of_the_page() in seen.output
    assert seen.errors == ""
    assert seen.left == []


@pytest.mark.parametrize(
    ("number", "after"),
    [
        pytest.param(signal.SIGINT, "Starting the service", id="Ctrl-C while it starts"),
        pytest.param(signal.SIGTERM, "  on air   ", id="SIGTERM while it runs"),
    ],
)
def test_a_signal_stops_all_of_the_demo(number: signal.Signals, after: str, tmp_path: Path) -> None:
    with started_demo(tmp_path) as demo:
        assert demo.stdout is not None
        while after not in (line := demo.stdout.readline()):
            assert line, "the demo ended by itself"
        demo.send_signal(number)
        _, errors = demo.communicate(timeout=STOP_LIMIT_SEC)
        assert demo.returncode == 130, errors
    assert errors == ""
    assert left_processes(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
