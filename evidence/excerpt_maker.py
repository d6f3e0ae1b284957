"""Pictures and clips, made by a confined process of their own.

It is started when there is something to make and ends when nothing came for a while: a worker of
healthy streams has none.
"""

import asyncio
import contextlib
import re
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from evidence.excerpts.protocol import (
    NO_PICTURE,
    ExcerptAnswer,
    ExcerptJob,
    JobKind,
    NothingMade,
    Piece,
)
from media.decoding.decoder_probe import DECODER_ENV, Confinement, Ready
from media.decoding.errors import NotConfined
from media.processes.run_once import ProcessFailed, ProcessTimedOut
from media.processes.warm_pool import Program, WarmPool
from monitors.evidence import REASON_PATTERN
from monitors.pictures import is_jpeg

COMMAND = (sys.executable, "-P", "-m", "evidence.excerpts")

MEBI = 1024 * 1024
MEMORY_BYTES = 1024 * MEBI
MAX_RESIDENT_BYTES = 256 * MEBI
JOBS = 1000  # a process is replaced after as many: what leaks adds up

WALL_SEC = 45.0
"""The process has the least priority: most of it may be waiting. Others wait meanwhile."""

PICTURES_CPU_SEC = 10
CLIP_CPU_SEC = 20
"""Encoding stops before: what costs more has a shorter clip (`evidence.excerpts.budget`)."""

BROKEN_BEFORE_SEC = 1.0  # a process that breaks this early in a job may have been dead before it

IDLE_SEC = 60.0

TOO_COSTLY = "too_costly"
MAKER_FAILED = "maker_failed"
NOT_CONFINED = "not_confined"
MP4_BRAND = b"ftyp"
_WORD = re.compile(REASON_PATTERN)


@dataclass(frozen=True)
class Pictures:
    """JPEGs from both sides of a moment; None where there is no picture."""

    last_good: bytes | None
    first_faulty: bytes | None


@dataclass(frozen=True)
class Clip:
    """An MP4, and whether it lacks an end that was too costly."""

    mp4: bytes
    is_cut: bool


class ExcerptMaker:
    """Makes one thing after the other. Close it after use."""

    def __init__(self, confinement: Confinement | None = None) -> None:
        self._confinement = confinement or Confinement()
        self._turn = asyncio.Lock()
        self._pool = self._new_pool()
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def pictures(self, pieces: Sequence[Piece], moment_sec: float) -> Pictures:
        """Return the pictures on both sides of a moment; raise `NothingMade` without any."""
        answer = await self._make(JobKind.PICTURES, pieces, moment_sec, PICTURES_CPU_SEC)
        last_good, first_faulty = answer.files
        if not (last_good or first_faulty):
            raise NothingMade(NO_PICTURE)
        return Pictures(last_good or None, first_faulty or None)

    async def clip(self, pieces: Sequence[Piece]) -> Clip:
        """Return a clip of segments; raise `NothingMade` where they cannot be shown."""
        answer = await self._make(JobKind.CLIP, pieces, 0.0, CLIP_CPU_SEC)
        return Clip(answer.files[0], answer.is_cut)

    async def close(self) -> None:
        if self._idle:
            self._idle.cancel()
        await self._pool.close()
        await asyncio.gather(*self._ending)

    def process_ids(self) -> list[int]:
        return self._pool.process_ids()

    async def _make(
        self, kind: JobKind, pieces: Sequence[Piece], moment_sec: float, cpu_sec: int
    ) -> ExcerptAnswer:
        job = ExcerptJob(
            number=secrets.randbits(64),
            kind=kind,
            moment_sec=moment_sec,
            cpu_sec=cpu_sec,
            wall_sec=WALL_SEC,
            pieces=[each.head for each in pieces],
        )
        with _translated():
            async with self._kept_warm():
                answer = await self._ask_twice(job, pieces)
        if answer.failure:
            raise NothingMade(answer.failure)
        return answer

    async def _ask_twice(self, job: ExcerptJob, pieces: Sequence[Piece]) -> ExcerptAnswer:
        """Ask; if the process breaks at once, ask a new one: it may have been dead before."""
        asked = time.monotonic()
        try:
            return await self._ask(job, pieces)
        except ProcessTimedOut:
            raise
        except ProcessFailed as error:
            if error.signal == signal.SIGPROF or time.monotonic() - asked > BROKEN_BEFORE_SEC:
                raise
        return await self._ask(job, pieces, in_new=True)

    async def _ask(
        self, job: ExcerptJob, pieces: Sequence[Piece], *, in_new: bool = False
    ) -> ExcerptAnswer:
        async with self._pool.lease(is_new=in_new) as process:
            body = await process.ask(
                job.pack(),
                *(each.media for each in pieces),
                max_answer_bytes=job.most_answer_bytes,
            )
            answer = ExcerptAnswer.read(body)
            check_answer(answer, job)
        return answer

    @contextlib.asynccontextmanager
    async def _kept_warm(self) -> AsyncIterator[None]:
        """Take the turn; afterwards the process has some time in which more may come."""
        async with self._turn:
            if self._idle:
                self._idle.cancel()
            try:
                yield
            finally:
                self._idle = asyncio.get_running_loop().call_later(IDLE_SEC, self._end_idle)

    def _end_idle(self) -> None:
        idle, self._pool = self._pool, self._new_pool()
        ending = asyncio.create_task(idle.close())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def _new_pool(self) -> WarmPool:
        return WarmPool(
            self._program,
            max_job_sec=WALL_SEC,
            max_jobs=JOBS,
            max_resident_bytes=MAX_RESIDENT_BYTES,
            check_ready=self._check_confinement,
        )

    async def _program(self) -> Program:
        return Program(command=[*COMMAND, str(MEMORY_BYTES)], env=DECODER_ENV)

    def _check_confinement(self, ready: bytes) -> None:
        if not Ready.model_validate_json(ready).is_confined and self._confinement.is_required:
            raise NotConfined


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Raise what went wrong with the process as `NothingMade`."""
    try:
        yield
    except NotConfined as error:
        raise NothingMade(NOT_CONFINED) from error
    except ProcessTimedOut as error:
        raise NothingMade(TOO_COSTLY) from error
    except ProcessFailed as error:
        is_costly = error.signal == signal.SIGPROF
        raise NothingMade(TOO_COSTLY if is_costly else MAKER_FAILED) from error


def check_answer(answer: ExcerptAnswer, job: ExcerptJob) -> None:
    """Raise a ValueError for what is no answer to this job, or not what was asked for."""
    if answer.number != job.number:
        raise ValueError("an answer to no question")
    if answer.failure:
        if not _WORD.fullmatch(answer.failure):
            raise ValueError("a failure that is no word")
        return
    if job.kind is JobKind.PICTURES and not all(map(is_jpeg, filter(None, answer.files))):
        raise ValueError("a picture that is none")
    if job.kind is JobKind.CLIP and answer.files[0][4:8] != MP4_BRAND:
        raise ValueError("a clip that is none")
