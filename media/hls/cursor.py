"""Where a follower is in a live media playlist.

It is small and goes through JSON at any moment: it rides in heartbeats, and another worker goes on
from it. `PlaylistCursor.advance` says what to analyse; only `PlaylistCursor.done` moves past a
segment, so a crash between the two repeats that segment and loses none.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import AwareDatetime, BaseModel, Field

from media.hls.identity import place_after, segment_identity
from media.hls.pieces import last_pieces, unfinished_pieces
from media.hls.playlist import IV_BYTES, Encryption, MediaPlaylist, Segment

JOIN_BACKLOG_SEC = 30.0
REMEMBERED = 32
ALL_PARTS = 1_000_000
SHORT_SHARE = 0.5  # a packager that was started again lists few segments at first
BEGAN_ANEW_SEC = 2.0  # a programme that began earlier or later by more is another one
IMPLAUSIBLE_JUMP = 1_000_000  # no outage misses that many (3 weeks of 2 s): the numbering restarted


@dataclass(frozen=True, slots=True)
class Advance:
    """What a loaded playlist brought."""

    # to be analysed now, in this order; it takes the place of what an earlier `advance` returned
    # and was not `done` yet. Gaps (`Segment.gap`) are among them.
    segments: tuple[Segment, ...]
    missed: int = 0
    missed_sec: float = 0.0  # about how much media that was, in seconds
    # whether a segment is newer than all seen before; what `media.hls.reload` asks
    changed: bool = False
    has_media: bool = False  # whether one of those is more than a gap
    restarted: bool = False
    # whether another rendition is followed from its live edge on, as nothing tells which of its
    # segments were seen of the one before
    rejoined: bool = False


class PlaylistCursor(BaseModel):
    """A position in one media playlist, at most 2 KB as JSON."""

    # first segment that is not done; None before the first segment was seen
    next_sequence: int | None = None
    newest_sequence: int = -1  # last segment seen in any playlist of this programme
    # identities of the newest segments seen, by sequence
    remembered: dict[int, str] = Field(default_factory=dict)
    # wall clock of the end of the newest segment seen, where that is known
    newest_ends_at: AwareDatetime | None = None
    # wall clock of the programme's start, where that was told
    began_at: AwareDatetime | None = None
    # number of the first segment that was listed last, and how many there were
    window: tuple[int, int] = (0, 0)
    parts_done: int = 0  # parts of the first segment that is not done that were measured
    parts_sec: float = 0.0  # how much media these were
    # the server's numbers are not kept by their segments, and count no more
    is_renumbered: bool = False
    # the last load had other identities under the same numbers. Once is a restart, twice running is
    # a server that renames its segments on each request.
    uris_changed: bool = False
    # wall clock of the first segment that is not done, where that is known
    next_starts_at: AwareDatetime | None = None
    switched: bool = False  # the next playlist is that of another rendition

    def numbered(self, playlist: MediaPlaylist) -> MediaPlaylist:
        """Return `playlist` with sequence numbers that go on from those seen before.

        For playlists that tell none, or none to rely on: packagers that always begin with 0 show
        by their first two playlists that they do. Segments that are remembered keep their number,
        and so do their neighbours. Where all are new, as many numbers are left out as segments may
        have been missed. Those without a wall clock go on from the last one that had one. Of a
        programme that restarted nothing is known, and nothing was missed.
        """
        if not playlist.segments:
            return playlist
        self.is_renumbered = self.is_renumbered or self._are_shifted(playlist)
        if playlist.is_numbered and not self.is_renumbered:
            return playlist
        self._note_beginning(playlist)
        first = self._first_number(playlist)
        segments = tuple(
            replace(segment, sequence=number, encryption=_with_iv(segment))
            for number, segment in enumerate(playlist.segments, start=first)
        )
        return replace(
            playlist, media_sequence=first, segments=self._dated(segments), is_numbered=False
        )

    def advance(self, playlist: MediaPlaylist, *, unseen_sec: float = 0.0) -> Advance:
        """Return what `playlist` brought, and remember it.

        The first playlist is joined at its end: at most `JOIN_BACKLOG_SEC` of it, or `unseen_sec`
        if the stream should have been watched for longer; at least one segment. What is no more
        listed of that time was missed. Afterwards every segment counts that is not done. A sequence
        that goes back, or numbers seen before with other URIs, is a restart: the whole window is
        new. But an older playlist whose numbers carry the URIs that are remembered is only stale.
        Two restarts look like something else and are taken for it: to a higher sequence for
        progress (up to `IMPLAUSIBLE_JUMP`), and to remembered numbers under the same names for a
        stale copy, until they exceed the newest one.
        """
        if not playlist.segments:
            return Advance(segments=())
        rejoined = self._go_on_in(playlist) if self.switched else False
        first, last = playlist.segments[0].sequence, playlist.segments[-1].sequence
        identities = _newest_identities(playlist)
        restarted = self._is_restart(first, last, identities) or self._is_short_again(playlist)
        missed = self._begin_anew(first) if restarted else 0
        wanted = self.next_sequence
        if wanted is None:
            wanted = _join_sequence(playlist, unseen_sec)
        self._go_on_from(max(wanted, first))
        missed += max(0, first - wanted)
        changed = last > self.newest_sequence
        new = playlist.segments[max(0, self.newest_sequence + 1 - first) :]
        if changed:
            self.window = first, len(playlist.segments)
        self._remember(identities)
        newest = playlist.segments[-1]
        starts_at, length = newest.program_date_time, timedelta(seconds=newest.duration_sec)
        self.newest_ends_at = starts_at and starts_at + length
        return Advance(
            segments=self.left(playlist),
            missed=missed,
            missed_sec=missed * playlist.window_sec / len(playlist.segments),
            changed=changed,
            has_media=any(not segment.gap for segment in new),
            restarted=restarted,
            rejoined=rejoined,
        )

    def left(self, playlist: MediaPlaylist) -> tuple[Segment, ...]:
        """Return what is not done of `playlist`, the last that `advance` was given."""
        following = self.next_sequence
        if following is None:
            return ()
        return tuple(each for each in playlist.segments if each.sequence >= following)

    def done_of(self, playlist: MediaPlaylist) -> list[Segment]:
        """Return what is done of `playlist`, as far as it surely is the same."""
        following = self.next_sequence or 0
        done = (each for each in playlist.segments if each.sequence < following)
        return [it for it in done if self.remembered.get(it.sequence) == segment_identity(it)]

    def pieces(self, playlist: MediaPlaylist, *, in_parts: bool) -> list[Segment]:
        """Return what is to be measured now of `playlist`, which `advance` was given last.

        The first segment may have been begun in parts; `in_parts` adds what is there of the next
        one.
        """
        left = list(self.left(playlist))
        if left and self.parts_done:
            left[:1] = last_pieces(left[0], parts_done=self.parts_done, done_sec=self.parts_sec)
        if in_parts and self.next_sequence is not None:
            following = left[-1].sequence + 1 if left else self.next_sequence
            if playlist.edge[0] == following:
                left += unfinished_pieces(playlist, parts_done=0 if left else self.parts_done)
        return left

    def done(self, segment: Segment) -> None:
        """Move past `segment`, or a piece of one, which was analysed or given up.

        One that is no longer ahead is ignored: it is of a programme that ended since.
        """
        if self.next_sequence is None:
            return
        if segment.parts_until is not None:
            if segment.sequence == self.next_sequence and segment.parts_until > self.parts_done:
                self.parts_done = segment.parts_until
                self.parts_sec += segment.duration_sec
        elif self.next_sequence <= segment.sequence <= self.newest_sequence:
            self._go_on_from(segment.sequence + 1)
            starts_at, passed_sec = segment.program_date_time, segment.offset_sec
            passed_sec += segment.duration_sec
            self.next_starts_at = starts_at and starts_at + timedelta(seconds=passed_sec)

    def _go_on_from(self, sequence: int) -> None:
        if sequence != self.next_sequence:
            self.parts_done, self.parts_sec = 0, 0.0
        self.next_sequence = sequence

    def moved(self) -> None:
        """Forget URIs, not the position: the playlist is read from another URL from now on.

        To be called when the source was resolved again. Until the next playlist is seen, only a far
        step back counts as a restart.
        """
        self.remembered = {}
        self.window = 0, 0
        self.uris_changed = False

    def switch(self) -> None:
        """Go on in another rendition of the programme, whose numbers may be others."""
        self.moved()
        self.switched, self.is_renumbered = True, False
        if self.parts_done:  # its parts may begin elsewhere
            self.parts_done = ALL_PARTS

    def _go_on_in(self, playlist: MediaPlaylist) -> bool:
        """Take over the numbers of another rendition; tell whether only its live edge is left."""
        self.switched = False
        if self.next_sequence is None:
            return False
        last = playlist.segments[-1].sequence
        place = place_after(playlist, self.next_sequence, self.next_starts_at)
        self._go_on_from(last + 1 if place is None else place)
        self.newest_sequence = self.next_sequence - 1
        return place is None

    def _is_restart(self, first: int, last: int, identities: Mapping[int, str]) -> bool:
        if self.next_sequence is None:
            return False
        if first - self.next_sequence > IMPLAUSIBLE_JUMP:
            return True
        shared = identities.keys() & self.remembered.keys()
        if not shared:
            may_be_stale = not self.remembered and last > self.newest_sequence - REMEMBERED
            return last < self.newest_sequence and not may_be_stale
        had_changed = self.uris_changed
        self.uris_changed = all(identities[key] != self.remembered[key] for key in shared)
        return self.uris_changed and not had_changed

    def _is_short_again(self, playlist: MediaPlaylist) -> bool:
        """Return whether a window that slid goes back and is much shorter: it starts over."""
        # An older copy is as long as a newer one. An EVENT playlist never slides.
        first, listed = self.window
        return playlist.media_sequence < first and len(playlist.segments) <= SHORT_SHARE * listed

    def _are_shifted(self, playlist: MediaPlaylist) -> bool:
        """Return whether remembered segments are listed, and all of them under other numbers."""
        # Names that come again (`-segment_wrap` of ffmpeg) are none of that: there some of them
        # have the number that is remembered.
        if not playlist.is_numbered:
            return False
        listed = _newest_identities(playlist)
        if not listed.keys() & self.remembered.keys():
            return False
        known = {identity: number for number, identity in self.remembered.items()}
        shifts = {known[each] - number for number, each in listed.items() if each in known}
        return len(shifts) == 1 and 0 not in shifts

    def _begin_anew(self, first: int) -> int:
        """Take the whole window as new; return how many old segments were never done."""
        unfinished = max(self.newest_sequence + 1 - (self.next_sequence or 0), 0)
        self.next_sequence = first
        self.parts_done, self.parts_sec = 0, 0.0
        self.newest_sequence = -1
        self.remembered = {}
        return unfinished

    def _note_beginning(self, playlist: MediaPlaylist) -> None:
        began_at, known = playlist.began_at, self.began_at
        if began_at and known and abs((began_at - known).total_seconds()) > BEGAN_ANEW_SEC:
            self.remembered, self.newest_ends_at = {}, None
        self.began_at = began_at or known

    def _first_number(self, playlist: MediaPlaylist) -> int:
        known = {identity: number for number, identity in self.remembered.items()}
        identities = map(segment_identity, playlist.segments)
        firsts = Counter(
            known[each] - place for place, each in enumerate(identities) if each in known
        )
        if firsts:  # a name may come again, so that a few segments imply another number
            return max(firsts, key=lambda first: (firsts[first], first))
        return self.newest_sequence + 1 + self._missed_before(playlist)

    def _dated(self, segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
        """Give segments without a wall clock the one that follows from those seen before."""
        # A DASH manifest that turns static tells no more when its segments were.
        if self.newest_ends_at is None:
            return segments
        known_sec = sum(
            each.duration_sec for each in segments if each.sequence <= self.newest_sequence
        )
        starts_at, dated = self.newest_ends_at - timedelta(seconds=known_sec), []
        for segment in segments:
            dated.append(replace(segment, program_date_time=segment.program_date_time or starts_at))
            starts_at += timedelta(seconds=segment.duration_sec)
        return tuple(dated)

    def _missed_before(self, playlist: MediaPlaylist) -> int:
        """Return about how many segments lie between the newest one seen and a playlist."""
        # Below 0 where it begins before that; but if its segments were known, they would have been
        # recognised.
        starts_at = playlist.segments[0].program_date_time
        if starts_at is None or self.newest_ends_at is None:
            return 0
        gap_sec = (starts_at - self.newest_ends_at).total_seconds()
        missed = round(gap_sec / playlist.window_sec * len(playlist.segments))
        least = 0 if self.remembered else -1 - self.newest_sequence
        return min(max(least, missed), IMPLAUSIBLE_JUMP - 1)

    def _remember(self, identities: Mapping[int, str]) -> None:
        known = {**self.remembered, **identities}
        self.remembered = {key: known[key] for key in sorted(known)[-REMEMBERED:]}
        self.newest_sequence = max(self.newest_sequence, *identities)


def _with_iv(segment: Segment) -> Encryption | None:
    """Return the encryption with the IV that the server's own number means (RFC 8216 5.2)."""
    key = segment.encryption
    if key is None or key.iv is not None:
        return key
    return replace(key, iv=segment.sequence.to_bytes(IV_BYTES, "big"))


def _newest_identities(playlist: MediaPlaylist) -> dict[int, str]:
    return {
        segment.sequence: segment_identity(segment) for segment in playlist.segments[-REMEMBERED:]
    }


def _join_sequence(playlist: MediaPlaylist, unseen_sec: float) -> int:
    """Return the first segment to be analysed; one before the window has been missed."""
    segment_sec = playlist.window_sec / len(playlist.segments)
    unlisted = int((unseen_sec - playlist.window_sec) / segment_sec) if segment_sec else 0
    if playlist.is_numbered:
        unlisted = min(unlisted, playlist.segments[0].sequence)
    if unlisted > 0:
        return playlist.segments[0].sequence - min(unlisted, IMPLAUSIBLE_JUMP)
    backlog_sec = 0.0
    joined = playlist.segments[-1].sequence
    for segment in reversed(playlist.segments):
        backlog_sec += segment.duration_sec
        if backlog_sec > max(JOIN_BACKLOG_SEC, unseen_sec):
            break
        joined = segment.sequence
    return joined
