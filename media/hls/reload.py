"""When to load a live playlist again (RFC 8216 6.3.4), and what to ask for then (8216bis 6.2.5)."""

import math
from collections.abc import Mapping
from urllib.parse import urlencode

from media.hls.pieces import PIECE_SEC, comes_in_pieces
from media.hls.playlist import MediaPlaylist

MIN_RELOAD_SEC = 0.5
LATE_SEC = 0.1
READ_SHARE = 0.1
"""No playlist, however long, takes more of a core than that to be read."""

ROUNDING_SEC = 0.5
"""EXTINF rounded to the nearest integer may reach the target duration (RFC 8216 4.3.3.1)."""


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
    """Return when a request that starts now counts as started, in seconds of a monotonic clock.

    That is when it was due, if that is just past: timers fire a little late, and from request to
    request that would add up. None: nothing was due.
    """
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

SPARE_PARTS = 0.1
"""Parts of 0.33 s are meant to be a third of a second."""

SKIP_SHARE = 0.5
"""A delta update is asked for where it leaves out at least this part of the window."""


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
