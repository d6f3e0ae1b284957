"""Services are kept running until they are to stop, and then they stop."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from cli.embedded.supervisor import Service, Supervisor

PATIENT_SEC = 10.0
PATIENCE = """
import signal, sys, time
print(sys.argv[1:], flush=True)
time.sleep(600)
"""
DEAF = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("deaf", child.pid, flush=True)
time.sleep(600)
"""


class Kept:
    """Makes supervisors of little programs and stops them after the test."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log"
        self._supervisors: list[Supervisor] = []

    async def start(
        self,
        program: str,
        *,
        stop_sec: float = PATIENT_SEC,
        restart_min_sec: float = 0.01,
        restart_max_sec: float = 10.0,
    ) -> Supervisor:
        command = [sys.executable, "-c", program, "argument"]
        service = Service("test", command, {"GREETING": "hello"}, stop_sec, self.log)
        supervisor = Supervisor(
            service, restart_min_sec=restart_min_sec, restart_max_sec=restart_max_sec
        )
        self._supervisors.append(supervisor)
        await supervisor.start()
        return supervisor

    async def stop(self) -> None:
        for supervisor in self._supervisors:
            await supervisor.stop()

    async def lines(self, number: int) -> list[str]:
        """Wait until the programs printed so many lines."""
        await until(lambda: len(self.log.read_text().splitlines()) >= number)
        return self.log.read_text().splitlines()


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    supervisors = Kept(tmp_path)
    yield supervisors
    await supervisors.stop()


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_true():
            await asyncio.sleep(0.02)


async def test_a_service_gets_its_command_and_its_environment_alone(kept: Kept) -> None:
    await kept.start("import os, sys; print(sys.argv[1], sorted(os.environ))")
    assert (await kept.lines(1))[0].startswith("argument ['GREETING'")
    assert "PATH" not in kept.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_service_that_dies_is_started_again(kept: Kept, number: signal.Signals) -> None:
    supervisor = await kept.start(PATIENCE)
    await kept.lines(1)
    first = supervisor.pid
    assert first
    os.kill(first, number)
    await kept.lines(2)
    assert supervisor.pid not in (None, first)


async def test_a_service_that_ends_by_itself_is_started_again(kept: Kept) -> None:
    await kept.start("print('once')")
    assert set(await kept.lines(3)) == {"once"}


async def test_a_stopped_service_stays_away(kept: Kept) -> None:
    supervisor = await kept.start(PATIENCE)
    await kept.lines(1)
    pid = supervisor.pid
    assert pid
    await supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert len(await kept.lines(1)) == 1


async def test_a_service_deaf_to_sigterm_is_killed_with_its_children(kept: Kept) -> None:
    supervisor = await kept.start(DEAF, stop_sec=0.1)
    child = int((await kept.lines(1))[0].split()[1])
    await supervisor.stop()
    await until(lambda: not psutil.pid_exists(child) or is_zombie(child))


async def test_a_service_can_be_stopped_while_it_waits_to_be_started_again(kept: Kept) -> None:
    supervisor = await kept.start("print('once')", restart_min_sec=600, restart_max_sec=600)
    pid = supervisor.pid
    assert pid
    await until(lambda: not psutil.pid_exists(pid))
    await supervisor.stop()
    assert len(await kept.lines(1)) == 1


async def test_a_service_that_cannot_be_started_again_is_tried_until_it_can(kept: Kept) -> None:
    supervisor = await kept.start(PATIENCE, restart_max_sec=0.01)
    await kept.lines(1)
    away = kept.log.parent.with_name("away")
    with capture_logs() as logs:
        kept.log.parent.rename(away)  # nor can its log be opened when descriptors have run out
        assert supervisor.pid
        os.kill(supervisor.pid, signal.SIGKILL)
        await until(lambda: "service cannot be started" in [each["event"] for each in logs])
    away.rename(kept.log.parent)
    assert len(await kept.lines(2)) == 2


async def test_stopping_twice_is_as_good_as_once(kept: Kept) -> None:
    supervisor = await kept.start(PATIENCE)
    await supervisor.stop()
    await supervisor.stop()


async def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    supervisor = Supervisor(Service("test", [str(tmp_path / "nothing")], {}, 1, tmp_path / "log"))
    with pytest.raises(OSError, match="nothing"):
        await supervisor.start()
    assert supervisor.pid is None
    await supervisor.stop()


async def test_a_service_dies_with_its_supervisor(tmp_path: Path) -> None:
    """Its supervisor is killed, so nobody can stop it."""
    program = """
import asyncio, sys
from pathlib import Path
from cli.embedded.supervisor import Supervisor, Service

async def main():
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    supervisor = Supervisor(Service("test", sleeper, {}, 1, Path(sys.argv[1]) / "log"))
    await supervisor.start()
    print(supervisor.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    pid = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await until(lambda: not psutil.pid_exists(pid) or is_zombie(pid))


def is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
