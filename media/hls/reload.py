"""When to load a live playlist again (RFC 8216 6.3.4), and what to ask for then (8216bis 6.2.5)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from media.hls.pieces import PIECE_SEC, comes_in_pieces
from media.hls.playlist import MediaPlaylist

MIN_RELOAD_SEC = 0.5
LATE_SEC = 0.1
READ_SHARE = 0.1  # no playlist, however long, takes more of a core than that to be read
ROUNDING_SEC = 0.5  # EXTINF, rounded, may reach the target duration (RFC 8216 4.3.3.1)


def next_reload_delay(
    playlist: MediaPlaylist,
    *,
    changed: bool,
    check_interval_sec: float | None = None,
    read_sec: float = 0.0,
) -> float:
    """Return how long after the *start* of the last request the next one is due, in seconds.

    What the request and the analysis took is part of it, so nothing adds up from round to round.
    At least `MIN_RELOAD_SEC` lies between two starts, and more where the playlist takes long to
    read.

    After a change the interval is the target duration, the least that RFC 8216 6.3.4 allows; after
    no change half of it. That keeps its phase by itself:

    - Segments of exactly the target duration: each look finds one new segment, always equally long
      after its publication. A look that falls on the edge of publication will at times be early;
      then the half interval moves the phase to the middle, where jitter cannot reach, for the
      price of one request.
    - Segments shorter than the target duration (5 s of 6): each look finds one or two. Fewer
      requests than segments, none missed, as a window holds at least three target durations.
    - Segments that exceed it by rounding (2.4 s of 2): looking every 2 s would be early every
      third time. The interval then is the newest segment's duration, which stands for the next.

    So there is about one request a segment, and a segment waits less than one interval to be seen.

    Args:
        changed: whether that load brought a new segment. False also after a load that failed.
        check_interval_sec: the user's own interval; it replaces the rule, except where the window
            is too short for it and segments would leave unseen.
        read_sec: processor time that reading it took.
    """
    interval_sec = _change_interval_sec(playlist)
    if check_interval_sec is not None:
        interval_sec = min(check_interval_sec, _safe_interval_sec(playlist))
    elif not changed:
        interval_sec = playlist.target_duration_sec / 2
    return max(interval_sec, MIN_RELOAD_SEC, read_sec / READ_SHARE)


def counted_start(now: float, due_at: float | None) -> float:
    """Return when a request that starts now counts as started, in seconds of a monotonic clock."""
    # That is when it was due, if that is just past: timers fire a little late, and from request to
    # request that would add up. None: nothing was due.
    return now if due_at is None or not 0 <= now - due_at < LATE_SEC else due_at


def _change_interval_sec(playlist: MediaPlaylist) -> float:
    newest_sec = playlist.segments[-1].duration_sec if playlist.segments else 0
    target_sec = playlist.target_duration_sec
    return min(max(target_sec, newest_sec), target_sec + ROUNDING_SEC)


def _safe_interval_sec(playlist: MediaPlaylist) -> float:
    """Return how long to stay away at most: a target duration less than the window holds."""
    return max(playlist.window_sec - playlist.target_duration_sec, playlist.target_duration_sec)


BLOCKING = "_HLS_msn"
BLOCKING_PART = "_HLS_part"
"""The directives by which a request waits for a segment, or for a part of it."""

SPARE_PARTS = 0.1  # parts of 0.33 s are meant to be a third of a second
SKIP_SHARE = 0.5  # a delta update is asked for where it leaves out at least this part of the window


def delivery_directives(
    playlist: MediaPlaylist, *, age_sec: float, may_block: bool
) -> dict[str, str]:
    """Return the query parameters of the next request for `playlist`, in their order.

    Args:
        age_sec: how long ago that was. 8216bis 6.3.7 has a delta update asked for only within half
            of the skip boundary.
        may_block: whether to wait for the next segment.
    """
    server = playlist.server
    if playlist.ended or not playlist.is_numbered or not playlist.segments:
        return {}
    directives: dict[str, str] = {}
    if may_block and server.can_block_reload:
        directives |= _blocking(playlist)
    kept_sec = server.can_skip_until_sec
    if kept_sec and age_sec <= kept_sec / 2 and kept_sec <= SKIP_SHARE * playlist.window_sec:
        directives["_HLS_skip"] = "YES"
    return directives


def _blocking(playlist: MediaPlaylist) -> dict[str, str]:
    """Ask for the next segment, or of one in parts for as much of it as makes a piece."""
    sequence, parts = playlist.edge
    part_target_sec = playlist.server.part_target_sec
    if part_target_sec is None or not comes_in_pieces(playlist):
        return {BLOCKING: str(sequence)}
    piece_parts = math.ceil(PIECE_SEC / part_target_sec - SPARE_PARTS)
    return {BLOCKING: str(sequence), BLOCKING_PART: str(max(parts - 1, 0) + piece_parts)}


def with_directives(url: str, directives: Mapping[str, str]) -> str:
    if not directives:
        return url
    base, hash_, fragment = url.partition("#")
    joint = "&" if "?" in base else "?"
    return f"{base}{joint}{urlencode(directives)}{hash_}{fragment}"


MARGIN_SEC = 0.1  # from a publication to the request: packagers are not exactly regular
UNSURE_MARGINS = 3.0  # a request that may come this many after a publication is worth a correction
DRIFT_SEC = 0.0005  # what clocks and rounded durations may add from request to request
CALM_LOOKS = 100  # after this many requests without a surprise, half of the margin is tried again
EQUAL_SHARE = 0.01
REGULAR_SEGMENTS = 3
"""This many of the latest segments must last equally long, and as long as the usual interval."""

LEAST_WINDOW = 3  # a later request finds two or three new segments


@dataclass(frozen=True)
class PublicationPhase:
    """Where between two publications the last request fell, as far as it is known.

    A client that asks once a target duration, as RFC 8216 6.3.4 allows, does so always equally long
    after a publication: anywhere between nothing and a whole segment, as it happened to begin.
    Nobody says when segments are published, but each answer tells something: a request that comes
    later than usual finds one new segment or two. So a few later requests halve what is not known,
    until the next one can be made just after a publication. None is ever earlier than the RFC
    allows, and there are fewer of them.
    """

    # since the publication of the newest segment it found
    least_sec: float = 0.0
    most_sec: float = float("inf")
    margin_sec: float = MARGIN_SEC  # that is kept; it doubles after each surprise
    looks: int = 0  # requests since the last surprise

    def after(self, waited_sec: float, new: int, period_sec: float) -> Self:
        """Return what is known after a request that found `new` segments."""
        moved_sec = waited_sec - new * period_sec
        least_sec = max(0.0, self.least_sec + moved_sec)
        most_sec = min(period_sec, self.most_sec + moved_sec + DRIFT_SEC)
        if least_sec > most_sec + self.margin_sec / 2:
            return self._surprised(new, period_sec)
        looks, margin_sec = self.looks + 1, self.margin_sec
        if looks >= CALM_LOOKS and margin_sec > MARGIN_SEC:
            looks, margin_sec = 0, max(MARGIN_SEC, margin_sec / 2)
        least_sec = min(least_sec, most_sec)
        return replace(
            self, least_sec=least_sec, most_sec=most_sec, margin_sec=margin_sec, looks=looks
        )

    def _surprised(self, new: int, period_sec: float) -> Self:
        margin_sec = min(2 * self.margin_sec, period_sec)
        is_early = new == 0  # the next segment is due at any moment
        least_sec = max(0.0, period_sec - self.margin_sec) if is_early else 0.0
        return replace(
            self, least_sec=least_sec, most_sec=period_sec, margin_sec=margin_sec, looks=0
        )

    def later_sec(self, period_sec: float) -> float:
        """Return by how much the next request should be later than usual."""
        if self.margin_sec > period_sec / 4:
            return 0.0  # too irregular to be met
        most_sec = min(self.most_sec, period_sec)
        if most_sec - self.least_sec > self.margin_sec:
            is_good = most_sec <= UNSURE_MARGINS * self.margin_sec
            middle_sec = (self.least_sec + most_sec) / 2
            return 0.0 if is_good and self.looks else period_sec - middle_sec
        if self.margin_sec / 2 <= self.least_sec and most_sec <= UNSURE_MARGINS * self.margin_sec:
            return 0.0
        return (self.margin_sec - self.least_sec) % period_sec


def publication_period_sec(playlist: MediaPlaylist, interval_sec: float) -> float | None:
    """Return the time between two publications; None where it is not the interval of RFC 8216."""
    latest = playlist.segments[-REGULAR_SEGMENTS:]
    if len(latest) < REGULAR_SEGMENTS or not playlist.is_numbered or playlist.partial:
        return None
    if any(abs(it.duration_sec - interval_sec) > EQUAL_SHARE * interval_sec for it in latest):
        return None
    return (
        interval_sec if playlist.window_sec >= (LEAST_WINDOW - EQUAL_SHARE) * interval_sec else None
    )
