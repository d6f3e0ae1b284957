"""Delivery directives: what a request for a playlist asks of its server (8216bis 6.2.5)."""

import math
from collections.abc import Mapping
from urllib.parse import urlencode

from media.hls.pieces import PIECE_SEC, comes_in_pieces
from media.hls.playlist import MediaPlaylist

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
        playlist: as loaded last.
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
    """Return `url` with query parameters added."""
    if not directives:
        return url
    base, hash_, fragment = url.partition("#")
    joint = "&" if "?" in base else "?"
    return f"{base}{joint}{urlencode(directives)}{hash_}{fragment}"
