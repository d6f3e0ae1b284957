"""What makes two listings of a segment the same segment."""

import hashlib
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
    name = segment.name or _name(segment)
    return hashlib.blake2s(name.encode(errors="replace"), digest_size=_DIGEST_BYTES).hexdigest()


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
