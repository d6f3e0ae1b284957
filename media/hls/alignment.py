"""Where to go on in the playlist of another rendition of the same programme."""

from datetime import datetime, timedelta

from media.hls.playlist import MediaPlaylist

MOST_AHEAD = 4  # segments by which one rendition may be later than another of the same numbers
MOST_BEHIND = 32
"""Segments that may have left the window meanwhile, or may still be to come; beyond, numbers and
clocks are taken to be others."""

MOST_MISSED_SEC = 6 * 3600.0  # by the clocks more may have left the window; beyond, one is wrong


def place_after(
    playlist: MediaPlaylist, next_sequence: int, next_starts_at: datetime | None
) -> int | None:
    """Return the media sequence in `playlist` of the first segment that was not seen yet.

    By EXT-X-PROGRAM-DATE-TIME where both tell it, else by the numbers where they are near: those of
    two playlists need not match (RFC 8216 6.3.2), but mostly do. It may lie before the playlist,
    when segments left it unseen, and after it, when it is behind.

    Args:
        next_sequence: the first segment that was not seen, in the numbers of the playlist before.
        next_starts_at: its wall clock, where that is known.

    Returns:
        None where the two cannot be compared.
    """
    first, last = playlist.segments[0], playlist.segments[-1]
    if next_starts_at is not None and first.program_date_time is not None:
        return _place_by_clock(playlist, next_starts_at)
    is_near = first.sequence - MOST_BEHIND <= next_sequence <= last.sequence + MOST_AHEAD
    return next_sequence if is_near else None


def _place_by_clock(playlist: MediaPlaylist, starts_at: datetime) -> int | None:
    clocks = [each.program_date_time for each in playlist.segments if each.program_date_time]
    if len(clocks) < len(playlist.segments):
        return None
    length_sec = playlist.window_sec / len(playlist.segments)
    first = playlist.segments[0].sequence
    before = round((starts_at - clocks[0]).total_seconds() / length_sec)
    if before < 0:
        return first + before if -before <= MOST_MISSED_SEC / length_sec else None
    for segment, clock in zip(playlist.segments, clocks, strict=True):
        if clock >= starts_at - timedelta(seconds=segment.duration_sec / 2):
            return segment.sequence
    last = playlist.segments[-1]
    behind = round((starts_at - clocks[-1]).total_seconds() / length_sec)
    return last.sequence + max(1, behind) if behind <= MOST_BEHIND else None
