"""When to look at a live playlist again (RFC 8216 6.3.4)."""

from media.hls.playlist import MediaPlaylist

MIN_RELOAD_SEC = 0.5
READ_SHARE = 0.1
"""No playlist, however long, takes more of a core than that to be read."""

ROUNDING_SEC = 0.5
"""EXTINF rounded to the nearest integer may reach the target duration (RFC 8216 4.3.3.1)."""


def next_reload_delay(
    playlist: MediaPlaylist,
    *,
    changed: bool,
    elapsed_sec: float,
    check_interval_sec: float | None = None,
    read_sec: float = 0.0,
) -> float:
    """Return how long to wait before the next request, in seconds, at least 0.

    The interval counts from the *start* of the last request: what the request and the analysis
    took is part of it, so nothing adds up from round to round. At least `MIN_RELOAD_SEC` lies
    between two starts, and more where the playlist takes long to read.

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
        playlist: as last loaded.
        changed: whether that load brought a new segment. False also after a load that failed.
        elapsed_sec: since the last request was started.
        check_interval_sec: the user's own interval; it replaces the rule, except where the window
            is too short for it and segments would leave unseen.
        read_sec: processor time that reading it took.
    """
    interval_sec = _change_interval_sec(playlist)
    if check_interval_sec is not None:
        interval_sec = min(check_interval_sec, _safe_interval_sec(playlist))
    elif not changed:
        interval_sec = playlist.target_duration_sec / 2
    least_sec = max(MIN_RELOAD_SEC, read_sec / READ_SHARE)
    return max(max(interval_sec, least_sec) - max(elapsed_sec, 0), 0)


def _change_interval_sec(playlist: MediaPlaylist) -> float:
    newest_sec = playlist.segments[-1].duration_sec if playlist.segments else 0
    target_sec = playlist.target_duration_sec
    return min(max(target_sec, newest_sec), target_sec + ROUNDING_SEC)


def _safe_interval_sec(playlist: MediaPlaylist) -> float:
    """Return how long to stay away at most: a target duration less than the window holds."""
    return max(playlist.window_sec - playlist.target_duration_sec, playlist.target_duration_sec)
