"""URLs without what they may hold of secrets, and playlists as they were read, with such URLs."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from media.hls.playlist import MediaPlaylist, Segment

_DIGEST_LENGTH = 32


def masked_url(url: str) -> str:
    """Return the host of a URL with a digest of what follows it: paths carry tokens, too.

    Equal URLs stay equal. What is no URL is a digest alone.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return _digest(url)
    if not host.isascii() or not host:
        return _digest(url)
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}/{_digest(f'{parts.path}?{parts.query}')}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:_DIGEST_LENGTH]


def playlist_text(playlist: MediaPlaylist, read_at: datetime) -> bytes:
    """Return what a playlist says, as an HLS playlist (RFC 8216), whatever it was written as."""
    lines = [
        "#EXTM3U",
        f"# read at {read_at.isoformat()}",
        f"#EXT-X-TARGETDURATION:{playlist.target_duration_sec:g}",
        f"#EXT-X-MEDIA-SEQUENCE:{playlist.media_sequence}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{playlist.discontinuity_sequence}",
    ]
    init = None
    for segment in playlist.with_partial:
        if segment.init and segment.init != init:
            lines.append(f'#EXT-X-MAP:URI="{masked_url(segment.init.uri)}"')
        init = segment.init
        lines += _segment_lines(segment)
    if playlist.ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join([*lines, ""]).encode()


def _segment_lines(segment: Segment) -> Iterator[str]:
    if segment.discontinuity:
        yield "#EXT-X-DISCONTINUITY"
    if segment.encryption:
        yield f"#EXT-X-KEY:METHOD={segment.encryption.method.replace(',', '')}"
    if segment.program_date_time:
        yield f"#EXT-X-PROGRAM-DATE-TIME:{segment.program_date_time.isoformat()}"
    if segment.gap:
        yield "#EXT-X-GAP"
    for part in segment.parts:
        yield f'#EXT-X-PART:DURATION={part.duration_sec:g},URI="{masked_url(part.uri)}"'
    if segment.byte_range:
        yield f"#EXT-X-BYTERANGE:{segment.byte_range.length}@{segment.byte_range.offset}"
    yield f"#EXTINF:{segment.duration_sec:.6f},"
    yield masked_url(segment.uri)
