"""Measuring a segment with ffmpeg."""

import asyncio
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import imageio_ffmpeg
import numpy as np

from media.probe import output
from media.probe.command import (
    OUTPUTS,
    SILENCE,
    TIMES,
    Layout,
    most_pictures,
    named_container,
    probe_arguments,
)
from media.probe.pictures import black_intervals, still_runs
from media.probe.turns import Pace, Turns
from media.subprocesses import ChildFailed, Finished, Limits, run_bounded
from monitors.measurement import PICTURE_HEIGHT, PICTURE_WIDTH, SegmentMeasurement

LIMITS = Limits(
    wall_sec=60, cpu_sec=40, memory_bytes=1024 * 1024 * 1024, output_bytes=16 * 1024 * 1024
)
"""The output holds 7,281 pictures: 2 minutes at 60 a second."""

LEAST_CPU_SEC = 10
CPU_SHARE = 2.0
"""CPU seconds for each second of a segment, at least `LEAST_CPU_SEC`: what needs more falls behind
its stream anyway."""

LARGE_BYTES = 2 * 1024 * 1024
"""Of what ffmpeg wrote: 15 s of pictures. More of it is looked at beside the event loop."""

T = TypeVar("T")


class UndecodableSegment(Exception):
    """The segment is no media that ffmpeg can decode; the message says why."""


def find_ffmpeg(path: Path | None) -> str:
    """Return the ffmpeg to use: `path`, else the static build that is installed with us."""
    return str(path) if path else str(imageio_ffmpeg.get_ffmpeg_exe())


def probes_at_once() -> int:
    """Return how many probes this machine runs at once: one a core.

    At least two, so that one segment that takes long does not stop all other streams.
    """
    return max(2, os.cpu_count() or 1)


class FfmpegProbe:
    """Measures segments, at most `parallel` at once; see `media.probe.turns`."""

    def __init__(self, ffmpeg: str, *, parallel: int, limits: Limits = LIMITS) -> None:
        self._ffmpeg = ffmpeg
        self._limits = limits
        self._turns = Turns(parallel)

    async def measure(
        self, segment: bytes, *, duration_sec: float, silence_db: float, pace: Pace | None = None
    ) -> SegmentMeasurement:
        """Measure one segment in one pass.

        Args:
            segment: the whole segment, for fMP4 behind its initialization section.
            duration_sec: what its playlist says of it (EXTINF).
            silence_db: sound that stays under this level is silence, in dBFS.
            pace: of its stream; a stream that is slow waits for others like it.

        Raises:
            UndecodableSegment: it cannot be decoded within the limits.
        """
        task = _Task(segment, duration_sec, silence_db)
        async with self._turns.taken(pace or Pace(), duration_sec):
            finished, tracks = await self._run(task)
            return await _beside(
                finished, lambda: _measurement(finished, tracks, segment, duration_sec)
            )

    async def _run(self, task: "_Task") -> tuple[Finished, output.Tracks]:
        finished = await self._pass(task, Layout.BOTH)
        log = finished.stderr
        tracks = await _beside(finished, lambda: output.read_tracks(_text(log)))
        # A missing track fails in the option parser, before anything is decoded: say it again
        # without that track.
        if finished.returncode > 0 and tracks.layout in (Layout.VIDEO, Layout.AUDIO):
            finished = await self._pass(task, tracks.layout)
        if finished.returncode != 0 or tracks.layout is None:
            raise UndecodableSegment(_failure(finished))
        return finished, tracks

    async def _pass(self, task: "_Task", layout: Layout) -> Finished:
        command = probe_arguments(
            self._ffmpeg,
            layout,
            task.silence_db,
            container=named_container(task.segment),
            most_pictures=most_pictures(task.duration_sec),
        )
        cpu_sec = _cpu_sec(task.duration_sec, self._limits.cpu_sec)
        limits = replace(self._limits, cpu_sec=cpu_sec)
        try:
            return await run_bounded(command, stdin=task.segment, limits=limits, extra=OUTPUTS)
        except ChildFailed as error:
            raise UndecodableSegment(str(error)) from error


@dataclass(frozen=True)
class _Task:
    segment: bytes
    duration_sec: float
    silence_db: float


def _cpu_sec(duration_sec: float, most_sec: int) -> int:
    return min(most_sec, max(LEAST_CPU_SEC, math.ceil(CPU_SHARE * duration_sec)))


async def _beside(finished: Finished, look: Callable[[], T]) -> T:
    """Return what `look` finds; in a thread when there is so much that others would wait."""
    written = (finished.stdout, finished.stderr, *finished.extra.values())
    size = sum(map(len, written))
    return look() if size <= LARGE_BYTES else await asyncio.to_thread(look)


def _measurement(
    finished: Finished, tracks: output.Tracks, segment: bytes, duration_sec: float
) -> SegmentMeasurement:
    measurement = SegmentMeasurement(
        duration_sec=duration_sec,
        has_video=tracks.video_codec is not None,
        has_audio=tracks.audio_codec is not None,
        video_codec=tracks.video_codec,
        audio_codec=tracks.audio_codec,
        width=tracks.width,
        height=tracks.height,
        size_bytes=len(segment),
    )
    if measurement.has_audio:
        edges = _text(finished.extra[SILENCE])
        measurement.silent = output.read_silence(edges, duration_sec)
        measurement.loudness_lufs = output.read_loudness(_text(finished.stderr))
    if measurement.has_video:
        _measure_pictures(finished, measurement)
    return measurement


def _measure_pictures(finished: Finished, measurement: SegmentMeasurement) -> None:
    size = PICTURE_WIDTH * PICTURE_HEIGHT
    times = output.read_times(_text(finished.extra[TIMES]))
    count = min(len(times), len(finished.stdout) // size)
    if not count:
        raise UndecodableSegment("no picture could be decoded")
    pictures = np.frombuffer(finished.stdout, np.uint8, count * size)
    pictures = pictures.reshape(count, PICTURE_HEIGHT, PICTURE_WIDTH)
    # Sound may start a little earlier; the playlist's times mean the first picture.
    moments = np.array(times[:count]) - times[0]
    measurement.black = black_intervals(pictures, moments, measurement.duration_sec)
    measurement.still = still_runs(pictures, moments, measurement.duration_sec)


def _failure(finished: Finished) -> str:
    if finished.returncode < 0:
        return f"ffmpeg was stopped by signal {-finished.returncode}"
    return output.first_error(_text(finished.stderr)) or "ffmpeg found no picture and no sound"


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
