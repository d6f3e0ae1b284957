"""Delivery directives: what a request for a playlist asks of its server (8216bis 6.2.5)."""

from collections.abc import Mapping
from urllib.parse import urlencode

from media.hls.playlist import MediaPlaylist

BLOCKING = "_HLS_msn"
"""The directive by which a request waits for a segment."""

SKIP_SHARE = 0.5
"""A delta update is asked for where it leaves out at least this part of the window."""


def delivery_directives(
    playlist: MediaPlaylist, *, age_sec: float, may_block: bool
) -> dict[str, str]:
    """Return the query parameters of the next request for `playlist`, in their order.

    Args:
        playlist: as loaded last.
        age_sec: how long ago that was. 8216bis 6.3.7 has a delta update asked for only within half
            of the skip boundary.
        may_block: whether to wait for the next segment.
    """
    server = playlist.server
    if playlist.ended or not playlist.is_numbered or not playlist.segments:
        return {}
    directives = {}
    if may_block and server.can_block_reload:
        directives[BLOCKING] = str(playlist.segments[-1].sequence + 1)
    kept_sec = server.can_skip_until_sec
    if kept_sec and age_sec <= kept_sec / 2 and kept_sec <= SKIP_SHARE * playlist.window_sec:
        directives["_HLS_skip"] = "YES"
    return directives


def with_directives(url: str, directives: Mapping[str, str]) -> str:
    """Return `url` with query parameters added."""
    if not directives:
        return url
    base, hash_, fragment = url.partition("#")
    joint = "&" if "?" in base else "?"
    return f"{base}{joint}{urlencode(directives)}{hash_}{fragment}"
