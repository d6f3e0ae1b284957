"""What makes two listings the same segment, the same rendition, or one place in a programme."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from os.path import commonprefix
from urllib.parse import urlsplit

from media.hls.playlist import MediaPlaylist, Segment

_DIGEST_BYTES = 4


def segment_identity(segment: Segment) -> str:
    """Return 8 hex digits that stay the same while a segment is listed.

    They come from the URI's path and the byte range. What may change between two loads is left
    out: the host (any of a CDN's), the query and path parts like `hdntl=...` (tokens). YouTube puts
    tokens between plain path parts: there the broadcast (`/id/VIDEO.N/`) and the segment's number
    (`/sq/N/`) count, which also outlive a new resolution of the same video. A segment that has a
    name goes by that alone.
    """
    return _digest(segment.name or _name(segment))


def rendition_identities(urls: Sequence[tuple[str, str | None]]) -> list[str]:
    """Return for each rendition what stays the same in each load of its master playlist.

    It comes from the paths, without tokens and without what all paths begin with: that may be the
    number of a session. Of YouTube's paths the format counts, of a DASH manifest the fragment,
    which names the representation. Equal ones are numbered in their order.

    Args:
        urls: of each media playlist, and of its sound where that comes apart; in the order of the
            master playlist.
    """
    names = [[_playlist_name(url) for url in pair if url] for pair in urls]
    shared = len(commonprefix([name for pair in names for name in pair[:1]]))  # noqa: RUF071  # a number may end within a part
    identities: list[str] = []
    known: Counter[str] = Counter()
    for main, *sound in names:
        name = "\n".join(each[shared:] for each in (main, *sound))
        known[name] += 1
        identities.append(_digest(f"{name}\n{known[name]}"))
    return identities


def _digest(name: str) -> str:
    return hashlib.blake2s(name.encode(errors="replace"), digest_size=_DIGEST_BYTES).hexdigest()


def _playlist_name(url: str) -> str:
    parts = [part for part in _path(url).split("/") if "=" not in part]
    format_id = _part_after("itag", parts) if "hls_playlist" in parts else None
    return format_id or "/".join([*parts, url.partition("#")[2]])


def _name(segment: Segment) -> str:
    parts = [part for part in _path(segment.uri).split("/") if "=" not in part]
    name = _youtube_name(parts) or "/".join(parts)
    return f"{name}@{segment.byte_range.offset}" if segment.byte_range else name


def _path(uri: str) -> str:
    try:
        return urlsplit(uri).path
    except ValueError:
        return uri


def _youtube_name(parts: list[str]) -> str | None:
    if "videoplayback" not in parts:
        return None
    broadcast, number = _part_after("id", parts), _part_after("sq", parts)
    return f"{broadcast}/{number}" if broadcast and number else None


def _part_after(name: str, parts: list[str]) -> str | None:
    following = parts.index(name) + 1 if name in parts else len(parts)
    return parts[following] if following < len(parts) else None


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
    when segments left it unseen, and after it, when it is behind. None where the two cannot be
    compared.

    Args:
        next_sequence: the first segment that was not seen, in the numbers of the playlist before.
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
