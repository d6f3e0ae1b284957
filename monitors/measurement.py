"""What a probe found in one segment. The detectors judge it, the probe makes it."""

import base64
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

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
        landmark: the last one, see `media.decoder.landmarks`.
        may_skim: whether the picture need not be measured where a glance shows movement.
    """

    model_config = ConfigDict(frozen=True)

    landmark: Landmark = bytes(LANDMARK_BYTES)
    may_skim: bool = False


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
        moves: whether it begins with a keyframe, has no dark one, and has landmarks enough.
        is_skimmed: whether not all of the picture was looked at, since it moves. Then nothing
            is known of black and still stretches; those there are hold one landmark at most.
        kept_as: names the bytes of a skimmed segment, which may have to be measured yet.
    """

    duration_sec: float
    black: list[Interval] = []
    still: list[StillRun] = []
    silent: list[Interval] = []
    has_video: bool = True
    has_audio: bool = True
    loudness_lufs: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    size_bytes: int = 0
    landmark: Landmark | None = None
    moves: bool = False
    is_skimmed: bool = False
    kept_as: str = ""
