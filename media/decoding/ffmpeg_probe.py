"""Measuring a segment with ffmpeg."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from pydantic import ValidationError

from media.decoding.decode_slots import DecodeSlots, DecodeUsage
from media.decoding.decoder.descriptions import describe_frames
from media.decoding.decoder.results import MAX_ERROR, NO_FRAME, Findings, Span
from media.decoding.decoder.sample_entries import unmeasurable_kinds
from media.decoding.decoder.small_frames import SmallFrames
from media.decoding.decoder.sound_blocks import SoundFormat, usual_names
from media.decoding.decoder.sound_parts import SoundPart, describe_parts
from media.decoding.decoder.ts_programs import ts_programs
from media.decoding.decoder.whitelist import MPEGTS, named_container
from media.decoding.errors import UndecodableSegment
from media.decoding.ffmpeg_output import (
    OUTPUTS,
    PICTURE,
    SAMPLES,
    SOUND,
    TIMES,
    FfmpegTracks,
    Layout,
    first_error,
    probe_arguments,
    read_samples,
    read_times,
    read_tracks,
)
from media.decoding.limits import ProbeLimits
from media.processes.run_once import Finished, Limits, ProcessFailed, run_bounded
from monitors.frames import FRAME_BYTES, longest_interval_sec, pauses_between
from monitors.measurement import ProbeContext, SegmentMeasurement
from monitors.pictures import is_jpeg
from monitors.sound import SoundChecks, most_sound_blocks

OUTPUT_BYTES = 256 * 1024 * 1024  # each output may be as large as `limits.MAX_FRAMES` frames
LARGE_BYTES = 3 * 1024 * 1024  # frames of 15 s. A larger output is analysed in a thread.
T = TypeVar("T")


class FfmpegProbe:
    """Measures segments, at most `parallel` at once; see `media.decoding.decode_slots`."""

    def __init__(
        self,
        ffmpeg: str,
        *,
        parallel: int,
        limits: ProbeLimits | None = None,
        with_loudness: bool = False,
    ) -> None:
        self._ffmpeg = ffmpeg
        self._sound_checks = SoundChecks.LOUDNESS if with_loudness else SoundChecks(0)
        self._limits = limits or ProbeLimits()
        self._slots = DecodeSlots(parallel)

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
        checks = context.sound_checks | self._sound_checks
        context = context.model_copy(update={"sound_checks": checks})
        task = _Task(segment, duration_sec, silence_db, context)
        async with self._slots.slot(usage or DecodeUsage()):
            finished, tracks = await self._run(task)
            return await _beside(finished, lambda: _measurement(finished, tracks, task))

    async def close(self) -> None:
        pass

    async def _run(self, task: "_Task") -> tuple[Finished, FfmpegTracks]:
        finished = await self._pass(task, Layout.BOTH)
        log, is_ts = finished.stderr, named_container(task.segment) == MPEGTS
        known = ts_programs(task.segment) if is_ts else []
        tracks = await _beside(finished, lambda: read_tracks(_text(log), known))
        tracks = tracks.without(unmeasurable_kinds(task.segment))
        program = tracks.program
        if program is not None and tracks.layout:
            finished = await self._pass(task, tracks.layout, program)
        # A missing track fails in the option parser, before anything is decoded; an empty one when
        # its output is opened. Say it again without that track.
        layout = _filled_layout(finished) if tracks.layout is Layout.BOTH else tracks.layout
        if finished.returncode > 0 and layout in (Layout.VIDEO, Layout.AUDIO):
            finished = await self._pass(task, layout, program)
        if tracks.unmeasurable and tracks.layout is None:
            return finished, tracks
        if finished.returncode != 0 or tracks.layout is None:
            raise UndecodableSegment(_failure(finished))
        return finished, tracks

    async def _pass(self, task: "_Task", layout: Layout, program: int | None = None) -> Finished:
        command = probe_arguments(
            self._ffmpeg,
            layout,
            container=named_container(task.segment),
            max_frames=self._limits.frames_for(task.duration_sec),
            program=program,
            with_picture=task.context.with_picture,
        )
        limits = Limits(
            wall_sec=self._limits.wall_sec,
            cpu_sec=self._limits.cpu_sec_for(task.duration_sec),
            memory_bytes=self._limits.memory_bytes,
            output_bytes=OUTPUT_BYTES,
        )
        try:
            return await run_bounded(command, stdin=task.segment, limits=limits, extra=OUTPUTS)
        except ProcessFailed as error:
            raise UndecodableSegment(str(error)) from error


@dataclass(frozen=True)
class _Task:
    segment: bytes
    duration_sec: float
    silence_db: float
    context: ProbeContext


async def _beside(finished: Finished, look: Callable[[], T]) -> T:
    """In a thread where the output is so large that others would wait."""
    written = (finished.stdout, finished.stderr, *finished.extra.values())
    size = sum(map(len, written))
    return look() if size <= LARGE_BYTES else await asyncio.to_thread(look)


def _measurement(finished: Finished, tracks: FfmpegTracks, task: "_Task") -> SegmentMeasurement:
    duration_sec, slates = task.duration_sec, task.context.slates
    findings = Findings(
        has_video=tracks.video_codec is not None,
        has_audio=tracks.audio_codec is not None,
        unmeasurable={kind: why._asdict() for kind, why in tracks.unmeasurable.items()},
        video_codec=tracks.video_codec,
        audio_codec=tracks.audio_codec,
        width=tracks.width,
        height=tracks.height,
    )
    times = read_times(_text(finished.extra[TIMES]))
    if findings.has_audio:
        _listen(finished, findings, task, min(times, default=None))
    if findings.has_video:
        _look_at_pictures(finished, findings, times, task)
    picture = finished.extra[PICTURE]
    findings.picture = picture if is_jpeg(picture) else None
    findings.has_video |= "video" in tracks.unmeasurable
    findings.has_audio |= "audio" in tracks.unmeasurable
    told = {
        "duration_sec": duration_sec,
        "size_bytes": len(task.segment),
        "slate_names": slates.names if slates else None,
    }
    try:
        return SegmentMeasurement.model_validate({**findings.fields(), **told})
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        raise UndecodableSegment(f"cannot be judged: {problem['msg']}") from error


def _filled_layout(finished: Finished) -> Layout | None:
    """Which one of two tracks holds anything; None where it is not one."""
    has_video, has_audio = (bool(finished.extra[name]) for name in (TIMES, SAMPLES))
    if has_video == has_audio:
        return None
    return Layout.VIDEO if has_video else Layout.AUDIO


def _listen(
    finished: Finished, findings: Findings, task: "_Task", first_picture_sec: float | None
) -> None:
    runs = read_samples(_text(finished.extra[SAMPLES]))
    values = np.frombuffer(finished.extra[SOUND], "<f4", len(finished.extra[SOUND]) // 4)
    channels = len(values) // max(1, sum(run.samples for run in runs))
    samples = values[: len(values) // max(1, channels) * channels].reshape(-1, max(1, channels)).T
    parts, begin = list[SoundPart](), 0
    for run in runs:
        part = SoundPart(
            SoundFormat(run.rate_hz, usual_names(channels)),
            run.start_sec,
            task.silence_db,
            checks=task.context.sound_checks,
            most_blocks=most_sound_blocks(task.duration_sec),
        )
        part.add_all(samples[:, begin : begin + run.samples])
        parts.append(part)
        begin += run.samples
    describe_parts(findings, parts, task.duration_sec, first_picture_sec)


def _look_at_pictures(
    finished: Finished, findings: Findings, times: Sequence[float], task: "_Task"
) -> None:
    duration_sec, slates = task.duration_sec, task.context.slates
    count = min(len(times), len(finished.stdout) // FRAME_BYTES)
    error = first_error(_text(finished.stderr))
    if not count and findings.audio_sec:
        findings.is_video_missing, findings.video_error = error is None, (error or "")[:MAX_ERROR]
        return
    if not count:
        raise UndecodableSegment(NO_FRAME)
    pictures = SmallFrames.read(finished.stdout[: count * FRAME_BYTES])
    # Sound may start a little earlier; the playlist's times mean the first picture.
    moments = np.array(times[:count]) - times[0]
    findings.video_sec = max(0.0, float(moments[-1])) * count / max(1, count - 1)
    findings.frame_interval_sec = longest_interval_sec(times[:count], duration_sec)
    findings.pauses = [Span(*each) for each in pauses_between(times[:count], duration_sec)]
    describe_frames(
        findings,
        pictures,
        moments,
        duration_sec,
        slates.pictures if slates else b"",
        with_signatures=task.context.with_signatures,
    )


def _failure(finished: Finished) -> str:
    if finished.returncode < 0:
        return f"ffmpeg was stopped by signal {-finished.returncode}"
    return first_error(_text(finished.stderr)) or "ffmpeg found no picture and no sound"


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
