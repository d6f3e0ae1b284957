"""Small pictures that are compared, and how many a segment lacks."""

from collections.abc import Iterable
from itertools import pairwise

PICTURE_WIDTH = 64
PICTURE_HEIGHT = 36
PICTURE_BYTES = PICTURE_WIDTH * PICTURE_HEIGHT

BLOCK_SIZE = 2
"""Side of the squares whose mean is compared, in pixels of the small picture."""

LANDMARK_BYTES = PICTURE_WIDTH // BLOCK_SIZE * (PICTURE_HEIGHT // BLOCK_SIZE)
"""A landmark is remembered as these means, rounded down, row by row."""

SHORTFALL_SEC = 0.5
"""A segment may hold this much less than it declares, and a tenth: players forgive durations that
are rounded up to seconds, and packagers cut elsewhere than they say."""

USUAL_INTERVALS = 4
"""A pause of so many intervals between two pictures is none: pictures may be few."""


def longest_interval_sec(times_sec: Iterable[float], duration_sec: float) -> float:
    """Return the longest time between two pictures that follow each other, in any order.

    Of fewer than three pictures it is the segment's duration: they say nothing of when the next
    one is due. A slide may be all that there is to see.
    """
    shown = sorted(times_sec)
    if len(shown) < 3:
        return duration_sec
    return max(later - earlier for earlier, later in pairwise(shown))


def missing_from_sec(duration_sec: float, video_sec: float, interval_sec: float) -> float | None:
    """Return from when on a segment misses pictures at its end; None where it does not.

    Args:
        duration_sec: as declared.
        video_sec: from the first picture to the end of the last one; 0 is unknown.
        interval_sec: as `longest_interval_sec` has it.
    """
    shortfall_sec = SHORTFALL_SEC + 0.1 * duration_sec
    may_lack_sec = max(shortfall_sec, USUAL_INTERVALS * interval_sec)
    is_missing = video_sec > 0 and duration_sec - video_sec > may_lack_sec
    return video_sec if is_missing else None
