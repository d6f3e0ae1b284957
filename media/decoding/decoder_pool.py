"""A pool of decoder processes that measure the segments of all streams.

Starting a process for each segment costs as much as decoding a short one. These stay: each takes
one segment at a time, from whichever stream is next, and is locked in
(`media.decoding.decoder.confinement`). One that a segment breaks, or that is used up, is replaced.
"""

import asyncio
import sys
from collections.abc import Sequence

import structlog

from media.decoding.confinement_policy import Confinement
from media.decoding.decode_slots import DecodeSlots, Pace
from media.decoding.decoder.protocol import JobHead, Material
from media.decoding.decoder_process import DecoderProcess, start_decoder
from media.decoding.errors import DecoderFailed, NotConfined, UndecodableSegment
from media.decoding.limits import ProbeLimits
from monitors.measurement import Glance, SegmentMeasurement
from monitors.motion import Depth

logger = structlog.get_logger(__name__)

DECODER = (sys.executable, "-P", "-m", "media.decoding.decoder")

START_SEC = 60.0


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
        self._turns = DecodeSlots(parallel)
        self._idle: list[DecoderProcess] = []
        self._alive: set[DecoderProcess] = set()
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
        """Measure one segment, see `media.decoding.Probe.measure`."""
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
            all_sounds=glance.all_sounds,
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
        self, decoder: DecoderProcess, head: JobHead, material: Material
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

    async def _put_back(self, decoder: DecoderProcess) -> None:
        if decoder.is_used_up(self._limits.kept_bytes) or self._is_closed:
            await self._end(decoder)
        else:
            self._idle.append(decoder)

    async def _free(self) -> DecoderProcess:
        """Return a decoder that is at nobody's work; raises as `_started` does."""
        while self._idle:
            decoder = self._idle.pop()
            if decoder.is_running:
                return decoder
            await self._end(decoder)  # no segment broke it; the machine was out of memory, say
        return await self._started()

    async def _started(self) -> DecoderProcess:
        """Start a decoder and wait until it is ready.

        Raises:
            NotConfined: it cannot be locked in, and has to be.
            DecoderFailed: it cannot be started.
        """
        decoder = await start_decoder([*self._command, str(self._limits.memory_bytes)])
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

    async def _end(self, decoder: DecoderProcess) -> None:
        """Kill a decoder; it counts as alive until it is reaped, whoever is cancelled meanwhile."""
        await decoder.kill()
        self._alive.discard(decoder)
