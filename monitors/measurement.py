"""What a probe found in one segment. The detectors judge it, the probe makes it."""

import base64
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    InstanceOf,
    PlainSerializer,
    model_validator,
)

from monitors.frames import BLOCKS, FRAME_BYTES, SIGNATURE_BYTES, SLATE_BYTES, DecodeDepth, Motion
from monitors.pictures import is_jpeg
from monitors.sound import LONGEST_AHEAD_SEC, LONGEST_LEAD_SEC, SoundChecks
from monitors.sound_figures import SoundFigures, gating_blocks, integrated_lufs


def _decode(value: bytes | str) -> bytes:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


def _checked_jpeg(value: bytes) -> bytes:
    if not is_jpeg(value):
        raise ValueError("is no JPEG of a picture's size")
    return value


Base64 = Annotated[
    bytes,
    BeforeValidator(_decode),
    PlainSerializer(lambda value: base64.b64encode(value).decode(), return_type=str),
]
"""Base64 in JSON."""

Thumbnail = Annotated[Base64, Field(min_length=FRAME_BYTES, max_length=FRAME_BYTES)]
"""A small frame, see `monitors.frames`."""

ParameterSets = Annotated[Base64, Field(min_length=1, max_length=4096)]

ReferenceFrame = Annotated[Base64, Field(min_length=BLOCKS, max_length=BLOCKS)]
"""The means of a small frame's blocks, see `monitors.frames.BLOCKS`."""

Signatures = Annotated[Base64, Field(max_length=SIGNATURE_BYTES * 100_000)]
"""What is shown every `SIGNATURE_STEP_SEC`, one after the other; see `monitors.frames`."""

Jpeg = Annotated[Base64, AfterValidator(_checked_jpeg)]

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]

Track = Literal["video", "audio"]

Offset = Annotated[float, Field(allow_inf_nan=False)]
"""Seconds, of a segment mostly from its first moment."""


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


Reason = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
"""Why something cannot be decoded: one short line."""

Codec = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,32}$")]
Pixels = Annotated[int, Field(ge=1, le=65_536)]  # the width or height of a picture
MOST_STRETCHES = 10_000  # a segment with more stretches of one kind is refused: it has fewer frames
BLOCKS_OF_A_STRETCH = 6  # so many blocks of sound are judged in the time of one stretch
MOST_ADDITIONAL_AUDIO = 15  # further audio tracks of a segment are not measured


class Interval(BaseModel, frozen=True):
    """A stretch of a segment, in seconds from the segment's first moment; `end` is exclusive."""

    start: Offset
    end: Offset


class StillRun(Interval):
    """A stretch in which nothing moved, and its picture: so runs are compared across a joint."""

    picture: Thumbnail


SLATE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
SlateName = Annotated[str, Field(pattern=SLATE_NAME)]

SlatePicture = Annotated[Base64, Field(min_length=SLATE_BYTES, max_length=SLATE_BYTES)]

MOST_SLATES = 10  # each is sent to a decoder with every segment


class SlateRun(Interval):
    """A stretch in which a slate is shown; `number` is its place in `slate_names`, from 0."""

    number: int = Field(ge=0)


class ReferenceSlates(BaseModel, frozen=True):
    """What the slate detector looks for: pictures of the small frame's size, as RGB row by row."""

    names: tuple[SlateName, ...] = Field(default=(), max_length=MOST_SLATES)
    pictures: bytes = Field(default=b"", repr=False, max_length=MOST_SLATES * SLATE_BYTES)

    @classmethod
    def of(cls, pictures: Mapping[str, bytes]) -> Self:
        return cls(names=tuple(pictures), pictures=b"".join(pictures.values()))


