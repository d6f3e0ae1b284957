"""What a probe found in one segment. The detectors judge it, the probe makes it."""

import base64
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from monitors.motion import Depth, Motion
from monitors.pictures import LANDMARK_BYTES


def _decode(value: bytes | str) -> bytes:
    return base64.b64decode(value) if isinstance(value, str) else value


Thumbnail = Annotated[
    bytes,
    BeforeValidator(_decode),
    PlainSerializer(lambda value: base64.b64encode(value).decode(), return_type=str),
]
"""A small picture (`monitors.pictures`) as 8-bit luma, row by row; base64 in JSON."""

Landmark = Annotated[Thumbnail, Field(min_length=LANDMARK_BYTES, max_length=LANDMARK_BYTES)]
"""What is remembered of a landmark (`monitors.pictures.LANDMARK_BYTES`)."""


MOST_STRETCHES = Field(max_length=10_000)
"""More than a segment has pictures: what a probe says is bounded."""


class Interval(BaseModel):
    """A stretch of a segment, in seconds from the segment's first moment; `end` is exclusive."""

    model_config = ConfigDict(frozen=True)

    start: float
    end: float


class StillRun(Interval):
    """A stretch in which nothing moved.

    Attributes:
        picture: what was seen, so that two runs can be compared across a joint.
    """

    picture: Thumbnail


class Glance(BaseModel):
    """What a probe is told of the segments before, so that a glance at the next may be enough.

    Attributes:
        landmark: the last one, see `media.decoder.landmarks`; zeros before the first.
        latest: the last keyframe, remembered likewise; zeros where that is none or may be a flaw.
        stood: whether the segment before may have no landmark.
        depth: how much of the picture is looked at.
        may_wait: whether a picture that stands need not be judged now.
    """

    model_config = ConfigDict(frozen=True)

    landmark: Landmark = bytes(LANDMARK_BYTES)
    latest: Landmark = bytes(LANDMARK_BYTES)
    stood: bool = False
    depth: Depth = Depth.EVERYTHING
    may_wait: bool = False

    def is_later(self, measurement: "SegmentMeasurement") -> bool:
        """Tell whether the picture is judged later, if at all, of which this came."""
        waits = self.may_wait and measurement.motion is Motion.STANDS
        return measurement.is_skimmed or waits


class SegmentMeasurement(BaseModel):
    """The measurements of one segment, all from one pass over it.

    Attributes:
        duration_sec: how far the segment moves stream time on.
        black: stretches without a visible picture.
        still: stretches without movement, at least `STILL_MIN_SEC` long or touching a border.
        silent: stretches under the level that the probe was given.
        has_video, has_audio: whether the segment carries that track at all.
        loudness_lufs: integrated loudness (EBU R 128); None without sound or below the gate.
        size_bytes: size as fetched.
        landmark: the last one, see `Glance`; None without any, or if the probe knows none.
        latest: the last keyframe, likewise.
        motion: what landmarks tell of the picture.
        is_cut: whether a landmark differs from the last keyframe before it, too.
        is_skimmed: whether the picture is not to be judged now. Then nothing is known of black and
            still stretches, but that none holds two landmarks.
        kept_as: names the bytes of a skimmed segment, which may have to be measured yet.
    """

    duration_sec: float
    black: Annotated[list[Interval], MOST_STRETCHES] = []
    still: Annotated[list[StillRun], MOST_STRETCHES] = []
    silent: Annotated[list[Interval], MOST_STRETCHES] = []
    has_video: bool = True
    has_audio: bool = True
    loudness_lufs: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    size_bytes: int = 0
    landmark: Landmark | None = None
    latest: Landmark | None = None
    motion: Motion = Motion.UNCLEAR
    is_cut: bool = False
    is_skimmed: bool = False
    kept_as: str = ""

    def kept(self, name: str) -> Self:
        """Return what is told of the segment when its picture is judged later."""
        later = {"black": [], "still": [], "is_skimmed": True, "kept_as": name}
        return self.model_copy(update=later)
