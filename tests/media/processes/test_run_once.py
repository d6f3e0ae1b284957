"""Children are bounded, killed with all they started, and reaped."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from media.processes.run_once import Limits, ProcessFailed, ProcessTimedOut, run_bounded

MEBI = 1024 * 1024
ROOMY = Limits(wall_sec=30, cpu_sec=20, memory_bytes=2048 * MEBI, output_bytes=MEBI)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-c", code, *arguments]


def shell(script: str, *arguments: str) -> list[str]:
    return ["/bin/sh", "-c", script, "sh", *arguments]


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def limited(**changes: float) -> Limits:
    return Limits(**{**vars(ROOMY), **changes})


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Neither processes, zombies included, nor open files outlive a run."""
    before, files = children(), len(os.listdir("/proc/self/fd"))
    yield
    assert children() == before
    assert len(os.listdir("/proc/self/fd")) <= files  # garbage of other tests may close meanwhile


async def until_dead(pid: int) -> None:
    """Wait for the end of a process that is not ours to reap."""
    async with asyncio.timeout(10):
        while is_running(pid):
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def written_pid(file: Path) -> int:
    async with asyncio.timeout(20):
        while (pid := pid_in(file)) is None:
            await asyncio.sleep(0.01)
    return pid


def pid_in(file: Path) -> int | None:
    text = file.read_text() if file.exists() else ""
    return int(text) if text.endswith("\n") else None


async def test_a_child_reads_its_input_and_its_outputs_are_returned() -> None:
    code = """if True:
        import os, sys
        os.write(1, os.read(0, 100))
        os.write(2, b"complaint")
        os.write(int(sys.argv[1]), b"more")
        sys.exit(3)
    """
    command = python(code, "{more}")
    finished = await run_bounded(command, stdin=b"\0input", limits=ROOMY, extra=["more"])
    assert (finished.returncode, finished.stdout) == (3, b"\0input")
    assert (finished.stderr, finished.extra) == (b"complaint", {"more": b"more"})


async def test_input_and_output_larger_than_a_pipe_pass() -> None:
    media = bytes(range(256)) * 2048
    finished = await run_bounded(["/bin/cat"], stdin=media, limits=ROOMY)
    assert finished.stdout == media


async def test_a_child_learns_nothing_from_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SIGNING_KEY", "secret")
    finished = await run_bounded(["/usr/bin/env"], stdin=b"", limits=ROOMY)
    assert b"secret" not in finished.stdout


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["/nowhere/ffmpeg"], id="missing"),
        pytest.param(["/etc/passwd"], id="not executable"),
        pytest.param(["/"], id="a folder"),
    ],
)
async def test_a_binary_that_cannot_be_started_is_a_typed_error(command: list[str]) -> None:
    with pytest.raises(ProcessFailed, match=f"cannot start {command[0]}"):
        await run_bounded(command, stdin=b"", limits=ROOMY)


async def test_a_child_that_runs_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    command = shell('sleep 300 & echo $! > "$1"; wait', str(file))
    with pytest.raises(ProcessTimedOut, match="still running after 2 s"):
        await run_bounded(command, stdin=b"", limits=limited(wall_sec=2))
    await until_dead(await written_pid(file))


async def test_cancelling_kills_a_child_with_its_children(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    script = 'trap "" TERM INT HUP; sleep 300 & echo $! > "$1"; wait'
    running = asyncio.create_task(run_bounded(shell(script, str(file)), stdin=b"", limits=ROOMY))
    grandchild = await written_pid(file)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_dead(grandchild)


async def test_cancelling_twice_still_reaps(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    command = shell('echo $$ > "$1"; sleep 300', str(file))
    running = asyncio.create_task(run_bounded(command, stdin=b"", limits=ROOMY))
    child = await written_pid(file)
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_dead(child)
    async with asyncio.timeout(10):
        while psutil.pid_exists(child):
            await asyncio.sleep(0.01)


async def test_cancelling_at_any_moment_of_the_start_leaves_nothing() -> None:
    for turns in range(25):
        running = asyncio.create_task(run_bounded(["/bin/sleep", "300"], stdin=b"", limits=ROOMY))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_child_gets_no_more_memory_than_allowed() -> None:
    code = """if True:
        import resource
        while resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
            pass  # the limit follows right after the start
        bytearray(800 * 1024 * 1024)
    """
    finished = await run_bounded(python(code), stdin=b"", limits=limited(memory_bytes=500 * MEBI))
    assert finished.returncode != 0
    assert b"MemoryError" in finished.stderr


async def test_a_child_gets_no_more_cpu_time_than_allowed() -> None:
    finished = await run_bounded(shell("while :; do :; done"), stdin=b"", limits=limited(cpu_sec=1))
    assert finished.returncode < 0


async def test_a_child_writes_no_more_than_allowed() -> None:
    code = """if True:
        import os, resource
        while resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY:
            pass  # the limit follows right after the start
        while True:
            os.write(1, bytes(10_000))
    """
    finished = await run_bounded(python(code), stdin=b"", limits=limited(output_bytes=100_000))
    assert finished.returncode != 0
    assert len(finished.stdout) == 100_000


async def test_an_input_larger_than_the_output_limit_is_no_problem() -> None:
    command = ["/usr/bin/wc", "-c"]
    finished = await run_bounded(command, stdin=bytes(MEBI), limits=limited(output_bytes=1000))
    assert finished.stdout.strip() == str(MEBI).encode()


async def test_many_children_run_side_by_side() -> None:
    runs = (
        run_bounded(["/bin/cat"], stdin=str(number).encode(), limits=ROOMY) for number in range(20)
    )
    finished = await asyncio.gather(*runs)
    assert [each.stdout for each in finished] == [str(number).encode() for number in range(20)]
