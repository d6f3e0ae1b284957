"""A pool of decoder processes that measure the segments of all streams.

Starting a process for each segment costs as much as decoding a short one. These stay: each takes
one segment at a time, from whichever stream is next, and is locked in
(`media.decoder.confinement`). One that a segment breaks, or that is used up, is replaced.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys

import structlog
from pydantic import ValidationError

from media.decoder.wire import LENGTH, MAX_ANSWER_BYTES, JobHead
from media.probe.answers import Answer, Ready, measurement_of
from media.probe.errors import UndecodableSegment
from media.probe.limits import ProbeLimits
from media.probe.turns import Pace, Turns
from monitors.measurement import Glance, SegmentMeasurement
from monitors.motion import Depth

logger = structlog.get_logger(__name__)

SEGMENTS_PER_DECODER = 20_000
"""Then it is replaced, lest what leaks adds up. After hours, at a cost of half a second."""

PIPE_BYTES = 1024 * 1024
"""So that most segments are handed over in one go."""

START_SEC = 60.0


class DecoderProbe:
    """Measures segments in up to `parallel` decoder processes. Close it after use."""

    def __init__(
        self, *, parallel: int, limits: ProbeLimits | None = None, with_loudness: bool = False
    ) -> None:
        self._limits = limits or ProbeLimits()
        self._with_loudness = with_loudness
        self._turns = Turns(parallel)
        self._idle: list[_Decoder] = []
        self._alive: set[_Decoder] = set()
        self._is_closed = False

    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        pace: Pace | None = None,
        glance: Glance | None = None,
    ) -> SegmentMeasurement:
        """Measure one segment, see `media.probe.Probe.measure`."""
        glance = glance or Glance()
        head = JobHead(
            segment_bytes=len(segment),
            duration_sec=duration_sec,
            silence_db=silence_db,
            most_pictures=self._limits.pictures_for(duration_sec),
            cpu_sec=self._limits.cpu_sec_for(duration_sec),
            with_loudness=self._with_loudness,
            depth=Depth.EVERYTHING if self._with_loudness else glance.depth,
            stood=glance.stood,
            landmark=glance.landmark,
            latest=glance.latest,
        )
        async with self._turns.taken(pace or Pace(), duration_sec):
            return await self._measured(head, segment)

    async def close(self) -> None:
        """End all decoders, those too that a cancelled measurement is about to end."""
        self._is_closed = True
        self._idle.clear()
        await asyncio.gather(*map(self._end, [*self._alive]))

    def process_ids(self) -> list[int]:
        """Return the decoders' process ids."""
        return [decoder.pid for decoder in self._alive]

    async def _measured(self, head: JobHead, segment: bytes) -> SegmentMeasurement:
        decoder = await self._free()
        try:
            async with asyncio.timeout(self._limits.wall_sec):
                answer = await decoder.measure(head, segment)
                measurement = measurement_of(answer, head)
        except TimeoutError:
            await self._end(decoder)
            raise UndecodableSegment(f"still running after {self._limits.wall_sec:g} s") from None
        except (OSError, EOFError, ValidationError) as error:
            await self._end(decoder)
            raise UndecodableSegment(decoder.how_it_broke(error)) from error
        except asyncio.CancelledError:
            await self._end(decoder)  # its answer would be taken for that of the next segment
            raise
        if decoder.is_used_up(self._limits.kept_bytes) or self._is_closed:
            await self._end(decoder)
        else:
            self._idle.append(decoder)
        if measurement is None:
            raise UndecodableSegment(answer.undecodable)
        return measurement

    async def _free(self) -> "_Decoder":
        """Return a decoder that is at nobody's work; raises as `_started` does."""
        while self._idle:
            decoder = self._idle.pop()
            if decoder.is_running:
                return decoder
            await self._end(decoder)  # no segment broke it; the machine was out of memory, say
        return await self._started()

    async def _started(self) -> "_Decoder":
        """Start a decoder and wait until it is ready.

        Raises:
            UndecodableSegment: it cannot be started.
        """
        process = await _process(self._limits.memory_bytes)
        decoder = _Decoder(process)
        self._alive.add(decoder)
        try:
            async with asyncio.timeout(START_SEC):
                ready = await decoder.ready()
        except (OSError, EOFError, ValidationError, TimeoutError) as error:
            await self._end(decoder)
            raise UndecodableSegment(decoder.how_it_broke(error)) from error
        except asyncio.CancelledError:
            await self._end(decoder)
            raise
        if not ready.is_confined:
            logger.warning("decoders run without a system call filter on this machine")
        _enlarge(process)
        return decoder

    async def _end(self, decoder: "_Decoder") -> None:
        """Kill a decoder; it counts as alive until it is reaped, whoever is cancelled meanwhile."""
        await decoder.kill()
        self._alive.discard(decoder)


