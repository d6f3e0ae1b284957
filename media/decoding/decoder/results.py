"""What was found in a segment, as it goes from a decoder process to its worker."""

import base64
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from monitors.frames import Motion

MAX_ERROR = 200  # characters; see `monitors.measurement.Reason`
NO_FRAME = "no picture could be decoded"


class Undecodable(Exception):
    """The message says why."""


class Span(NamedTuple):
    """A stretch of a segment, in seconds from the segment's first moment; `end` is exclusive."""

    start: float
    end: float


class StillSpan(NamedTuple):
    """A stretch in which nothing moved, and what was seen; see `monitors.frames`."""

    start: float
    end: float
    picture: bytes


class SlateSpan(NamedTuple):
    """A stretch in which a slate was shown; `number` is its place among those of the job."""

    start: float
    end: float
    number: int


@dataclass
class AudioFindings:
    """What was heard of an audio track; fields as in `monitors.measurement.AudioMeasurement`."""

    silent: list[Span] = field(default_factory=list)
    audio_gaps: list[Span] = field(default_factory=list)
    audio_lead_sec: float = 0.0
    audio_ahead_sec: float = 0.0
    audio_sec: float = 0.0
    audio_begins_sec: float | None = None
    audio_error: str = ""
    audio_language: str | None = None
    figures: dict[str, Any] | None = None

    def fields(self) -> dict[str, Any]:
        """As JSON, from which the worker makes a measurement."""
        values = vars(self).items()
        return {name: _as_json(value) for name, value in values if value is not None}


@dataclass
class AdditionalAudioFindings(AudioFindings):
    """An additional audio track; fields as in `monitors.measurement.AdditionalAudio`."""

    index: int = 2
    unmeasurable: dict[str, str] | None = None


@dataclass
class Findings(AudioFindings):
    """The measurements of one segment; fields as in `monitors.measurement.SegmentMeasurement`."""

    has_video: bool = False
    has_audio: bool = False
    unmeasurable: dict[str, dict[str, str]] = field(default_factory=dict)
    video_error: str = ""
    additional_audio: list[AdditionalAudioFindings] = field(default_factory=list)
    video_codec: str | None = None
    audio_codec: str | None = None
    width: int | None = None
    height: int | None = None
    black: list[Span] = field(default_factory=list)
    lights_change: list[float] = field(default_factory=list)
    lights: bytes | None = None
    still: list[StillSpan] = field(default_factory=list)
    bars: list[Span] = field(default_factory=list)
    slates: list[SlateSpan] = field(default_factory=list)
    signatures: bytes | None = None
    video_sec: float = 0.0
    frame_interval_sec: float = 0.0
    pauses: list[Span] = field(default_factory=list)
    video_unseen_sec: float = 0.0
    video_bytes: int = 0
    frame_rate: float | None = None
    is_video_missing: bool = False
    keyframe: bytes | None = None
    parameter_sets: bytes | None = None
    needs_lead: bool = False
    motion: Motion = Motion.UNKNOWN
    picture: bytes | None = None
    is_skimmed: bool = False

    def begin_at(self, unseen_sec: float) -> None:
        """Leave out of all that is seen what is not known yet."""
        self.black = [it._replace(start=max(it.start, unseen_sec)) for it in self.black]
        self.still = [it._replace(start=max(it.start, unseen_sec)) for it in self.still]
        self.bars = [it._replace(start=max(it.start, unseen_sec)) for it in self.bars]
        self.slates = [it._replace(start=max(it.start, unseen_sec)) for it in self.slates]


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    if isinstance(value, Span | StillSpan | SlateSpan):
        return {name: _as_json(each) for name, each in value._asdict().items()}
    return value.fields() if isinstance(value, AudioFindings) else value
