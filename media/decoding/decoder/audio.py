"""What is heard in a segment."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.results import AudioFindings
from media.decoding.decoder.sound_blocks import SoundFormat
from media.decoding.decoder.sound_parts import GAP_MIN_SEC, SoundPart, describe_parts
from monitors.sound import SoundChecks

FRAMES_AT_ONCE = 128  # 2.7 s of AAC; it bounds the memory that a long segment takes


SAMPLE_TYPES: dict[str, str] = {"flt": "f4", "dbl": "f8", "u8": "u1", "s16": "i2", "s32": "i4"}
"""By ffmpeg's name of the packed sample format."""


class Sound:
    """The sound of a track, from its decoded frames.

    It may change its format within a segment, or pause; each part is judged on its own. The
    arguments are those of `SoundPart`.
    """

    def __init__(
        self, silence_db: float, *, checks: SoundChecks | None = None, most_blocks: int = 0
    ) -> None:
        self._silence_db = silence_db
        self._checks = checks
        self._blocks_left = most_blocks
        self._parts: list[SoundPart] = []
        self._format: tuple[str, str, int] | None = None
        self._end_sec = 0.0
        self._frames: list[av.AudioFrame] = []

    def add(self, frame: av.AudioFrame) -> None:
        if not self._goes_on_with(frame):
            self._begin_part(frame)
        self._end_sec += frame.samples / frame.sample_rate
        self._frames.append(frame)
        if len(self._frames) == FRAMES_AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Listen to what was taken last."""
        if self._frames:
            self._parts[-1].add(full_scale_samples(self._frames))
        self._frames = []

    def describe(
        self, findings: AudioFindings, duration_sec: float, first_picture_sec: float | None
    ) -> None:
        describe_parts(findings, self._parts, duration_sec, first_picture_sec)

    def _goes_on_with(self, frame: av.AudioFrame) -> bool:
        time = frame.time
        follows = time is None or abs(time - self._end_sec) < GAP_MIN_SEC
        return follows and _format(frame) == self._format

    def _begin_part(self, first: av.AudioFrame) -> None:
        self.finish()
        if self._parts and (before := self._parts[-1].blocks):
            self._blocks_left -= before.blocks
        self._format = _format(first)
        self._end_sec = self._end_sec if first.time is None else first.time
        names = tuple(each.name for each in first.layout.channels)
        part = SoundPart(
            SoundFormat(first.sample_rate, names),
            self._end_sec,
            self._silence_db,
            checks=self._checks,
            most_blocks=self._blocks_left,
            frame_samples=first.samples,
        )
        self._parts.append(part)


def full_scale_samples(frames: list[av.AudioFrame]) -> NDArray[np.floating]:
    """Return the samples of frames of one format, shape (channels, n), full scale is 1."""
    first = frames[0]
    channels = first.layout.nb_channels
    if channels == 1:
        samples = _plane(frames, 0, 1)[None]
    elif first.format.is_planar:
        samples = np.stack([_plane(frames, channel, 1) for channel in range(channels)])
    else:
        samples = _plane(frames, 0, channels).reshape(-1, channels).T
    if samples.dtype.kind == "f":
        return samples
    full_scale = 2.0 ** (8 * samples.dtype.itemsize - 1)
    middle = full_scale if samples.dtype.kind == "u" else 0.0
    return (samples.astype(np.float64) - middle) / full_scale


def _plane(frames: list[av.AudioFrame], number: int, width: int) -> NDArray[Any]:
    """Return what one plane of all frames holds, `width` values a sample."""
    # Not by `AudioFrame.to_ndarray`, which takes as long for a frame as decoding it.
    dtype = np.dtype(SAMPLE_TYPES[frames[0].format.packed.name])
    size = width * dtype.itemsize
    return np.frombuffer(
        b"".join([memoryview(it.planes[number])[: it.samples * size] for it in frames]), dtype
    )


def _format(frame: av.AudioFrame) -> tuple[str, str, int]:
    return (frame.format.name, frame.layout.name, frame.sample_rate)
