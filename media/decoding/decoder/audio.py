"""What is heard in a segment."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.audio_coverage import GAP_MIN_SEC, describe_sound
from media.decoding.decoder.loudness import LoudnessMeter
from media.decoding.decoder.results import AudioFindings, Span
from media.decoding.decoder.silent_ranges import quiet_samples, quiet_stretches

FRAMES_AT_ONCE = 64
"""Looked at together: 1.4 s of AAC. It bounds the memory that a long segment takes."""


SAMPLE_TYPES: dict[str, str] = {"flt": "f4", "dbl": "f8", "u8": "u1", "s16": "i2", "s32": "i4"}
"""By ffmpeg's name of the packed sample format."""


class Sound:
    """Quiet stretches of decoded sound, where there are samples, and loudness where that is wanted.

    Sound may change its format within a segment, or pause; each part is judged on its own.

    Attributes:
        loudness_lufs: None where it is not wanted, or too low.
    """

    def __init__(self, silence_db: float, *, with_loudness: bool) -> None:
        self._silence_db = silence_db
        self._with_loudness = with_loudness
        self._part: _Part | None = None
        self._meter: LoudnessMeter | None = None
        self._stretches: list[Span] = []
        self._filled: list[Span] = []
        self.loudness_lufs: float | None = None

    def add(self, frame: av.AudioFrame) -> None:
        part = self._part
        if part is None or not part.goes_on_with(frame):
            self._part = part = self._next_part(part, frame)
        part.add(frame)
        if self._meter:
            self._meter.add([frame])

    def finish(self) -> None:
        """Judge what was taken last."""
        self._end_part()
        if self._meter:
            self.loudness_lufs = self._meter.loudness_lufs()
            self._meter = None

    def describe(
        self, findings: AudioFindings, duration_sec: float, first_picture_sec: float | None
    ) -> None:
        """Write down what was heard; see `describe_sound`."""
        describe_sound(findings, self._filled, self._stretches, duration_sec, first_picture_sec)

    def _next_part(self, before: "_Part | None", first: av.AudioFrame) -> "_Part":
        self._end_part()
        if self._with_loudness and (before is None or not before.fits(first)):
            self._meter = LoudnessMeter(first)
        start_sec = first.time
        if start_sec is None:
            start_sec = before.end_sec if before else 0.0
        return _Part(first, start_sec, self._silence_db)

    def _end_part(self) -> None:
        if part := self._part:
            self._stretches += part.stretches()
            self._filled.append(Span(part.start_sec, part.end_sec))
            self._part = None


class _Part:
    """Sound of one format without a gap."""

    def __init__(self, first: av.AudioFrame, start_sec: float, silence_db: float) -> None:
        self.start_sec = start_sec
        self._format = _format(first)
        self._rate_hz = first.sample_rate
        self._silence_db = silence_db
        self._samples = 0
        self._frames: list[av.AudioFrame] = []
        self._quiet: list[NDArray[np.bool_]] = []

    @property
    def end_sec(self) -> float:
        return self.start_sec + self._samples / self._rate_hz

    def fits(self, frame: av.AudioFrame) -> bool:
        return _format(frame) == self._format

    def goes_on_with(self, frame: av.AudioFrame) -> bool:
        time = frame.time
        follows = time is None or abs(time - self.end_sec) < GAP_MIN_SEC
        return follows and self.fits(frame)

    def add(self, frame: av.AudioFrame) -> None:
        self._samples += frame.samples
        self._frames.append(frame)
        if len(self._frames) == FRAMES_AT_ONCE:
            self._listen()

    def stretches(self) -> list[Span]:
        self._listen()
        quiet = quiet_stretches(np.concatenate(self._quiet), self._rate_hz)
        return [Span(self.start_sec + start, self.start_sec + end) for start, end in quiet]

    def _listen(self) -> None:
        if self._frames:
            samples = full_scale_samples(self._frames)
            self._quiet.append(quiet_samples(samples, self._silence_db, self._rate_hz))
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
