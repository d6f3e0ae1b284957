"""A confined process that makes pictures and clips, at idle priority."""

import gc
import os
import signal
import sys

import av

# PyAV imports these when it first meets such a track: too late for a confined process.
import av.audio.codeccontext
import av.audio.resampler
import av.audio.stream
import av.bitstream
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
import av.video.reformatter
import av.video.stream

from evidence.excerpts.budget import Budget
from evidence.excerpts.clips import clip
from evidence.excerpts.pictures import pictures_at
from evidence.excerpts.protocol import (
    TOO_LARGE,
    UNDECODABLE,
    ExcerptAnswer,
    ExcerptJob,
    JobKind,
    NothingMade,
    Piece,
)
from media.decoding.decoder.confinement import (
    confine,
    die_with_the_parent,
    limit_itself,
    size_bytes,
)
from media.processes.framing import pack_json, read_json

LEAST_PRIORITY = 19


def main(memory_bytes: int) -> None:
    die_with_the_parent()
    os.nice(LEAST_PRIORITY)
    av.logging.set_level(None)
    limit_itself(size_bytes() + memory_bytes)
    gc.freeze()
    jobs = sys.stdin.buffer
    _send(pack_json({"is_confined": confine()}))
    while head := read_json(jobs):
        job = ExcerptJob.read(head)
        pieces = [Piece(jobs.read(it[0]), *it[1:]) for it in job.pieces]
        # What takes longer is killed (SIGPROF): no loop in a decoder asks whether it may go on.
        signal.setitimer(signal.ITIMER_PROF, job.cpu_sec)
        answer = _answer(job, pieces)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answer.pack())


def _answer(job: ExcerptJob, pieces: list[Piece]) -> ExcerptAnswer:
    try:
        if job.kind is JobKind.PICTURES:
            return ExcerptAnswer(job.number, files=pictures_at(pieces, job.moment_sec))
        budget = Budget(job.cpu_sec, job.wall_sec)
        return ExcerptAnswer(job.number, files=(clip(pieces, budget), b""), is_cut=budget.is_spent)
    except NothingMade as failed:
        return ExcerptAnswer(job.number, failed.reason)
    except MemoryError:
        return ExcerptAnswer(job.number, TOO_LARGE)
    except (av.FFmpegError, ValueError):
        return ExcerptAnswer(job.number, UNDECODABLE)


def _send(message: bytes) -> None:
    sys.stdout.buffer.write(message)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
