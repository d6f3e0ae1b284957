"""The decoder processes: kept, locked in, replaced, and gone with their worker."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from media.decoding.decoder_probe import DecoderProbe
from media.decoding.errors import UndecodableSegment
from media.decoding.limits import ProbeLimits
from monitors.frames import DecodeDepth
from monitors.measurement import ProbeContext
from simulator.origin import Programme, RenderedProgramme, render
from tests.media.decoding.measuring import measure

WORKER = """
import asyncio
from pathlib import Path
from media.decoding.decoder_probe import DecoderProbe

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


async def test_a_decoder_keeps_its_memory_for_the_next_segment(segment: bytes) -> None:
    probe, keyframe = DecoderProbe(parallel=1), ProbeContext(depth=DecodeDepth.KEYFRAME)

    async def measure_ten() -> int:
        for _ in range(10):
            await probe.measure(segment, duration_sec=2.0, silence_db=-50, context=keyframe)
        (pid,) = probe.process_ids()
        return int(told_of(pid, "stat").rpartition(")")[2].split()[7])  # page faults so far

    before = await measure_ten()
    assert await measure_ten() - before < 200
    await probe.close()


async def test_a_decoder_that_is_killed_at_work_costs_nothing(segment: bytes) -> None:
    probe = DecoderProbe(parallel=1)
    await measure(probe, segment)
    (pid,) = probe.process_ids()
    os.kill(pid, signal.SIGSTOP)  # so that it is still at work when it is killed
    measuring = asyncio.create_task(measure(probe, segment))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    assert (await measuring).has_video
    assert probe.process_ids() != [pid]
    await probe.close()


async def test_a_segment_that_breaks_two_decoders_is_undecodable(segment: bytes) -> None:
    probe = DecoderProbe(parallel=1)
    measuring = asyncio.create_task(measure(probe, segment))
    killed = set[int]()
    while not measuring.done():
        for pid in {*probe.process_ids()} - killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        await asyncio.sleep(0)
    with pytest.raises(UndecodableSegment, match=r"signal 9|broke"):
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
    probe = DecoderProbe(parallel=1, limits=ProbeLimits(max_resident_bytes=0))
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


async def test_what_a_decoder_says_of_its_end_is_a_record_of_ours(
    segment: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    probe = DecoderProbe(
        parallel=1, command=(sys.executable, "-c", "raise OSError('the last word')")
    )
    with capture_logs() as logs, pytest.raises(UndecodableSegment, match="the decoder broke"):
        await measure(probe, segment)
    await probe.close()
    said = [each["text"] for each in logs if each["event"] == "a child process wrote an error"]
    assert ["the last word" in each for each in said] == [True, True]
    assert capfd.readouterr() == ("", "")


ERRORS_WITHOUT_END = """
import os, sys
while True:
    try:
        os.write(2, b"x" * 65536)
    except BlockingIOError:
        break
os.execv(sys.executable, [sys.executable, "-P", "-m", "media.decoding.decoder", sys.argv[1]])
"""


async def test_errors_without_end_hold_up_no_decoder(segment: bytes) -> None:
    command = (sys.executable, "-c", ERRORS_WITHOUT_END)
    probe = DecoderProbe(parallel=1, command=command)
    with capture_logs() as logs:
        assert (await measure(probe, segment)).has_video
    assert [len(each["text"]) for each in logs if "text" in each] == [2_000]
    await probe.close()


LIAR = """
import json, os, sys
from pathlib import Path
from media.decoding.decoder.protocol import HEAD_BYTES, JobHead
from media.processes.framing import LENGTH

def send(answer):
    sys.stdout.buffer.write(LENGTH.pack(len(answer)) + answer)
    sys.stdout.buffer.flush()

lied = Path({lied!r})
if lied.exists():
    os.execv(sys.executable, [sys.executable, "-P", "-m", "media.decoding.decoder", sys.argv[1]])
lied.touch()
send(b'{{"is_confined": true}}')
if {early}:
    send(b'{{"number": 1, "findings": {{}}}}')
head = JobHead.unpack(sys.stdin.buffer.read(HEAD_BYTES))
sys.stdin.buffer.read(head.segment_bytes)
send(Path({answer!r}).read_bytes().replace(b"NUMBER", b"%d" % head.number))
sys.stdin.read()
"""
NOTHING_FOUND = b'{"number": NUMBER, "findings": {}}'


@pytest.mark.parametrize(
    ("answer", "is_early"),
    [
        pytest.param(NOTHING_FOUND, True, id="before it was asked"),
        pytest.param(NOTHING_FOUND.replace(b"NUMBER", b"5"), False, id="to another question"),
        pytest.param(
            NOTHING_FOUND.replace(b"{}", b'{"still": [{"start": 0, "end": 1, "picture": "QUJD"}]}'),
            False,
            id="a picture of another size",
        ),
        pytest.param(b"[" * 100_000, False, id="no answer"),
        pytest.param(b" " * 200_000, False, id="an answer that is too long"),
    ],
)
async def test_a_decoder_that_answers_wrongly_is_replaced_and_the_segment_measured(
    segment: bytes, tmp_path: Path, answer: bytes, is_early: bool
) -> None:
    file = tmp_path / "answer"
    file.write_bytes(answer)
    script = LIAR.format(lied=str(tmp_path / "lied"), early=is_early, answer=str(file))
    probe = DecoderProbe(parallel=1, command=(sys.executable, "-c", script))
    assert (await measure(probe, segment)).width
    await probe.close()


TAKEN_OVER = """
import os, sys, time
from pathlib import Path
from media.decoding.decoder.protocol import HEAD_BYTES, JobHead
from media.processes.framing import pack_json

def send(answer):
    sys.stdout.buffer.write(pack_json(answer))
    sys.stdout.buffer.flush()

taken_over = Path({folder!r})
if len(os.listdir(taken_over)) == 2:
    os.execv(sys.executable, [sys.executable, "-P", "-m", "media.decoding.decoder", sys.argv[1]])
send({{"is_confined": True}})
head = JobHead.unpack(sys.stdin.buffer.read(HEAD_BYTES))
sys.stdin.buffer.read(head.segment_bytes)
(taken_over / str(os.getpid())).touch()
while len(os.listdir(taken_over)) < 2:
    time.sleep(0.01)
send({{"number": head.number, "findings": {{}}}})
send({{"number": 1, "findings": {{}}}})
sys.stdin.read()
"""


async def test_segments_before_that_took_over_all_decoders_spoil_no_other(
    segment: bytes, tmp_path: Path
) -> None:
    script = TAKEN_OVER.format(folder=str(tmp_path))
    probe = DecoderProbe(parallel=2, command=(sys.executable, "-c", script))
    hostile = await asyncio.gather(measure(probe, segment), measure(probe, segment))
    assert [each.width for each in hostile] == [None, None]
    assert (await measure(probe, segment)).width
    await probe.close()


BREAKS_LATE = """
import sys, time
from media.processes.framing import pack_json
sys.stdout.buffer.write(pack_json({"is_confined": True}))
sys.stdout.flush()
time.sleep(4)
"""


async def test_both_attempts_at_a_segment_have_the_time_of_one(segment: bytes) -> None:
    limits, command = ProbeLimits(wall_sec=6), (sys.executable, "-c", BREAKS_LATE)
    probe = DecoderProbe(parallel=1, limits=limits, command=command)
    with pytest.raises(UndecodableSegment, match="still running after 6 s"):
        await measure(probe, segment)
    await probe.close()
