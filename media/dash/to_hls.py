"""From a manifest's text to the HLS playlist that would say the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from media.dash.addressing import addressing, fill
from media.dash.mpd_parser import parse_manifest
from media.dash.presentation import Address, Addressing, Period, Presentation, Representation, Track
from media.dash.segment_timeline import MOST_SEGMENTS, Clock, SegmentSpan, spans
from media.dash.variants import master_playlist, preference
from media.hls.errors import MalformedPlaylist, PlaylistTooLarge
from media.hls.media_parser import MAX_TARGET_SEC, MIN_TARGET_SEC
from media.hls.playlist import Encryption, InitSegment, MasterPlaylist, MediaPlaylist, Segment
from media.hls.segment_drafts import MAX_DURATION_SEC
from media.hls.tags import UriResolver

MAX_URL_CHARS = 2_048
STILL_GROWING_SEC = 90.0  # a length told with each segment is final when none came for so long


class TrackPlaylist(NamedTuple):
    """A track's segments."""

    playlist: MediaPlaylist
    # how many of them, from the first, there are for sure; that the rest exists follows from the
    # clock alone
    told: int
    is_chunked: bool = False  # whether the others exist before they are whole, as chunks are added
    # whether the last one is not due yet: if it exists, those before it are whole
    is_ahead: bool = False


def read_manifest(
    text: str, final_url: str, *, url: str, now: datetime
) -> MasterPlaylist | TrackPlaylist:
    """Return the representations as a master playlist, or the segments of one of them.

    Time and memory are linear in the text: at worst 1 µs and 70 bytes a character.

    Args:
        final_url: where it came from in the end, after redirects.
        url: as it was asked for; its fragment names a `Track`.
    """
    presentation = parse_manifest(text, final_url)
    track = Track.named_by(url)
    if track is None:
        return master_playlist(presentation, url)
    return track_playlist(presentation, track, now)


def track_playlist(presentation: Presentation, track: Track, now: datetime) -> TrackPlaylist:
    """Return the segments of a track that are available now, of all periods.

    Their numbers are no media sequence numbers yet: `PlaylistCursor.numbered` makes them so.
    """
    segments: list[Segment] = []
    told, is_chunked, is_ahead = 0, False, False
    for new, found in _newest(presentation, track, now):
        for place, span in enumerate(found):
            begins_period = place == 0 and bool(segments)
            segments.append(new.segment(span, number=len(segments), begins_period=begins_period))
            told = len(segments) if span.is_told else told
            is_chunked, is_ahead = new.addressing.is_chunked, span.is_ahead
    longest_sec = max((it.duration_sec for it in segments), default=0.0)
    playlist = MediaPlaylist(
        target_duration_sec=min(max(longest_sec, MIN_TARGET_SEC), MAX_TARGET_SEC),
        media_sequence=0,
        segments=tuple(segments),
        ended=_has_ended(presentation, now),
        is_numbered=False,
        began_at=presentation.available_from,
    )
    return TrackPlaylist(playlist, told, is_chunked, is_ahead)


def _newest(
    presentation: Presentation, track: Track, now: datetime
) -> list[tuple["_PeriodSegments", list[SegmentSpan]]]:
    """Return what each period has of the newest `MOST_SEGMENTS` of them all, oldest first."""
    newest: list[tuple[_PeriodSegments, list[SegmentSpan]]] = []
    room, uris = MOST_SEGMENTS, UriResolver()
    for period in reversed(presentation.periods):
        if not room:
            break
        chosen = _chosen(period, track)
        if chosen and chosen.described:
            how = addressing(chosen.described)
            found = spans(how, period, _clock(presentation, period, now))[-room:]
            room -= len(found)
            newest.append((_PeriodSegments(presentation, period, chosen, how, uris), found))
    return newest[::-1]


def _chosen(period: Period, track: Track) -> Representation | None:
    alike = [it for it in period.representations if it.content is track.content]
    same = [it for it in alike if it.id == track.id]
    return min(same or alike, key=preference, default=None)


