"""The tags of media playlists (RFC 8216 4.3.2, 4.3.3)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from media.hls.errors import ChannelList, MalformedPlaylist, PlaylistTooLarge, UnsupportedPlaylist
from media.hls.playlist import (
    PARTED_SEGMENTS,
    ByteRange,
    InitSegment,
    MediaPlaylist,
    Part,
    Segment,
    ServerControl,
)
from media.hls.segment_drafts import (
    KeyReader,
    PartReader,
    SegmentDraft,
    date_drafts,
    finish_drafts,
    is_sane_duration,
)
from media.hls.tags import (
    MAX_INTEGER,
    Line,
    UriResolver,
    attribute_list,
    byte_range,
    date_time,
    decimal,
    integer,
    media_sequence,
    read_lines,
    tag_pattern,
)
from media.hls.variables import Variables
from media.hls.window import TAIL_SEGMENTS, lasting_lines, sum_up, tail_start

MAX_SEGMENTS = 20_000
MIN_TARGET_SEC = 1.0
MAX_TARGET_SEC = 60.0
DEFAULT_TARGET_SEC = 6.0  # where nothing tells; what Apple's authoring guide recommends
MEDIA_TAG = tag_pattern(
    "EXTINF", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-BYTERANGE", "EXT-X-ENDLIST"
)
"""Tags that only media playlists have."""


def parse_media(
    text: str, start: int, base_url: str, variables: Variables, previous: MediaPlaylist | None
) -> MediaPlaylist:
    """Read a media playlist, which begins at `start` of `text`."""
    reader = _MediaReader(base_url, variables, previous)
    tail = tail_start(text)
    if tail:
        for line in lasting_lines(text, tail):
            reader.read(line)
        head = sum_up(text, tail)
        reader.leave_out(head.segments, head.ends_at, head.range_end)
    for line in read_lines(text, tail or start):
        reader.read(line)
    return reader.playlist()


class _MediaReader:
    """Gathers what the lines say. Its methods are named after the tags that they read."""

    def __init__(self, base_url: str, variables: Variables, previous: MediaPlaylist | None) -> None:
        self._base_url = base_url
        self._uris = UriResolver()
        self._variables = variables
        self._previous = previous
        self._target_sec: float | None = None
        self._media_sequence = 0
        self._discontinuity_sequence = 0
        self._discontinuities = 0
        self._ended = False
        self._server = ServerControl()
        self._init: InitSegment | None = None
        self._keys = KeyReader(base_url, self._uris)
        self._known: tuple[Segment, ...] = ()
        self._left_out = 0
        self._starts_at: datetime | None = None
        self._range_end = 0
        self._drafts: list[SegmentDraft] = []
        self._next = SegmentDraft()
        self._has_extinf = False
        self._has_header = False
        self._is_channel_list = True
        self._byte_range_text: str | None = None
        self._parts = PartReader(base_url, self._uris)
        self._tags: Mapping[str, Callable[[str], None]] = {
            "EXT-X-DEFINE": self.ext_x_define,
            "EXT-X-TARGETDURATION": self.ext_x_targetduration,
            "EXT-X-MEDIA-SEQUENCE": self.ext_x_media_sequence,
            "EXT-X-DISCONTINUITY-SEQUENCE": self.ext_x_discontinuity_sequence,
            "EXT-X-SERVER-CONTROL": self.ext_x_server_control,
            "EXT-X-SKIP": self.ext_x_skip,
            "EXT-X-PART-INF": self.ext_x_part_inf,
            "EXT-X-PART": self.ext_x_part,
            "EXT-X-ENDLIST": self.ext_x_endlist,
            "EXTINF": self.extinf,
            "EXT-X-BYTERANGE": self.ext_x_byterange,
            "EXT-X-DISCONTINUITY": self.ext_x_discontinuity,
            "EXT-X-GAP": self.ext_x_gap,
            "EXT-X-PROGRAM-DATE-TIME": self.ext_x_program_date_time,
            "EXT-X-KEY": self.ext_x_key,
            "EXT-X-MAP": self.ext_x_map,
        }

    def read(self, line: Line) -> None:
        """Take in one line; a tag that is not known is ignored (RFC 8216 6.3.1)."""
        if line.tag is None:
            self._uri(line.value)
        elif tag := self._tags.get(line.tag):
            tag(line.value)

    def leave_out(self, segments: int, ends_at: datetime | None, range_end: int) -> None:
        """Go on behind `segments` that count, and are not needed."""
        self._left_out += segments
        self._starts_at, self._range_end = ends_at, range_end
        self._next = SegmentDraft()
        self._parts.take()

    def playlist(self) -> MediaPlaylist:
        first = self._media_sequence + self._left_out
        if first + len(self._drafts) > MAX_INTEGER:
            raise MalformedPlaylist("EXT-X-MEDIA-SEQUENCE leaves no room for the segments")
        if self._drafts and self._is_channel_list and not self._has_header:
            raise ChannelList(
                "expected the HLS playlist of a stream, got a list of channels (M3U with EXTINF"
                " of -1): use the URL of one of them"
            )
        target_sec, count = self._sane_target_sec(), len(self._drafts)
        drafts = [*self._drafts, *self._partial()]
        date_drafts(drafts, self._starts_at)
        finished = finish_drafts(
            drafts,
            first_sequence=first,
            first_discontinuity=self._discontinuity_sequence,
            target_sec=target_sec,
        )
        segments = (*self._known, *finished[:count])[-TAIL_SEGMENTS:]
        return MediaPlaylist(
            target_duration_sec=target_sec,
            media_sequence=segments[0].sequence if segments else first,
            segments=segments,
            discontinuity_sequence=self._discontinuity_sequence,
            ended=self._ended,
            server=self._server,
            partial=next(iter(finished[count:]), None),
        )

    def ext_x_define(self, value: str) -> None:
        """8216bis 4.4.2.3."""
        self._variables.define(attribute_list(value))

    def ext_x_targetduration(self, value: str) -> None:
        """RFC 8216 4.3.3.1. Servers write decimals too."""
        self._target_sec = decimal(value) or self._target_sec
        self._has_header = True

    def ext_x_media_sequence(self, value: str) -> None:
        """RFC 8216 4.3.3.2."""
        self._media_sequence = media_sequence(value)
        self._has_header = True

    def ext_x_discontinuity_sequence(self, value: str) -> None:
        """RFC 8216 4.3.3.3. It only aligns renditions: unreadable is 0."""
        self._discontinuity_sequence = integer(value) or 0

    def ext_x_server_control(self, value: str) -> None:
        """8216bis 4.4.3.8."""
        attributes = attribute_list(value)
        self._server = replace(
            self._server,
            can_skip_until_sec=decimal(attributes.get("CAN-SKIP-UNTIL", "")) or None,
            can_block_reload=attributes.get("CAN-BLOCK-RELOAD") == "YES",
        )

    def ext_x_part_inf(self, value: str) -> None:
        """8216bis 4.4.3.7."""
        target_sec = decimal(attribute_list(value).get("PART-TARGET", "")) or None
        self._server = replace(self._server, part_target_sec=target_sec)

    def ext_x_part(self, value: str) -> None:
        """8216bis 4.4.4.9."""
        self._parts.read(self._variables.attributes(value))

    def ext_x_skip(self, value: str) -> None:
        """8216bis 4.4.5.2: what is left out is as it was, and what held on at its end holds on."""
        skipped = integer(attribute_list(value).get("SKIPPED-SEGMENTS", ""))
        first, last = self._media_sequence, self._media_sequence + (skipped or 0) - 1
        known = self._previous.between(first, last) if self._previous else ()
        if not skipped or not known:
            raise UnsupportedPlaylist("a delta update came (EXT-X-SKIP) of what is not known")
        self._known, newest = known, known[-1]
        self._init = newest.init
        self._keys.hold(newest.encryption)
        self._discontinuities = newest.discontinuity_sequence - self._discontinuity_sequence
        self.leave_out(skipped, newest.ends_at, newest.byte_range.end if newest.byte_range else 0)

    def ext_x_endlist(self, _: str) -> None:
        """RFC 8216 4.3.3.4."""
        self._ended = True

    def extinf(self, value: str) -> None:
        """RFC 8216 4.3.2.1. An absurd duration marks its segment, which still has its number."""
        duration_text = value.partition(",")[0].strip()
        duration_sec = decimal(duration_text)
        sane = duration_sec is not None and is_sane_duration(duration_sec)
        self._next.duration_sec = duration_sec if sane else None
        self._is_channel_list &= duration_text.startswith("-1")
        self._has_extinf = True

    def ext_x_byterange(self, value: str) -> None:
        """RFC 8216 4.3.2.2. What it means depends on the URI, which comes later."""
        self._byte_range_text = value

    def ext_x_discontinuity(self, _: str) -> None:
        """RFC 8216 4.3.2.3."""
        self._next.discontinuity = True
        self._discontinuities += 1

    def ext_x_gap(self, _: str) -> None:
        """8216bis 4.4.4.7."""
        self._next.gap = True

    def ext_x_program_date_time(self, value: str) -> None:
        """RFC 8216 4.3.2.6."""
        self._next.program_date_time = date_time(value)

    def ext_x_key(self, value: str) -> None:
        """RFC 8216 4.3.2.4."""
        self._keys.read(self._variables.attributes(value))

    def ext_x_map(self, value: str) -> None:
        """RFC 8216 4.3.2.5."""
        attributes = self._variables.attributes(value)
        uri, range_text = attributes.get("URI"), attributes.get("BYTERANGE")
        if not uri:
            raise MalformedPlaylist("EXT-X-MAP names no URI")
        self._init = InitSegment(
            uri=self._uris.resolve(self._base_url, uri),
            byte_range=byte_range("BYTERANGE of EXT-X-MAP", range_text, implicit_offset=0)
            if range_text
            else None,
            encryption=self._keys.current,
        )

    def _uri(self, value: str) -> None:
        """Complete a segment; a URI without EXTINF is not a whole one and is left out."""
        parts = self._parts.take()
        draft, self._next = self._next, SegmentDraft()
        range_text, self._byte_range_text = self._byte_range_text, None
        if not self._has_extinf:
            return
        self._has_extinf = False
        if len(self._drafts) >= MAX_SEGMENTS:
            raise PlaylistTooLarge(f"the playlist has more than {MAX_SEGMENTS} segments")
        draft.uri = self._uris.resolve(self._base_url, self._variables.expand(value))
        self._complete(draft, parts)
        if range_text is not None:
            draft.byte_range = self._byte_range(range_text)
        self._drafts.append(draft)
        if len(self._drafts) > PARTED_SEGMENTS:
            self._drafts[-1 - PARTED_SEGMENTS].parts = ()

    def _complete(self, draft: SegmentDraft, parts: tuple[Part, ...]) -> None:
        draft.init = self._init
        draft.encryption = self._keys.current
        draft.discontinuities = self._discontinuities
        draft.parts = parts

    def _partial(self) -> list[SegmentDraft]:
        """Return what is there of the next segment: the parts behind the last one."""
        parts, draft = self._parts.take(), self._next
        if not parts or self._ended:
            return []
        draft.duration_sec = sum(part.duration_sec for part in parts)
        self._complete(draft, parts)
        return [draft]

    def _byte_range(self, text: str) -> ByteRange:
        """Read a range; one without a beginning goes on where the last one ended, else at 0."""
        # RFC 8216 4.3.2.2 allows that within one resource only. Players do not look at the URI.
        found = byte_range("EXT-X-BYTERANGE", text, implicit_offset=self._range_end)
        self._range_end = found.end
        return found

    def _sane_target_sec(self) -> float:
        longest_sec = max((draft.duration_sec or 0 for draft in self._drafts), default=0)
        target_sec = self._target_sec or longest_sec or DEFAULT_TARGET_SEC
        return min(max(target_sec, MIN_TARGET_SEC), MAX_TARGET_SEC)
