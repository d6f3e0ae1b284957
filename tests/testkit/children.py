"""Processes with an environment of their own, and what they leave behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.testkit.waiting import until_true

SCRIPTS = Path(sysconfig.get_path("scripts"))
STREAM_TRACKER = str(SCRIPTS / "stream-tracker")
TEMPORAL = str(SCRIPTS / "temporal")


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a stranger's shell, plus `variables`."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", **variables}


@dataclass(frozen=True)
class Finished:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


async def run(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str] | None = None,
    *,
    within_sec: float = 30.0,
) -> Finished:
    """Run a command in `folder` to its end."""
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=folder,
        env=environment(folder, **(variables or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_sec,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


class Child:
    """A process that runs until it is told to stop; its output goes to `log`."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, **variables: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(folder, PYTHONUNBUFFERED="1", **variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    @property
    def said(self) -> str:
        """What it wrote so far."""
        return self.log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        self._process.send_signal(number)

    def descendants(self) -> list[psutil.Process]:
        """Return its children and theirs, while it runs."""
        try:
            return psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    async def ended(self, within_sec: float) -> float:
        """Wait for its end and return how long that took, in seconds; raises as `until`."""
        began = time.monotonic()
        await until_true(
            lambda: self.code is not None, f"the end of {self.name}", within_sec=within_sec
        )
        return time.monotonic() - began

    async def stop(self, number: signal.Signals = signal.SIGTERM, within_sec: float = 20) -> float:
        """Send a signal and wait for the end; raises as `until`."""
        self.send(number)
        return await self.ended(within_sec)

    async def kill(self) -> None:
        """Kill it as a crash would."""
        self.send(signal.SIGKILL)
        await self.ended(30)

    def discard(self) -> None:
        """Kill it with all that it started."""
        family = self.descendants()
        self._process.kill()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()


def alive(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a zombie nobody reaped does not."""
    return [each for each in processes if each.is_running() and _status(each) != "zombie"]


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return "zombie"
