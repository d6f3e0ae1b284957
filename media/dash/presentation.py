"""What a DASH manifest says, as immutable values (ISO/IEC 23009-1, clause 5)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple
from urllib.parse import quote, unquote, urldefrag

from media.dash.xml_document import Element
from media.hls.playlist import ByteRange, Resolution


class Content(StrEnum):
    """What a representation carries."""

    BOTH = "both"
    VIDEO = "video"
    AUDIO = "audio"


class Run(NamedTuple):
    """Segments of equal length, one after the other (`S`, 5.3.9.6), in units of the timescale."""

    start: int | None  # None where it follows from the run before
    duration: int
    repeat: int  # how often the first segment is repeated; below 0 until the next run or the end


@dataclass(frozen=True, slots=True)
class Address:
    """Where some bytes are; `uri` may be a template (5.3.9.4.4)."""

    uri: str
    byte_range: ByteRange | None = None


@dataclass(frozen=True, slots=True)
class Addressing:
    """How the segments of a representation are found (SegmentTemplate, SegmentList)."""

    media: str | None  # the template of their URLs; None with `listed`
    # their addresses one by one (SegmentList), of which the first is `start_number`
    listed: tuple[Address, ...]
    initialization: Address | None
    is_chunked: bool  # whether a segment is there, chunk by chunk, while it is being made
    timescale: int  # units a second
    start_number: int
    end_number: int | None  # of the last one, where that is told
    time_offset: int  # media time at the period's start, in units (`presentationTimeOffset`)
    duration: int | None  # of each segment in units, where there is no `timeline`
    timeline: tuple[Run, ...] | None


@dataclass(frozen=True, slots=True)
class Representation:
    """One encoding of a picture, a sound or both."""

    id: str
    content: Content
    place: int  # of its adaptation set in the period: those of one set can replace each other
    # whether it is part of what most are to see and hear: no commentary, no audio description, no
    # sign language
    is_main: bool
    language: str | None
    bandwidth: int  # bits a second; 0 where it is not told
    resolution: Resolution | None
    codecs: tuple[str, ...]
    # absolute; what its addresses are relative to. Each leads to the same files.
    base_urls: tuple[str, ...]
    # how its segments are found, see `media.dash.addressing`; empty for a file that is no sequence
    # of segments
    described: tuple[Element, ...] = field(repr=False)
    protection: str | None = None  # how it is encrypted (`cenc`, `cbcs`, ...); None where it is not


@dataclass(frozen=True)
class Period:
    """A stretch of the presentation with representations of its own."""

    id: str | None  # the same in each load, no other period's; None where that cannot be told
    # from the presentation's start. Some packagers move it along with the window.
    start_sec: Fraction
    end_sec: Fraction | None  # None for the last one of a live presentation
    # reads `representations`. Of a day of periods only the newest are ever asked for.
    read: Callable[[], tuple[Representation, ...]] = field(repr=False)

    @cached_property
    def representations(self) -> tuple[Representation, ...]:
        """Its pictures and sounds; may raise `PlaylistError`."""
        return self.read()


@dataclass(frozen=True, slots=True)
class Presentation:
    """A manifest."""

    is_live: bool  # whether more may come (`type="dynamic"`)
    # wall clock of the presentation's start; None where it is not told
    available_from: datetime | None
    length_sec: Fraction | None  # after which nothing more comes; None where that is not known yet
    may_grow: bool  # whether `length_sec` may be what there is so far, though it should not be
    window_sec: float | None  # how long segments stay available; None for ever
    # what the manifest says the time is (UTCTiming `direct`); None for our own
    clock: datetime | None
    periods: tuple[Period, ...]


class Track(NamedTuple):
    """A representation as a URL's fragment names it: `video=ID`.

    In a period that has none of that id, the cheapest one with the same content stands for it.
    """

    content: Content
    id: str

    def url(self, manifest_url: str) -> str:
        return f"{urldefrag(manifest_url).url}#{self.content}={quote(self.id, safe='')}"

    @classmethod
    def named_by(cls, url: str) -> "Track | None":
        """Return the track that a URL names; None where it is the whole manifest's."""
        content, equals, name = urldefrag(url).fragment.partition("=")
        if not equals or content not in list(Content):
            return None
        return cls(Content(content), unquote(name))
