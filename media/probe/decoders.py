"""A pool of decoder processes that measure the segments of all streams.

Starting a process for each segment costs as much as decoding a short one. These stay: each takes
one segment at a time, from whichever stream is next, and is locked in
(`media.decoder.confinement`). One that a segment breaks, or that is used up, is replaced.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
import sys
from collections.abc import Sequence

import structlog

from media.decoder.wire import JobHead, Material
from media.probe.answers import Ready, read_answer, received
from media.probe.confinement import Confinement
from media.probe.errors import DecoderFailed, NotConfined, UndecodableSegment
from media.probe.limits import ProbeLimits
from media.probe.turns import Pace, Turns
from monitors.measurement import Glance, SegmentMeasurement
from monitors.motion import Depth

logger = structlog.get_logger(__name__)

SEGMENTS_PER_DECODER = 20_000
"""Then it is replaced, lest what leaks adds up. After hours, at a cost of half a second."""

PIPE_BYTES = 1024 * 1024
"""So that most segments are handed over in one go."""

DECODER = (sys.executable, "-P", "-m", "media.decoder")

START_SEC = 60.0
READY_BYTES = 1024

LARGE_BYTES = 256 * 1024
"""A larger answer is read beside the event loop. No segment of usual length has one."""

SAID_BYTES = 2_000
"""Of what a decoder writes to its standard error, between two segments, for the log."""


class DecoderProbe:
    """Measures segments in up to `parallel` decoder processes. Close it after use.

    Args:
        parallel: segments that are measured at once.
        limits: of each.
        with_loudness: whether the loudness is measured, too.
        confinement: of the decoders.
        command: that starts a decoder; the bytes that it may allocate for a segment follow.
    """

    def __init__(
        self,
        *,
        parallel: int,
        limits: ProbeLimits | None = None,
        with_loudness: bool = False,
        confinement: Confinement | None = None,
        command: Sequence[str] = DECODER,
    ) -> None:
        self._confinement = confinement or Confinement()
        self._limits = limits or ProbeLimits()
        self._command = command
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
            number=0,  # each decoder that is asked gets one of its own
            sets_bytes=len(glance.parameter_sets),
            lead_bytes=len(glance.lead),
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
        async with self._turns.taken(pace or Pace()):
            try:
                material = Material(glance.parameter_sets, glance.lead, segment)
                return await self._measured(head, material)
            except NotConfined as error:
                raise UndecodableSegment(str(error)) from error

    async def start(self) -> None:
        """Start a decoder for the first segment.

        Raises:
            NotConfined: it cannot be locked in, and has to be.
            DecoderFailed: it cannot be started.
        """
        self._idle.append(await self._started())

    async def close(self) -> None:
        """End all decoders, those too that a cancelled measurement is about to end."""
        self._is_closed = True
        self._idle.clear()
        await asyncio.gather(*map(self._end, [*self._alive]))

    def process_ids(self) -> list[int]:
        """Return the decoders' process ids."""
        return [decoder.pid for decoder in self._alive]

    async def _measured(self, head: JobHead, material: Material) -> SegmentMeasurement:
        """Measure with a decoder that is there; if it breaks, once more with a fresh one.

        What broke it may have been the machine, or a segment before.
        """
        try:
            async with asyncio.timeout(self._limits.wall_sec):
                try:
                    return await self._asked(await self._free(), head, material)
                except DecoderFailed as error:
                    if self._is_closed:
                        raise
                    logger.warning("a decoder failed", error=str(error))
                return await self._asked(await self._started(), head, material)
        except TimeoutError:
            raise UndecodableSegment(f"still running after {self._limits.wall_sec:g} s") from None
        except DecoderFailed as error:
            raise UndecodableSegment(str(error)) from error

    async def _asked(
        self, decoder: "_Decoder", head: JobHead, material: Material
    ) -> SegmentMeasurement:
        try:
            measurement = await decoder.measure(head, material)
        except UndecodableSegment:
            await self._put_back(decoder)
            raise
        except (OSError, EOFError, ValueError) as error:
            await self._end(decoder)
            raise decoder.failure(error) from error
        except asyncio.CancelledError:
            await self._end(decoder)  # it is still at work
            raise
        await self._put_back(decoder)
        return measurement

    async def _put_back(self, decoder: "_Decoder") -> None:
        if decoder.is_used_up(self._limits.kept_bytes) or self._is_closed:
            await self._end(decoder)
        else:
            self._idle.append(decoder)

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
            NotConfined: it cannot be locked in, and has to be.
            DecoderFailed: it cannot be started.
        """
        decoder = await _start([*self._command, str(self._limits.memory_bytes)])
        self._alive.add(decoder)
        try:
            async with asyncio.timeout(START_SEC):
                ready = await decoder.ready()
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            await self._end(decoder)
            raise decoder.failure(error) from error
        except asyncio.CancelledError:
            await self._end(decoder)
            raise
        self._confinement.is_there = ready.is_confined
        if not ready.is_confined:
            if self._confinement.is_required:
                await self._end(decoder)
                raise NotConfined
            logger.warning("decoders run without a system call filter on this machine")
        return decoder

    async def _end(self, decoder: "_Decoder") -> None:
        """Kill a decoder; it counts as alive until it is reaped, whoever is cancelled meanwhile."""
        await decoder.kill()
        self._alive.discard(decoder)


class _Decoder:
    """One decoder process.

    Args:
        process: that was started.
        errors: descriptor of the pipe that its standard error goes to, which does not block.
    """

    def __init__(self, process: asyncio.subprocess.Process, errors: int) -> None:
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._to = process.stdin
        self._from = process.stdout
        self._errors = errors
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
            OSError, EOFError, ValueError: it broke.
        """
        return Ready.model_validate_json(await received(self._from, READY_BYTES))

    async def measure(self, head: JobHead, material: Material) -> SegmentMeasurement:
        """Have a segment measured.

        Raises:
            UndecodableSegment: it says that it cannot be decoded.
            OSError, EOFError, ValueError: it broke.
        """
        head = head._replace(number=secrets.randbits(64))
        self._to.write(head.pack() + material.parameter_sets + material.lead)
        self._to.write(material.segment)
        await self._to.drain()
        text = await received(self._from, head.most_answer_bytes)
        if len(text) <= LARGE_BYTES:
            answer, measurement = read_answer(text, head)
        else:
            answer, measurement = await asyncio.to_thread(read_answer, text, head)
        self._measured += 1
        self._resident_bytes = answer.resident_bytes
        self._log_errors()
        if measurement is None:
            raise UndecodableSegment(answer.undecodable)
        return measurement

    def failure(self, error: Exception) -> DecoderFailed | UndecodableSegment:
        """Return what happened to a decoder that is dead."""
        code = self._process.returncode or 0
        if code == -signal.SIGPROF:
            return UndecodableSegment("takes too much CPU time")
        if code < 0 and not isinstance(error, ValueError):
            return DecoderFailed(f"the decoder was stopped by signal {-code}")
        return DecoderFailed(f"the decoder broke ({type(error).__name__})")

    def _log_errors(self) -> None:
        """Log what it wrote to its standard error; the pipe holds a few kilobytes at most."""
        with contextlib.suppress(BlockingIOError):
            if said := os.read(self._errors, PIPE_BYTES):
                text = said[-SAID_BYTES:].decode(errors="replace")
                logger.warning("a decoder wrote an error", pid=self.pid, text=text)

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
            self._log_errors()
            os.close(self._errors)
        # Reaped even when the caller is cancelled meanwhile: nothing survives SIGKILL.
        await asyncio.shield(asyncio.ensure_future(self._process.wait()))


async def _start(command: Sequence[str]) -> _Decoder:
    errors, its_errors = os.pipe()
    for descriptor in (errors, its_errors):  # what is not read is lost, and holds up nobody
        os.set_blocking(descriptor, False)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=its_errors,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
    except BaseException as error:
        os.close(errors)
        if isinstance(error, OSError):
            raise DecoderFailed(f"cannot start a decoder: {error.strerror}") from error
        raise
    finally:
        os.close(its_errors)
    _enlarge(process)
    return _Decoder(process, errors)


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