class _Decoder:
    """One decoder process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._to = process.stdin
        self._from = process.stdout
        self.pid = process.pid
        self._measured = 0
        self._resident_bytes = 0
        self._is_killed = False

    @property
    def is_running(self) -> bool:
        """Whether it lives, as far as is known yet."""
        return self._process.returncode is None

    def is_used_up(self, kept_bytes: int) -> bool:
        """Tell whether it is to be replaced."""
        return self._measured >= SEGMENTS_PER_DECODER or self._resident_bytes > kept_bytes

    async def ready(self) -> Ready:
        """Wait until it is.

        Raises:
            OSError, EOFError, ValidationError: it broke.
        """
        return Ready.model_validate_json(await self._received())

    async def measure(self, head: JobHead, segment: bytes) -> Answer:
        """Have a segment measured.

        Raises:
            OSError, EOFError, ValidationError: it broke.
        """
        self._to.write(head.pack())
        self._to.write(segment)
        await self._to.drain()
        answer = Answer.model_validate_json(await self._received())
        self._measured += 1
        self._resident_bytes = answer.resident_bytes
        return answer

    def how_it_broke(self, error: Exception) -> str:
        """Say what happened to a decoder that is dead."""
        code = self._process.returncode or 0
        if code == -signal.SIGPROF:
            return "takes too much CPU time"
        if code < 0 and not isinstance(error, ValidationError):
            return f"the decoder was stopped by signal {-code}"
        return f"the decoder broke ({type(error).__name__})"

    async def kill(self) -> None:
        """Kill the process and reap it."""
        if not self._is_killed:
            self._is_killed = True  # Once: when it is reaped, its number may be another's.
            # Not `Process.kill`: it may reap the process itself, and asyncio then never learns how
            # it ended.
            if self.is_running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
            self._to.close()
        # Reaped even when the caller is cancelled meanwhile: nothing survives SIGKILL.
        await asyncio.shield(asyncio.ensure_future(self._process.wait()))

    async def _received(self) -> bytes:
        (length,) = LENGTH.unpack(await self._from.readexactly(LENGTH.size))
        if length > MAX_ANSWER_BYTES:
            raise EOFError("an answer without end")
        return await self._from.readexactly(length)


async def _process(memory_bytes: int) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "media.decoder", str(memory_bytes)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise UndecodableSegment(f"cannot start a decoder: {error.strerror}") from error


def _environment() -> dict[str, str]:
    """Return a decoder's environment: nothing of the worker's but where Python finds modules."""
    inherited = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {
        "PATH": os.defpath,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        # It may start no threads, and has no use for any.
        "OPENBLAS_NUM_THREADS": "1",
        **inherited,
    }


def _enlarge(process: asyncio.subprocess.Process) -> None:
    resize = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux only
    pipe = process.stdin.transport.get_extra_info("pipe") if process.stdin else None
    if resize is not None and pipe is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe.fileno(), resize, PIPE_BYTES)
