"""The decoder processes: kept, locked in, replaced, and gone with their worker."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from media.probe import DecoderProbe, ProbeLimits, UndecodableSegment
from tests.media.probe.measuring import measure
from tests.origin import Programme, RenderedProgramme, render

WORKER = """
import asyncio
from pathlib import Path
from media.probe import DecoderProbe

async def main():
    probe = DecoderProbe(parallel=1)
    segment = Path({segment!r}).read_bytes()
    await probe.measure(segment, duration_sec=2.0, silence_db=-50)
    print(*probe.process_ids(), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def segment() -> bytes:
    rendered: RenderedProgramme = render(Programme.of([("normal", 4.0)]))
    return rendered.segments[0].data


async def test_a_decoder_measures_one_segment_after_the_other(segment: bytes) -> None:
    probe = DecoderProbe(parallel=1)
    await measure(probe, segment)
    first = probe.process_ids()
    for _ in range(3):
        assert (await measure(probe, segment)).has_video
    with pytest.raises(UndecodableSegment):
        await measure(probe, b"no media")
    assert probe.process_ids() == first
    await probe.close()


async def test_a_decoder_is_locked_in(segment: bytes) -> None:
    probe = DecoderProbe(parallel=1)
    await measure(probe, segment)
    (pid,) = probe.process_ids()
    assert "Seccomp:\t2" in told_of(pid, "status")
    assert "KEY" not in told_of(pid, "environ")
    await probe.close()


async def test_a_decoder_that_is_killed_at_work_costs_one_segment(segment: bytes) -> None:
    probe = DecoderProbe(parallel=1)
    await measure(probe, segment)
    (pid,) = probe.process_ids()
    os.kill(pid, signal.SIGSTOP)  # so that it is still at work when it is killed
    measuring = asyncio.create_task(measure(probe, segment))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(UndecodableSegment, match="stopped by signal 9"):
        await measuring
    assert (await measure(probe, segment)).has_video
    await probe.close()


async def test_a_decoder_that_is_killed_while_idle_costs_nothing(segment: bytes) -> None:
    probe = DecoderProbe(parallel=1)
    await measure(probe, segment)
    (pid,) = probe.process_ids()
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        while psutil.pid_exists(pid):  # until it is reaped
            await asyncio.sleep(0.01)
    assert (await measure(probe, segment)).has_video
    (new,) = probe.process_ids()
    assert new != pid
    await probe.close()


async def test_the_memory_of_the_worker_is_not_taken_for_that_of_its_decoders(
    segment: bytes,
) -> None:
    ballast = bytearray(b"x") * (500 * 1024 * 1024)
    probe = DecoderProbe(parallel=1)
    for _ in range(2):
        await measure(probe, segment)
        assert len(probe.process_ids()) == 1
    del ballast
    await probe.close()


async def test_closing_ends_all_decoders(segment: bytes) -> None:
    probe = DecoderProbe(parallel=2)
    await asyncio.gather(*(measure(probe, segment) for _ in range(4)))
    decoders = probe.process_ids()
    await probe.close()
    assert len(decoders) == 2
    assert not any(map(is_running, decoders))


async def test_a_decoder_that_holds_much_memory_is_replaced(segment: bytes) -> None:
    probe = DecoderProbe(parallel=1, limits=ProbeLimits(kept_bytes=0))
    await measure(probe, segment)
    assert probe.process_ids() == []
    assert (await measure(probe, segment)).has_video
    await probe.close()


async def test_decoders_die_with_a_worker_that_is_killed(segment: bytes, tmp_path: Path) -> None:
    file = tmp_path / "segment.ts"
    file.write_bytes(segment)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER.format(segment=str(file)), stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    decoders = list(map(int, (await worker.stdout.readline()).split()))
    worker.kill()
    await worker.wait()
    assert decoders
    async with asyncio.timeout(30):
        while any(is_running(pid) for pid in decoders):
            await asyncio.sleep(0.05)


def told_of(pid: int, what: str) -> str:
    return Path(f"/proc/{pid}/{what}").read_text()


def is_running(pid: int) -> bool:
    try:
        state = told_of(pid, "stat").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_a_decoder_that_cannot_be_started_is_an_undecodable_segment(segment: bytes) -> None:
    probe = DecoderProbe(parallel=1, limits=ProbeLimits(memory_bytes=0))
    with pytest.raises(UndecodableSegment):
        await measure(probe, segment)
    await probe.close()
