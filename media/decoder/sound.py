"""What is heard in a segment."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from media.decoder.findings import Findings, Span
from media.decoder.loudness import LoudnessMeter
from media.decoder.silence import quiet_samples, quiet_stretches, silent_intervals

FRAMES_AT_ONCE = 64
"""Looked at together: 1.4 s of AAC. It bounds the memory that a long segment takes."""


SAMPLE_TYPES: dict[str, str] = {"flt": "f4", "dbl": "f8", "u8": "u1", "s16": "i2", "s32": "i4"}
"""By ffmpeg's name of the packed sample format."""


class Sound:
    """Quiet stretches of decoded sound, and its loudness where that is wanted.

    Sound may change its format within a segment; each part is judged in its own.
    """

    def __init__(self, silence_db: float, *, began_sec: float, with_loudness: bool) -> None:
        self._silence_db = silence_db
        self._began_sec = began_sec
        self._with_loudness = with_loudness
        self._part: _Part | None = None
        self._stretches: list[Span] = []
        self._loudness: float | None = None

    def add(self, frame: av.AudioFrame) -> None:
        """Take a frame."""
        if self._part is None or not self._part.fits(frame):
            self.finish()
            self._part = _Part(frame, self._silence_db, with_loudness=self._with_loudness)
        self._part.add(frame)

    def finish(self) -> None:
        """Judge what was taken since the format is what it is."""
        if part := self._part:
            start_sec = part.start_sec - self._began_sec
            self._stretches += [Span(start_sec + a, start_sec + b) for a, b in part.stretches()]
            self._loudness = part.loudness_lufs()
            self._part = None

    def describe(self, findings: Findings, duration_sec: float) -> None:
        """Write down what was heard."""
        findings.silent = silent_intervals(self._stretches, duration_sec)
        findings.loudness_lufs = self._loudness


class _Part:
    """Sound of one format."""

    def __init__(self, first: av.AudioFrame, silence_db: float, *, with_loudness: bool) -> None:
        self.start_sec = first.time or 0.0
        self._format = _format(first)
        self._rate_hz = first.sample_rate
        self._silence_db = silence_db
        self._frames: list[av.AudioFrame] = []
        self._quiet: list[NDArray[np.bool_]] = []
        self._meter = LoudnessMeter(first) if with_loudness else None

    def fits(self, frame: av.AudioFrame) -> bool:
        return _format(frame) == self._format

    def add(self, frame: av.AudioFrame) -> None:
        self._frames.append(frame)
        if len(self._frames) == FRAMES_AT_ONCE:
            self._listen()

    def stretches(self) -> list[Span]:
        self._listen()
        return quiet_stretches(np.concatenate(self._quiet), self._rate_hz)

    def loudness_lufs(self) -> float | None:
        return self._meter.loudness_lufs() if self._meter else None

    def _listen(self) -> None:
        if self._frames:
            samples = full_scale_samples(self._frames)
            self._quiet.append(quiet_samples(samples, self._silence_db))
        if self._meter:
            self._meter.add(self._frames)
        self._frames = []


def full_scale_samples(frames: list[av.AudioFrame]) -> NDArray[np.floating]:
    """Return the samples of frames of one format, shape (channels, n), full scale is 1."""
    first = frames[0]
    channels = first.layout.nb_channels
    if first.format.is_planar:
        samples = np.stack([_plane(frames, channel, 1) for channel in range(channels)])
    else:
        samples = _plane(frames, 0, channels).reshape(-1, channels).T
    if samples.dtype.kind == "f":
        return samples
    full_scale = 2.0 ** (8 * samples.dtype.itemsize - 1)
    middle = full_scale if samples.dtype.kind == "u" else 0.0
    return (samples.astype(np.float64) - middle) / full_scale


def _plane(frames: list[av.AudioFrame], number: int, width: int) -> NDArray[Any]:
    """Return what one plane of all frames holds, `width` values a sample.

    Not by `AudioFrame.to_ndarray`, which takes as long for a frame as decoding it.
    """
    dtype = SAMPLE_TYPES[frames[0].format.packed.name]
    planes = ((memoryview(it.planes[number]), it.samples * width) for it in frames)
    return np.concatenate([np.frombuffer(plane, dtype, count) for plane, count in planes])


def _format(frame: av.AudioFrame) -> tuple[str, str, int]:
    return (frame.format.name, frame.layout.name, frame.sample_rate)
