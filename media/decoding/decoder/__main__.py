"""A decoder process: measures one segment after the other on its standard input."""

import gc
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

from media.decoding.decoder.confinement import (
    confine,
    die_with_the_parent,
    limit_itself,
    size_bytes,
)
from media.decoding.decoder.decoding import measure_segment
from media.decoding.decoder.protocol import HEAD_BYTES, JobHead, Material
from media.decoding.decoder.results import Undecodable
from media.processes.framing import pack_json


def main(memory_bytes: int) -> None:
    die_with_the_parent()
    av.logging.set_level(None)
    limit_itself(size_bytes() + memory_bytes)
    gc.freeze()  # what was imported stays: looking for garbage in it took a tenth of the time
    jobs = sys.stdin.buffer
    _send({"is_confined": confine()})
    while head := jobs.read(HEAD_BYTES):
        job = JobHead.unpack(head)
        # What takes longer is killed (SIGPROF): no loop in a decoder asks whether it may go on.
        signal.setitimer(signal.ITIMER_PROF, job.cpu_sec)
        sizes = (job.slates_bytes, job.sets_bytes, job.lead_bytes, job.segment_bytes)
        answer = _answer(job, Material(*map(jobs.read, sizes)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answer)


def _answer(job: JobHead, material: Material) -> dict[str, Any]:
    answer: dict[str, Any] = {"number": job.number}
    try:
        answer["findings"] = measure_segment(material, job).fields()
    except Undecodable as error:
        answer["undecodable"] = str(error)
    except MemoryError:
        answer["undecodable"] = "takes too much memory"
    return answer


def _send(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(pack_json(answer))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
