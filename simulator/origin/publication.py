"""What is published and what can happen to it: the words of `simulator.origin.timeline`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field


class AtEnd(StrEnum):
    """What a channel does after its programme's last segment."""

    LOOP = "loop"  # start it again, with EXT-X-DISCONTINUITY
    END = "end"  # publish EXT-X-ENDLIST
    STALL = "stall"  # publish nothing more and no EXT-X-ENDLIST: the encoder died


class ChangeKind(StrEnum):
    STALL = "stall"
    RESTART = "restart"
    JUMP = "jump"
    END = "end"


class Change(BaseModel, frozen=True, extra="forbid"):
    """A scripted event of the schedule, before the segment that holds stream time `at_sec`."""

    kind: ChangeKind
    at_sec: Annotated[float, Field(ge=0)]  # stream time, counted on over loops
    for_sec: Annotated[float, Field(ge=0)] = 0  # length of a stall
    # after a stall publish at once what was held back, instead of going on later
    catch_up: bool = False
    by: int = 100  # how far a jump moves the media sequence


@dataclass(frozen=True, slots=True)
class Published:
    """A segment on air."""

    sequence: int
    generation: int  # counts restarts; part of the segment's URI
    run: int  # counts the stretches of unbroken numbering; a playlist shows only one of them
    index: int  # which segment of the programme
    stream_sec: float  # stream time of the first frame, counted on over loops
    duration_sec: float
    captured_at: float  # wall clock of the first frame, unix seconds: EXT-X-PROGRAM-DATE-TIME
    published_at: float  # when it appeared, unix seconds
    discontinuity: bool
    discontinuities: int  # EXT-X-DISCONTINUITY tags up to and with this segment


class ChannelOptions(BaseModel, frozen=True, extra="forbid"):
    """How a channel is published."""

    window_segments: Annotated[int, Field(ge=1)] = 6
    # segments still served after they left the playlist
    kept_segments: Annotated[int, Field(ge=0)] = 6
    # segments that are there when the channel goes on air
    backlog_segments: Annotated[int, Field(ge=0)] = 3
    program_date_time: bool = True  # whether segments carry their wall clock
    byte_range: bool = False  # one file per rendition, segments are ranges of it
    encrypted: bool = False  # segments are encrypted (AES-128), each file by itself
    by_clock: bool = False  # the DASH manifest names a duration and lists no segments
    compress: bool = True  # gzip for playlists when the client accepts it
    at_end: AtEnd = AtEnd.LOOP
    first_sequence: Annotated[int, Field(ge=0)] = 0
