"""The probe that measures the segments of all streams in a pool of warm decoder processes.

Starting a process for each segment costs as much as decoding a short one. These stay, and a system
call filter locks each of them in (`media.decoding.decoder.confinement`).
"""

import asyncio
import secrets
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import BaseModel

from media.decoding.decode_slots import DecodeSlots, DecodeUsage
from media.decoding.decoder.confinement import has_filter
from media.decoding.decoder.protocol import JobHead, Material
from media.decoding.errors import NotConfined, UndecodableSegment
from media.decoding.limits import ProbeLimits
from media.processes.run_once import ProcessFailed, ProcessTimedOut
from media.processes.warm_pool import Program, WarmPool
from monitors.frames import BLOCKS, DecodeDepth, Motion
from monitors.measurement import ProbeContext, Reason, SegmentMeasurement
from monitors.sound import SoundChecks

logger = structlog.get_logger(__name__)

DECODER = (sys.executable, "-P", "-m", "media.decoding.decoder")

KEPT_BYTES = 8 * 1024 * 1024
DECODER_ENV = {
    "OPENBLAS_NUM_THREADS": "1",  # it may start no threads
    # By itself glibc gives memory back after each segment, and the system has to clear it again for
    # the next one: a fifth of what it takes to measure a keyframe.
    "MALLOC_MMAP_THRESHOLD_": str(KEPT_BYTES),
    "MALLOC_TRIM_THRESHOLD_": str(KEPT_BYTES),
}
"""Environment of processes that decode one segment after the other."""

SEGMENTS_PER_DECODER = 20_000  # hours; a new decoder costs half a second
LARGE_BYTES = 256 * 1024  # a larger answer is read beside the event loop; few are


@dataclass
class Confinement:
    """The system call filter of decoders; see `media.decoding.decoder.confinement`."""

    # nothing is decoded without it. By default where there is one for the platform.
    is_required: bool = field(default_factory=has_filter)
    is_there: bool | None = None  # whether the latest decoder has it; None before the first

    @classmethod
    def from_setting(cls, required: bool | None) -> "Confinement":
        return cls() if required is None else cls(required)


