"""What makes two listings of a segment the same segment, and two of a rendition the same one."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from os.path import commonprefix
from urllib.parse import urlsplit

from media.hls.playlist import Segment

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
