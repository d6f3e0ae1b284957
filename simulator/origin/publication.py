"""What is published and what can happen to it: the words of `simulator.origin.timeline`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class AtEnd(StrEnum):
    """What a channel does after its programme's last segment."""

    LOOP = "loop"
    """Start it again, with EXT-X-DISCONTINUITY."""
    END = "end"
    """Publish EXT-X-ENDLIST."""
    STALL = "stall"
    """Publish nothing more and no EXT-X-ENDLIST: the encoder died."""


class ChangeKind(StrEnum):
    STALL = "stall"
    RESTART = "restart"
    JUMP = "jump"
    END = "end"


class Change(BaseModel):
    """A scripted event of the schedule, before the segment that holds stream time `at_sec`.

    Attributes:
        at_sec: stream time, counted on over loops.
        for_sec: length of a stall.
        catch_up: after a stall publish at once what was held back, instead of going on later.
        by: how far a jump moves the media sequence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ChangeKind
    at_sec: Annotated[float, Field(ge=0)]
    for_sec: Annotated[float, Field(ge=0)] = 0
    catch_up: bool = False
    by: int = 100


@dataclass(frozen=True, slots=True)
class Published:
    """A segment on air.

    Attributes:
        sequence: media sequence number.
        generation: counts restarts; part of the segment's URI.
        run: counts the stretches of unbroken numbering; a playlist shows only one of them.
        index: which segment of the programme.
        stream_sec: stream time of the first frame, counted on over loops.
        captured_at: wall clock of the first frame, unix seconds: EXT-X-PROGRAM-DATE-TIME.
        published_at: when it appeared, unix seconds.
        discontinuities: EXT-X-DISCONTINUITY tags up to and with this segment.
    """

    sequence: int
    generation: int
    run: int
    index: int
    stream_sec: float
    duration_sec: float
    captured_at: float
    published_at: float
    discontinuity: bool
    discontinuities: int


class ChannelOptions(BaseModel):
    """How a channel is published.

    Attributes:
        window_segments: segments in a playlist.
        kept_segments: segments still served after they left the playlist.
        backlog_segments: segments that are there when the channel goes on air.
        program_date_time: whether segments carry their wall clock.
        byte_range: one file per rendition, segments are ranges of it.
        encrypted: segments are encrypted (AES-128), each file by itself.
        by_clock: the DASH manifest names a duration and lists no segments.
        compress: gzip for playlists when the client accepts it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_segments: Annotated[int, Field(ge=1)] = 6
    kept_segments: Annotated[int, Field(ge=0)] = 6
    backlog_segments: Annotated[int, Field(ge=0)] = 3
    program_date_time: bool = True
    byte_range: bool = False
    encrypted: bool = False
    by_clock: bool = False
    compress: bool = True
    at_end: AtEnd = AtEnd.LOOP
    first_sequence: Annotated[int, Field(ge=0)] = 0
