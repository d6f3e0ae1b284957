"""Segments in pieces, so that a fault is seen before its segment is complete (8216bis 4.4.4.9).

A piece is a run of parts that begins with an independent one and lasts for `PIECE_SEC` or more, up
to where the next piece may begin. It is measured like a segment, and each moment once: what is left
of a segment that is complete by now is its last piece. Where no part but the first is independent,
there is nothing to gain, and whole segments are measured, as for encrypted ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from media.hls.playlist import PARTED_SEGMENTS, MediaPlaylist, Part, Segment

TOLERANCE_SEC = 0.05
PIECE_SEC = 1.0  # shorter ones cost a decoding each, and tell nothing sooner that helps anybody


def comes_in_pieces(playlist: MediaPlaylist) -> bool:
    """Return whether segments of `playlist` may be measured before they are complete."""
    newest = playlist.with_partial[-PARTED_SEGMENTS:]
    return any(_piece_ends(segment.parts, 0) for segment in newest if not segment.encryption)


def unfinished_pieces(playlist: MediaPlaylist, *, parts_done: int) -> Iterator[Segment]:
    """Yield the pieces of the segment that comes next, as far as they are complete."""
    partial = playlist.partial
    if partial is None or partial.encryption or not playlist.is_numbered:
        return
    ends = _piece_ends(partial.parts, parts_done)
    yield from _cut(partial, [parts_done, *ends])


def last_pieces(segment: Segment, *, parts_done: int, done_sec: float) -> Iterator[Segment]:
    """Yield what is left of a complete segment whose first parts were measured.

    Where its parts are not listed any more, that is a gap.
    """
    if parts_done >= len(segment.parts):
        left_sec = max(0.0, segment.duration_sec - done_sec)
        yield replace(segment, duration_sec=left_sec, offset_sec=done_sec, gap=True, parts=())
        return
    ends = _piece_ends(segment.parts, parts_done)
    *pieces, last = _cut(segment, [parts_done, *ends, len(segment.parts)])
    yield from pieces
    yield replace(last, parts_until=None)


def _piece_ends(parts: tuple[Part, ...], start: int) -> list[int]:
    """Return where pieces end that others may follow: before an independent part."""
    ends, piece_sec = [], 0.0
    if start < len(parts) and not parts[start].independent:
        return []
    for index in range(start, len(parts)):
        if parts[index].independent and piece_sec > PIECE_SEC - TOLERANCE_SEC:
            ends.append(index)
            piece_sec = 0.0
        piece_sec += parts[index].duration_sec
    return ends


def _cut(segment: Segment, bounds: Sequence[int]) -> Iterator[Segment]:
    for start, end in pairwise(bounds):
        parts = segment.parts[start:end]
        yield replace(
            segment,
            uri=parts[0].uri,
            duration_sec=sum(part.duration_sec for part in parts),
            offset_sec=sum(part.duration_sec for part in segment.parts[:start]),
            byte_range=None,
            gap=any(part.gap for part in parts),
            parts=parts,
            parts_until=end,
        )