class ProbeContext(BaseModel, frozen=True):
    """What the probe needs to know beside the segment."""

    depth: DecodeDepth = DecodeDepth.EVERYTHING
    # keyframe of the segment before, for `DecodeDepth.MOVEMENT`; None if unknown
    reference: ReferenceFrame | None = None
    parameter_sets: bytes = b""  # see `SegmentMeasurement`; of the latest segment that had some
    # the segments since the last one that needs none; see `needs_lead`
    lead: bytes = Field(default=b"", repr=False)
    all_sounds: bool = False  # whether the additional audio tracks are measured, too
    slates: ReferenceSlates | None = None  # that are looked for; None where they are not known
    with_signatures: bool = False
    with_picture: bool = False  # whether a keyframe is wanted as JPEG
    sound_checks: SoundChecks = SoundChecks(0)  # what else is measured of the sound


class CachedSegment:
    """The bytes of a segment; None once the cache has no more room for them."""

    def __init__(self, media: bytes) -> None:
        self.media: bytes | None = media

    def __deepcopy__(self, memo: object) -> Self:
        return self


class Unmeasurable(BaseModel, frozen=True):
    """Why a track cannot be measured, though nothing is wrong with it."""

    # its name; None where it is unknown
    codec: str | None = Field(pattern=r"^[A-Za-z0-9_.,+ -]{1,64}$")
    reason: Literal["encrypted", "unsupported_codec"]


class AudioMeasurement(BaseModel):
    """What was heard of one audio track of a segment."""

    # stretches under the level that the probe was given; below 0 of sound in a lead
    silent: list[Interval] = Field(default=[], max_length=MOST_STRETCHES)
    # stretches without samples; below 0 in a lead
    audio_gaps: list[Interval] = Field(default=[], max_length=MOST_STRETCHES)
    # of sound before the first picture; it belongs to the segment before
    audio_lead_sec: Seconds = Field(default=0.0, le=LONGEST_LEAD_SEC)
    # of sound behind its end; it belongs to the segments after
    audio_ahead_sec: Seconds = Field(default=0.0, le=LONGEST_AHEAD_SEC)
    audio_sec: Seconds = 0.0  # of sound in all, wherever its timestamps lie
    # timestamp of the first sample, of sound that comes apart from pictures
    audio_begins_sec: Offset | None = None
    # why nothing could be decoded; empty where something could. Nothing is known of the track then.
    audio_error: Reason = ""
    # as the container names it
    audio_language: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,35}$")
    figures: SoundFigures | None = None  # levels and more; None where they are not measured


class AdditionalAudio(AudioMeasurement):
    """An additional audio track."""

    index: int = Field(ge=1, le=999)  # its place among the audio tracks, from 1
    # why nothing can be known of it; None where something can
    unmeasurable: Unmeasurable | None = None


