"""A decoder process: measures one segment after the other on its standard input."""

import resource
import signal
import sys
from typing import Any

import av

# PyAV imports these when it first meets such a track: too late for a confined process.
import av.audio.codeccontext
import av.audio.stream
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
import av.video.stream

from media.decoder.confinement import confine, die_with_the_parent
from media.decoder.decoding import measure_segment
from media.decoder.findings import Undecodable
from media.decoder.wire import HEAD_BYTES, JobHead, pack_answer


def main(memory_bytes: int) -> None:
    """Measure segments until standard input closes, within `memory_bytes` for each."""
    die_with_the_parent()
    av.logging.set_level(None)
    _bound(memory_bytes)
    jobs = sys.stdin.buffer
    _send({"is_confined": confine()})
    while head := jobs.read(HEAD_BYTES):
        job = JobHead.unpack(head)
        # What takes longer is killed (SIGPROF): no loop in a decoder asks whether it may go on.
        signal.setitimer(signal.ITIMER_PROF, job.cpu_sec)
        answer = _answer(job, jobs.read(job.segment_bytes))
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answer)


def _answer(job: JobHead, segment: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    try:
        answer["findings"] = measure_segment(segment, job).fields()
    except Undecodable as error:
        answer["undecodable"] = str(error)
    except MemoryError:
        answer["undecodable"] = "takes too much memory"
    return {**answer, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def _send(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(pack_answer(answer))
    sys.stdout.buffer.flush()


def _bound(memory_bytes: int) -> None:
    """Limit the address space to what is in use now and `memory_bytes` more."""
    with open("/proc/self/statm") as pages:
        used_bytes = int(pages.read().split()[0]) * resource.getpagesize()
    for name, limit in (
        (resource.RLIMIT_AS, used_bytes + memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(name, (limit, limit))


if __name__ == "__main__":
    main(int(sys.argv[1]))