class DecoderProbe:
    """Measures segments in up to `parallel` decoder processes. Close it after use."""

    def __init__(
        self,
        *,
        parallel: int,
        limits: ProbeLimits | None = None,
        with_loudness: bool = False,
        confinement: Confinement | None = None,
        command: Sequence[str] = DECODER,  # the bytes that it may allocate for a segment follow
    ) -> None:
        self._confinement = confinement or Confinement()
        self._limits = limits or ProbeLimits()
        self._command = command
        self._with_loudness = with_loudness
        self._sound_checks = SoundChecks.LOUDNESS if with_loudness else SoundChecks(0)
        self._slots = DecodeSlots(parallel)
        self._pool = WarmPool(
            self._program,
            max_job_sec=self._limits.wall_sec,
            max_jobs=SEGMENTS_PER_DECODER,
            max_resident_bytes=self._limits.max_resident_bytes,
            check_ready=self._check_confinement,
        )

    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        usage: DecodeUsage | None = None,
        context: ProbeContext | None = None,
    ) -> SegmentMeasurement:
        context = context or ProbeContext()
        slates = context.slates
        head = JobHead(
            number=0,  # each decoder that is asked gets one of its own
            slates_bytes=len(slates.pictures) if slates else 0,
            sets_bytes=len(context.parameter_sets),
            lead_bytes=len(context.lead),
            segment_bytes=len(segment),
            duration_sec=duration_sec,
            silence_db=silence_db,
            max_frames=self._limits.frames_for(duration_sec),
            cpu_sec=self._limits.cpu_sec_for(duration_sec),
            sound_checks=context.sound_checks | self._sound_checks,
            depth=DecodeDepth.EVERYTHING if self._with_loudness else context.depth,
            all_sounds=context.all_sounds,
            with_signatures=context.with_signatures,
            with_picture=context.with_picture,
            reference=context.reference or bytes(BLOCKS),
        )
        material = Material(
            slates.pictures if slates else b"", context.parameter_sets, context.lead, segment
        )
        async with self._slots.slot(usage or DecodeUsage()):
            try:
                async with asyncio.timeout(self._limits.wall_sec):
                    return await self._measure_twice(
                        head, material, slates.names if slates else None
                    )
            except TimeoutError:
                took = f"still running after {self._limits.wall_sec:g} s"
                raise UndecodableSegment(took) from None
            except (ProcessTimedOut, NotConfined) as error:
                raise UndecodableSegment(str(error)) from error
            except ProcessFailed as error:
                raise UndecodableSegment(f"the decoder {error}") from error

    async def start(self) -> None:
        async with self._pool.lease():
            pass

    async def close(self) -> None:
        await self._pool.close()

    def process_ids(self) -> list[int]:
        return self._pool.process_ids()

    async def _measure_twice(
        self, head: JobHead, material: Material, slate_names: tuple[str, ...] | None
    ) -> SegmentMeasurement:
        """Measure; if the decoder breaks, once more with a new one."""
        # What broke it may have been the machine, or a segment before, which may have broken
        # others.
        try:
            return await self._measure(head, material, slate_names)
        except ProcessTimedOut:
            raise
        except ProcessFailed as error:
            if error.signal == signal.SIGPROF:
                raise UndecodableSegment("takes too much CPU time") from error
            logger.warning("a decoder failed", error=str(error))
        return await self._measure(head, material, slate_names, in_new=True)

    async def _measure(
        self,
        head: JobHead,
        material: Material,
        slate_names: tuple[str, ...] | None,
        *,
        in_new: bool = False,
    ) -> SegmentMeasurement:
        head = head._replace(number=secrets.randbits(64))
        async with self._pool.lease(is_new=in_new) as decoder:
            text = await decoder.ask(
                head.pack() + material.slates + material.parameter_sets + material.lead,
                material.segment,
                max_answer_bytes=head.most_answer_bytes,
            )
            if len(text) <= LARGE_BYTES:
                answer, measurement = read_answer(text, head, slate_names)
            else:
                answer, measurement = await asyncio.to_thread(read_answer, text, head, slate_names)
        if measurement is None:
            raise UndecodableSegment(answer.undecodable)
        return measurement

    async def _program(self) -> Program:
        return Program(command=[*self._command, str(self._limits.memory_bytes)], env=DECODER_ENV)

    def _check_confinement(self, ready: bytes) -> None:
        is_confined = Ready.model_validate_json(ready).is_confined
        self._confinement.is_there = is_confined
        if is_confined:
            return
        if self._confinement.is_required:
            raise NotConfined
        logger.warning("decoders run without a system call filter on this machine")


class Ready(BaseModel):
    """The first answer: the decoder waits for segments."""

    is_confined: bool


class DecoderAnswer(BaseModel):
    """What became of a segment: fields of a `SegmentMeasurement`, or why it is undecodable."""

    number: int
    findings: dict[str, Any] | None = None
    undecodable: Reason = ""


def read_answer(
    text: bytes, head: JobHead, slate_names: tuple[str, ...] | None = None
) -> tuple[DecoderAnswer, SegmentMeasurement | None]:
    """Return an answer and what was found, or `ValueError` where it is none to this job."""
    answer = DecoderAnswer.model_validate_json(text)
    if answer.number != head.number:
        raise ValueError("an answer to no question")
    return answer, measurement_of(answer, head, slate_names)


def measurement_of(
    answer: DecoderAnswer, head: JobHead, slate_names: tuple[str, ...] | None = None
) -> SegmentMeasurement | None:
    """Return what was found, as far as it was asked for; None of an undecodable segment."""
    if answer.findings is None:
        return None
    told: dict[str, Any] = {
        "duration_sec": head.duration_sec,
        "size_bytes": head.segment_bytes,
        "slate_names": slate_names,
    }
    if not head.with_picture:
        told["picture"] = None
    if head.depth != DecodeDepth.MOVEMENT:
        told["motion"] = Motion.UNKNOWN
    if head.depth == DecodeDepth.EVERYTHING:
        told["is_skimmed"] = False
    measurement = SegmentMeasurement.model_validate({**answer.findings, **told})
    if measurement.figures and measurement.figures.blocks > head.most_sound_blocks:
        raise ValueError("figures of more sound than there is")
    return measurement
