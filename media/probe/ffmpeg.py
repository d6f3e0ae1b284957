"""Measuring a segment with ffmpeg."""

import asyncio
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from media.probe import output
from media.probe.command import Layout, named_container, probe_arguments
from media.probe.pictures import black_intervals, still_runs
from media.subprocesses import ChildFailed, Finished, Limits, run_bounded
from monitors.measurement import PICTURE_HEIGHT, PICTURE_WIDTH, SegmentMeasurement

LIMITS = Limits(
    wall_sec=60, cpu_sec=40, memory_bytes=1024 * 1024 * 1024, output_bytes=64 * 1024 * 1024
)


class UndecodableSegment(Exception):
    """The segment is no media that ffmpeg can decode; the message says why."""


def find_ffmpeg(path: Path | None) -> str:
    """Return the ffmpeg to use: `path`, else the static build that is installed with us."""
    return str(path) if path else str(imageio_ffmpeg.get_ffmpeg_exe())


class FfmpegProbe:
    """Measures segments, at most `parallel` at once; further ones wait in arrival order.

    The wait is fair among streams as long as each stream measures one segment after the other.
    """

    def __init__(self, ffmpeg: str, *, parallel: int, limits: Limits = LIMITS) -> None:
        self._ffmpeg = ffmpeg
        self._limits = limits
        self._turns = asyncio.Semaphore(parallel)

    async def measure(
        self, segment: bytes, *, duration_sec: float, silence_db: float
    ) -> SegmentMeasurement:
        """Measure one segment in one pass.

        Args:
            segment: the whole segment, for fMP4 behind its initialization section.
            duration_sec: what its playlist says of it (EXTINF).
            silence_db: sound that stays under this level is silence, in dBFS.

        Raises:
            UndecodableSegment: it cannot be decoded within the limits.
        """
        async with self._turns:
            finished, tracks = await self._run(segment, silence_db)
        return _measurement(finished, tracks, segment, duration_sec)

    async def _run(self, segment: bytes, silence_db: float) -> tuple[Finished, output.Tracks]:
        finished = await self._pass(segment, Layout.BOTH, silence_db)
        tracks = output.read_tracks(_text(finished.stderr))
        # A missing track fails in the option parser, before anything is decoded: say it again
        # without that track.
        if finished.returncode > 0 and tracks.layout in (Layout.VIDEO, Layout.AUDIO):
            finished = await self._pass(segment, tracks.layout, silence_db)
        if finished.returncode != 0 or tracks.layout is None:
            raise UndecodableSegment(_failure(finished))
        return finished, tracks

    async def _pass(self, segment: bytes, layout: Layout, silence_db: float) -> Finished:
        command = probe_arguments(
            self._ffmpeg, layout, silence_db, container=named_container(segment)
        )
        try:
            return await run_bounded(command, stdin=segment, limits=self._limits)
        except ChildFailed as error:
            raise UndecodableSegment(str(error)) from error


def _measurement(
    finished: Finished, tracks: output.Tracks, segment: bytes, duration_sec: float
) -> SegmentMeasurement:
    log = _text(finished.stderr)
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
        measurement.silent = output.read_silence(log, duration_sec)
        measurement.loudness_lufs = output.read_loudness(log)
    if measurement.has_video:
        _measure_pictures(finished, measurement)
    return measurement


def _measure_pictures(finished: Finished, measurement: SegmentMeasurement) -> None:
    size = PICTURE_WIDTH * PICTURE_HEIGHT
    times = output.read_times(_text(finished.extra))
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
