"""Where a live DASH presentation ends that leaves its segments to the clock.

Such a manifest says which segments are due, whether its packager made them or not: it may be late,
by any number of segments, or stand still. So the newest one that is there is looked for, with small
requests. What was seen before needs no question.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from http import HTTPStatus

from media.dash.to_hls import TrackPlaylist
from media.hls.identity import segment_identity
from media.hls.playlist import MediaPlaylist, Segment
from media.outbound.errors import FetchError
from media.outbound.fetching import Mirrors

LATEST_SEC = 120.0  # a packager may be; a stream is joined without looking for older segments
ABSENT = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
        HTTPStatus.PRECONDITION_FAILED,
        HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
        HTTPStatus.TOO_EARLY,
    }
)
"""What servers answer for a segment that is not published yet, or still empty."""

LOOK_MAX_BYTES = 4 * 1024 * 1024
LOOK_TIMEOUT_SEC = 10.0

IsThere = Callable[[Segment], Awaitable[bool | None]]  # None where the server fails


async def published(
    mirrors: Mirrors, track: TrackPlaylist, known: Collection[str]
) -> MediaPlaylist:
    """Return the playlist without segments at its end that are only due, not published.

    Where segments are there before they are whole, the last one is left out, too. Segments that are
    `known` need no question.
    """

    async def is_there(segment: Segment) -> bool | None:
        return await _is_published(mirrors, segment)

    segments = track.playlist.segments
    sure = max(track.told, _count_seen(segments, known))
    count = await count_published(segments, sure, is_there)
    is_making = track.is_ahead or count < len(segments)
    if track.is_chunked and is_making and count > sure:
        count -= 1
    return replace(track.playlist, segments=segments[:count])


async def count_published(segments: Sequence[Segment], sure: int, is_there: IsThere) -> int:
    """Return how many segments there are up to the newest one that is published."""
    # It is the last as a rule, or the one after those that are sure. Where neither is there, one in
    # the middle is asked for, too: a single segment may be missing for good. Each further question
    # halves what is left. Where a server fails and nothing else is there, its failure counts as a
    # segment: fetching that tells what is wrong.
    first, last = max(sure, _oldest_late(segments)), len(segments) - 1
    if first > last:
        return sure
    unsure = sure
    for found in dict.fromkeys((last, first, (first + last) // 2)):
        answer = await is_there(segments[found])
        if answer:
            break
        if answer is None:
            unsure = max(unsure, found + 1)
    else:
        return unsure
    absent = last if found < last else len(segments)
    while absent - found > 1:
        middle = (found + absent) // 2
        if await is_there(segments[middle]):
            found = middle
        else:
            absent = middle
    return found + 1


def _oldest_late(segments: Sequence[Segment]) -> int:
    """Return the place of the first segment that a late packager may be at."""
    late_sec, place = 0.0, len(segments)
    while place and late_sec < LATEST_SEC:
        place -= 1
        late_sec += segments[place].duration_sec
    return place


def _count_seen(segments: Sequence[Segment], known: Collection[str]) -> int:
    """Return how many segments there are up to the newest one that is known."""
    counts = range(len(segments), 0, -1)
    return next((it for it in counts if segment_identity(segments[it - 1]) in known), 0)


async def _is_published(mirrors: Mirrors, segment: Segment) -> bool | None:
    """Return whether any place has it; one that gives another answer is taken for having it."""
    # None where a server fails (5xx).
    first = segment.byte_range.offset if segment.byte_range else 0
    try:
        await mirrors.fetch(
            (segment.uri, *segment.mirrors),
            byte_range=(first, 1),
            max_bytes=LOOK_MAX_BYTES,
            total_timeout_sec=LOOK_TIMEOUT_SEC,
        )
    except FetchError as error:
        if error.status is not None and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return None
        return error.status not in ABSENT
    return True
