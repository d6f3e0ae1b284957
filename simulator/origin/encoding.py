"""How a programme is encoded: sizes, rates, container."""

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator


class Container(StrEnum):
    MPEGTS = "mpegts"
    FMP4 = "fmp4"


class Tracks(StrEnum):
    """What a rendition carries."""

    BOTH = "both"
    VIDEO = "video"
    AUDIO = "audio"


class Encoding(BaseModel, frozen=True, extra="forbid"):
    """One rendition. The defaults are a lowest rendition: 256x144 at 15 frames a second."""

    width: Annotated[int, Field(ge=64, le=1920, multiple_of=2)] = 256
    height: Annotated[int, Field(ge=36, le=1080, multiple_of=2)] = 144
    fps: Annotated[int, Field(ge=1, le=60)] = 15
    # a multiple of the frame duration, so that segments are exactly that long
    segment_sec: Annotated[float, Field(gt=0, le=30)] = 2.0
    # keyframe distance; None is one keyframe a segment
    gop_sec: Annotated[float, Field(gt=0, le=30)] | None = None
    # kilobits a second
    video_kbps: int = 90
    audio_kbps: int = 32
    sample_rate: int = 24_000  # in Hz
    container: Container = Container.MPEGTS
    tracks: Tracks = Tracks.BOTH

    @model_validator(mode="after")
    def _whole_frames(self) -> Self:
        for length in (self.segment_sec, self.gop_sec or self.segment_sec):
            frames = Fraction(str(length)) * self.fps
            if frames.denominator != 1:
                raise ValueError(f"{length} s are not whole frames at {self.fps} a second")
        return self

    @property
    def gop_frames(self) -> int:
        return round((self.gop_sec or self.segment_sec) * self.fps)

    @property
    def has_video(self) -> bool:
        return self.tracks is not Tracks.AUDIO

    @property
    def has_audio(self) -> bool:
        return self.tracks is not Tracks.VIDEO


LOWEST = Encoding()  # 256x144 in segments of 2 s
TINY = Encoding(width=128, height=72, fps=10, segment_sec=1.0, video_kbps=60)
"""For tests of what is served, not of what is seen: cheap, segments of 1 s."""
LOW = Encoding(width=320, height=180, video_kbps=140)  # 320x180 in segments of 2 s
LOW_LONG = Encoding(width=320, height=180, segment_sec=5.0, video_kbps=140)
"""320x180 in segments of 5 s, as YouTube makes them."""