def _clock(presentation: Presentation, period: Period, now: datetime) -> Clock:
    if not presentation.is_live or presentation.available_from is None:
        return Clock(now_sec=None, window_sec=None)
    now = presentation.clock or now
    since_start = Fraction((now - presentation.available_from) / timedelta(microseconds=1))
    return Clock(since_start / 1_000_000 - period.start_sec, presentation.window_sec)


def _has_ended(presentation: Presentation, now: datetime) -> bool:
    if not presentation.is_live:
        return True
    if presentation.length_sec is None or presentation.available_from is None:
        return False
    ends_at = presentation.available_from + timedelta(seconds=float(presentation.length_sec))
    patience_sec = STILL_GROWING_SEC if presentation.may_grow else 0
    return (presentation.clock or now) >= ends_at + timedelta(seconds=patience_sec)


@dataclass(frozen=True)
class _PeriodSegments:
    """The segments of a representation in a period."""

    presentation: Presentation
    period: Period
    chosen: Representation
    addressing: Addressing
    uris: UriResolver

    def segment(self, span: SegmentSpan, *, number: int, begins_period: bool) -> Segment:
        """Return a segment; `number` is its place in the playlist."""
        media, protection = self._media(span), self.chosen.protection
        duration_sec = span.duration / self.addressing.timescale
        if duration_sec > MAX_DURATION_SEC:
            raise MalformedPlaylist(f"a segment is said to last {duration_sec:g} s")
        uri, *mirrors = self._urls(media, span)
        return Segment(
            uri=uri,
            mirrors=tuple(mirrors),
            sequence=number,
            duration_sec=duration_sec,
            byte_range=media.byte_range,
            init=self._init,
            program_date_time=self._wall_clock(span),
            discontinuity=begins_period,
            encryption=Encryption(protection, uri=None) if protection else None,
            name=self._name(span),
            may_grow=not span.is_told or self.addressing.is_chunked,
        )

    def _media(self, span: SegmentSpan) -> Address:
        listed, index = self.addressing.listed, span.number - self.addressing.start_number
        if self.addressing.media is not None:
            return Address(self.addressing.media)
        if index >= len(listed):
            raise MalformedPlaylist("SegmentTimeline names more segments than SegmentList")
        return listed[index]

    @cached_property
    def _init(self) -> InitSegment | None:
        init = self.addressing.initialization
        if init is None:
            return None
        uri, *mirrors = self._urls(init, SegmentSpan(number=0, start=0, duration=0, is_told=True))
        return InitSegment(
            uri=uri,
            mirrors=tuple(mirrors),
            byte_range=init.byte_range,
            encryption=None,  # Common encryption leaves it as it is.
        )

    def _urls(self, address: Address, span: SegmentSpan) -> list[str]:
        uri = fill(
            address.uri,
            representation=self.chosen.id,
            bandwidth=self.chosen.bandwidth,
            number=span.number,
            time=span.start,
        )
        urls = [self.uris.resolve(base_url, uri) for base_url in self.chosen.base_urls]
        if max(map(len, urls)) > MAX_URL_CHARS:
            raise PlaylistTooLarge(f"a segment's URL has over {MAX_URL_CHARS} characters")
        return urls

    def _wall_clock(self, span: SegmentSpan) -> datetime | None:
        start = self.presentation.available_from
        if start is None:
            return None
        media_sec = Fraction(span.start - self.addressing.time_offset, self.addressing.timescale)
        try:
            return start + timedelta(seconds=float(self.period.start_sec + media_sec))
        except OverflowError:
            return None

    def _name(self, span: SegmentSpan) -> str:
        """Name a segment by what stays the same while the window, or even its period, moves on."""
        # A list without times tells nothing but addresses: those are the names
        # (`segment_identity`).
        if self.addressing.timeline is not None:
            place = f"{span.start}/{self.addressing.timescale}"
        elif self.addressing.media is not None:
            place = f"#{span.number}"
        else:
            return ""
        return f"{self.period.id or self.period.start_sec} {place}"