class SegmentMeasurement(AudioMeasurement):
    """The measurements of one segment, all from one pass over it.

    A probe reads them from a process that decodes what strangers send. So everything is bounded
    here: the detectors can judge whatever this accepts, and what they keep of it.
    """

    duration_sec: Seconds  # how far the segment moves stream time on
    # stretches without a visible picture. These and the other stretches come in order, do not
    # overlap, and end with the segment.
    black: list[Interval] = Field(default=[], max_length=MOST_STRETCHES)
    # when what is lit in black changes
    lights_change: list[Seconds] = Field(default=[], max_length=MOST_STRETCHES)
    lights: ReferenceFrame | None = None  # the first black frame; None where nothing is lit in it
    # stretches without movement, at least `STILL_MIN_SEC` long or touching a border
    still: list[StillRun] = Field(default=[], max_length=MOST_STRETCHES)
    bars: list[Interval] = Field(default=[], max_length=MOST_STRETCHES)
    slates: list[SlateRun] = Field(default=[], max_length=MOST_STRETCHES)
    # of the slates that the probe looked for; None where it did not
    slate_names: tuple[SlateName, ...] | None = None
    signatures: Signatures = b""  # of the whole segment, where they were asked for
    video_sec: Seconds = 0.0  # from the first picture to the end of the last one
    # the longest time between two pictures that follow each other; the segment's duration where
    # that says nothing, see `monitors.frames.missing_from_sec`
    frame_interval_sec: Seconds = 0.0
    # where no picture comes, see `monitors.frames.pauses_between`
    pauses: list[Interval] = Field(default=[], max_length=MOST_STRETCHES)
    # of its beginning, what cannot be decoded without the segments before
    video_unseen_sec: Seconds = 0.0
    video_bytes: int = Field(default=0, ge=0)  # of its packets
    # frames a second; None where it is not known
    frame_rate: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    is_video_missing: bool = False  # whether the picture's track is there and holds no picture
    # whether the segment has that track at all, empty or not
    has_video: bool = True
    has_audio: bool = True
    unmeasurable: dict[Track, Unmeasurable] = {}  # tracks of which nothing can be known, and why
    video_error: Reason = ""  # as `audio_error`, of the picture
    # the additional audio tracks, where all are measured
    additional_audio: list[AdditionalAudio] = Field(default=[], max_length=MOST_ADDITIONAL_AUDIO)
    video_codec: Codec | None = None
    audio_codec: Codec | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    size_bytes: int = Field(default=0, ge=0)  # as fetched
    keyframe: ReferenceFrame | None = None  # the first one that could be decoded; None without any
    # of the picture's decoder, as the segment has them (H.264, H.265: SPS, PPS, VPS); None where it
    # has none, or the same as before
    parameter_sets: ParameterSets | None = None
    # whether its first picture is no keyframe: without the segments before, nothing of it can be
    # decoded up to its first keyframe
    needs_lead: bool = False
    motion: Motion = Motion.UNKNOWN  # what a look for movement found
    # whether decoding stopped early: nothing is known of black and still stretches
    is_skimmed: bool = False
    # from what all of it can be measured later
    cached: InstanceOf[CachedSegment] | None = Field(default=None, exclude=True, repr=False)
    # its first keyframe as JPEG, where that was asked for
    picture: Jpeg | None = Field(default=None, exclude=True, repr=False)

    @property
    def loudness_lufs(self) -> float | None:
        """Integrated loudness (EBU R 128); None where it is not measured, or below the gate."""
        tenths = self.figures.loudness_lufs if self.figures else []
        loudness = integrated_lufs(gating_blocks(tenths))
        return None if loudness is None else round(loudness, 1)

    @property
    def stretches(self) -> int:
        """How many there are: how long it takes to judge them."""
        sounds = (*self.additional_audio, self)
        pictures = len(self.black) + len(self.still) + len(self.bars) + len(self.slates)
        blocks = self.figures.blocks if self.figures else 0
        pictures += blocks // BLOCKS_OF_A_STRETCH
        return pictures + sum(len(each.silent) + len(each.audio_gaps) for each in sounds)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        pictures = (self.black, self.still, self.bars, self.slates, self.pauses)
        found: list[tuple[Sequence[Interval], float]] = [(each, 0.0) for each in pictures]
        sounds: list[AudioMeasurement] = [self, *self.additional_audio]
        for sound in sounds:
            lead = -LONGEST_LEAD_SEC
            found += [(sound.silent, lead), (sound.audio_gaps, lead)]
        if not all(_are_in_order(each, begin, self.duration_sec) for each, begin in found):
            raise ValueError("stretches must be in order and within the segment")
        if self.lights_change != sorted(self.lights_change):
            raise ValueError("moments must be in order")
        if any(each.number >= len(self.slate_names or ()) for each in self.slates):
            raise ValueError("a slate must be one that was looked for")
        return self


def nothing_of(tracks: Collection[str], duration_sec: float) -> SegmentMeasurement:
    return SegmentMeasurement(
        duration_sec=duration_sec,
        has_video="video" in tracks,
        has_audio="audio" in tracks,
        is_video_missing=True,
        audio_gaps=[Interval(start=0.0, end=duration_sec)],
    )


def _are_in_order(stretches: Sequence[Interval], begin: float, end: float) -> bool:
    reached = begin
    for stretch in stretches:
        if not reached <= stretch.start <= stretch.end:
            return False
        reached = stretch.end
    return reached <= end
