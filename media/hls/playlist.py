"""What a playlist says, as immutable values."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from media.codecs import undecodable_codec

IV_BYTES = 16
PARTED_SEGMENTS = 3  # parts of older ones are of no use: 8216bis 6.2.2 has them removed


class ByteRange(NamedTuple):
    """A part of a resource, in bytes (RFC 8216 4.3.2.2)."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


class Resolution(NamedTuple):
    """In pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a segment is encrypted (RFC 8216 4.3.2.4); absent where it is not."""

    method: str
    uri: str | None  # where the key is, absolute; None where the playlist names none
    # 16 bytes; None means the segment's media sequence, big-endian (RFC 8216 5.2)
    iv: bytes | None = None
    # `identity` is a plain key of 16 bytes; anything else is a DRM system
    key_format: str = "identity"


@dataclass(frozen=True, slots=True)
class InitSegment:
    """What a decoder needs before a segment (EXT-X-MAP, RFC 8216 4.3.2.5)."""

    uri: str
    byte_range: ByteRange | None = None
    encryption: Encryption | None = None
    mirrors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a segment that is published before the whole (EXT-X-PART, 8216bis 4.4.4.9)."""

    uri: str
    duration_sec: float
    byte_range: ByteRange | None = None
    independent: bool = False
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment, or a piece of one (`media.hls.pieces`)."""

    # absolute URL; where the playlist's text is no URL, that text as it stands, so that only this
    # segment fails
    uri: str
    sequence: int
    duration_sec: float  # EXTINF, above 0 and at most an hour
    discontinuity_sequence: int = 0
    # False where EXTINF is absurd; `duration_sec` then is the playlist's target duration
    duration_declared: bool = True
    byte_range: ByteRange | None = None
    init: InitSegment | None = None  # to be put before the segment's own bytes
    # aware wall clock of the first moment, declared or extrapolated; None where the playlist does
    # not tell
    program_date_time: datetime | None = None
    discontinuity: bool = False  # whether encoding, tracks or timestamps may change at its start
    # whether it is known to be missing (EXT-X-GAP, 8216bis 4.4.4.7); do not fetch it
    gap: bool = False
    encryption: Encryption | None = None
    name: str = ""  # tells it apart from the other segments, where its URI may not
    mirrors: tuple[str, ...] = ()  # further absolute URLs of the same bytes
    # of which it consists, as far as the playlist tells; of a piece those to be fetched
    parts: tuple[Part, ...] = ()
    offset_sec: float = 0.0  # of a piece, from the first moment of its segment
    # of a piece that is not the last: parts of its segment up to its end
    parts_until: int | None = None
    # whether its file may still be written to: nothing but the clock says it is whole
    may_grow: bool = False

    @property
    def is_piece(self) -> bool:
        return self.offset_sec > 0 or self.parts_until is not None

    @property
    def ends_at(self) -> datetime | None:
        """Wall clock of its end, where the playlist tells how long it is."""
        if self.program_date_time is None or not self.duration_declared:
            return None
        return self.program_date_time + timedelta(seconds=self.duration_sec)


@dataclass(frozen=True, slots=True)
class ServerControl:
    """What a server offers to those who load a playlist again and again (8216bis 4.4.3.8)."""

    # a delta update leaves out what is further than that from the end; None where there is none
    can_skip_until_sec: float | None = None
    can_block_reload: bool = False  # a request may wait for what is not published yet
    # longest duration of a part (EXT-X-PART-INF, 8216bis 4.4.3.7); None where there are none
    part_target_sec: float | None = None


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """The last segments of one rendition, oldest first, with consecutive sequence numbers."""

    target_duration_sec: float  # 1 to 60: declared, or made from the segments where it is not
    media_sequence: int  # number of the first of `segments`, also where there is none yet
    segments: tuple[Segment, ...]  # the newest ones, of a large window not all (`media.hls.window`)
    discontinuity_sequence: int = 0
    ended: bool = False
    # whether the sequence numbers are those of the server, the same in each load
    is_numbered: bool = True
    # wall clock of the programme's start, where that is told. With another one the names of
    # segments start over, too.
    began_at: datetime | None = None
    server: ServerControl = ServerControl()
    partial: Segment | None = None

    @property
    def with_partial(self) -> tuple[Segment, ...]:
        return (*self.segments, self.partial) if self.partial else self.segments

    @property
    def edge(self) -> tuple[int, int]:
        """Number of the segment that comes next, and how many parts of it are published."""
        following = self.media_sequence + len(self.segments)
        return following, len(self.partial.parts) if self.partial else 0

    @property
    def window_sec(self) -> float:
        return sum(segment.duration_sec for segment in self.segments)

    def between(self, first: int, last: int) -> tuple[Segment, ...]:
        """Return the segments from `first` to `last`; none where the latter is not among them."""
        begin, end = max(0, first - self.media_sequence), last - self.media_sequence + 1
        return self.segments[begin:end] if 0 < end <= len(self.segments) else ()


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to play the whole stream (EXT-X-STREAM-INF, RFC 8216 4.3.4.2)."""

    uri: str
    bandwidth: int  # peak bits per second, its renditions included; 0 where it is not told
    resolution: Resolution | None = None
    codecs: tuple[str, ...] = ()  # RFC 6381 names; empty where they are not told
    audio_group: str | None = None  # `group_id` of its audio renditions; None where there are none
    # how it is encrypted, where the master playlist or manifest tells (`cenc`, `cbcs`, ...)
    protection: str | None = None

    @property
    def is_measurable(self) -> bool:
        """Whether it can be decoded, as far as is told."""
        return self.protection is None and undecodable_codec(self.codecs) is None


@dataclass(frozen=True, slots=True)
class Rendition:
    """An audio track of its own (EXT-X-MEDIA of type AUDIO, RFC 8216 4.3.4.1)."""

    group_id: str
    name: str
    uri: str | None = None  # its media playlist, absolute; None where it is muxed into the variants
    language: str | None = None
    default: bool = False
    autoselect: bool = False
    codecs: tuple[str, ...] = ()
    protection: str | None = None
    # names what is the same sound at another bit rate (a DASH AdaptationSet); empty where each
    # rendition is another one
    same_as: str = ""


@dataclass(frozen=True, slots=True)
class MasterPlaylist:
    """The variants of a stream in the playlist's order. Trick-play variants are left out."""

    variants: tuple[Variant, ...]
    renditions: tuple[Rendition, ...] = ()
