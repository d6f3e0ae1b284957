"""Frames of a video, scaled down so that they can be compared, and how many of them are decoded."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum, StrEnum
from itertools import pairwise
from operator import sub

FRAME_WIDTH = 64
FRAME_HEIGHT = 36
LUMA_BYTES = FRAME_WIDTH * FRAME_HEIGHT
FRAME_BYTES = LUMA_BYTES * 3 // 2
"""A small frame is full-range yuv420p: 8-bit luma row by row, then U, then V at half the size."""

SLATE_BYTES = LUMA_BYTES * 3
"""A slate is as large, as RGB: only the stream says whether its luma is of BT.601 or BT.709."""

SIGNATURE_COLUMNS, SIGNATURE_ROWS = 8, 4
SIGNATURE_BYTES = SIGNATURE_COLUMNS * SIGNATURE_ROWS
"""A signature is the mean luma of each of these cells of a small frame, row by row."""

SIGNATURE_STEP_SEC = 0.1

NEUTRAL = 128  # U and V of what has no colour

BLOCK_SIZE = 2  # side of the squares whose mean is compared, in pixels of the small frame

COLUMNS = FRAME_WIDTH // BLOCK_SIZE  # blocks in a row

BLOCKS = COLUMNS * (FRAME_HEIGHT // BLOCK_SIZE)
"""A reference frame is kept as the mean luma of its blocks, rounded down, row by row."""

SAME_FRAME_TOLERANCE = 8.0
"""Largest difference of a block's mean between frames that show the same, in 8-bit luma levels.

Measured with x264 at 256x144 and 15 frames a second, against the first frame: a frozen texture of
1/f noise, the hardest to encode, differs by up to 2.0 at 150 kbit/s, 5.5 at 60 kbit/s, and 7.8 when
it is encoded at 60 kbit/s a second time. A mouth of 8x3 pixels differs by more than 8 each time it
opens, a pan of half a pixel a second after 3 to 5 s.
"""

SAME_COLOUR_TOLERANCE = 16
"""Likewise of U and V: frozen ones differ by at most 6, at very low rates by 12."""

LOCAL_DIFFERENCE = 3.0
LOCAL_SHARE = 4.5
LOCAL_BASE = 0.25
LOCAL_BLOCKS = 12
"""A block that differs by more than `LOCAL_DIFFERENCE`, and `LOCAL_SHARE` times as much as all but
`LOCAL_BLOCKS` and `LOCAL_BASE`, is life: a mouth, the last digit of a clock. The noise of encoders
is spread: that ratio is at most 3.3 of a hundred frozen pictures in all codecs and rates; where a
small thing moves, it is 5 to 400."""

LIT_LEVEL = 50  # the mean of a block in the dark that is lit

LIT_DIFFERENCE = 12  # a lit block that differs by more has changed

MOVED_DIFFERENCE = 4 * SAME_FRAME_TOLERANCE
"""Two frames of one freeze differ by no more: each by at most `SAME_FRAME_TOLERANCE` from the first
of its still run, and that from the first of the freeze."""

STILL_MIN_SEC = 0.5  # a frame that is shown for less than this is not still

STILL_GAP_SEC = 0.15
"""Another picture for this long between two still runs of the same frame is a flaw: two at 15
frames a second.

More would join the pauses of a mouth that moves 0.2 s every few seconds.
"""

SHORTFALL_SEC = 0.5
"""A segment may hold this much less than it declares, and a tenth: players forgive durations that
are rounded up to seconds, and packagers cut elsewhere than they say."""

FLUENT_INTERVAL_SEC = 0.125
"""A stream whose frames follow each other as closely as this does not pause by intention: where it
pauses for longer than `SHORTFALL_SEC`, frames are missing, unless it turned to slides."""

DRAWN_SHARE, DRAWN_LEVELS = 0.5, 2
"""So much of a slide or a desktop is its background, of one level give or take two; at most 0.46 of
what a camera sees by light."""

USUAL_INTERVALS = 4
"""A pause of this many intervals between two frames is normal: there may be few frames."""


class DecodeDepth(IntEnum):
    """How much of a segment's video is decoded."""

    KEYFRAME = 0  # the first frame, a keyframe; everything where it is dark or broken
    MOVEMENT = 1  # until a movement is proven; everything where none is
    EVERYTHING = 2


class Motion(StrEnum):
    """What `DecodeDepth.MOVEMENT` found."""

    MOVING = "moving"  # a movement that ends every freeze; decoding stopped there
    STATIC = "static"  # no such movement and no dark frame in the whole segment
    UNKNOWN = "unknown"


def same_frame(one: bytes, other: bytes) -> bool:
    """Return whether two small frames are the same apart from the noise of an encoder."""
    if one == other:
        return True
    differing: list[float] = []
    for row in block_differences(one, other):
        if max(row) > SAME_FRAME_TOLERANCE:
            return False
        differing += row
    if _is_local(sorted(differing)):
        return False
    colours = zip(one[LUMA_BYTES:], other[LUMA_BYTES:], strict=True)
    return all(abs(mine - theirs) <= SAME_COLOUR_TOLERANCE for mine, theirs in colours)


def _is_local(differing: Sequence[float]) -> bool:
    largest, others = differing[-1], differing[-1 - LOCAL_BLOCKS]
    return largest > max(LOCAL_DIFFERENCE, LOCAL_SHARE * (others + LOCAL_BASE))


def block_differences(one: bytes, other: bytes) -> Iterator[list[float]]:
    """Yield by how much the mean luma of each block differs, in levels, row by row."""
    if not len(one) == len(other) == FRAME_BYTES:
        raise ValueError(f"frames must have {FRAME_WIDTH} x {FRAME_HEIGHT} pixels")
    for start in range(0, LUMA_BYTES, FRAME_WIDTH * BLOCK_SIZE):
        stop = start + FRAME_WIDTH * BLOCK_SIZE
        pixels = map(sub, one[start:stop], other[start:stop])
        pieces = list(map(sum, zip(*[pixels] * BLOCK_SIZE, strict=True)))
        lines = [pieces[at : at + COLUMNS] for at in range(0, len(pieces), COLUMNS)]
        yield [abs(total) / BLOCK_SIZE**2 for total in map(sum, zip(*lines, strict=True))]


def has_moved(one: bytes, other: bytes) -> bool:
    """Return whether two reference frames differ so much that no freeze holds both."""
    return one != other and max(map(abs, map(sub, one, other))) > MOVED_DIFFERENCE


def lights_differ(one: bytes, other: bytes) -> bool:
    return any(
        abs(mine - theirs) > LIT_DIFFERENCE and max(mine, theirs) > LIT_LEVEL
        for mine, theirs in zip(one, other, strict=True)
    )


def pauses_between(times_sec: Iterable[float], duration_sec: float) -> list[tuple[float, float]]:
    """Return where no frame comes for longer than a segment may lack: from one to the next.

    In seconds from the first frame, in order; the pause after the last one ends with the segment.
    There is none where frames come for longer than declared: their timestamps jump, and nothing is
    missing.
    """
    shown = sorted(times_sec)
    limit_sec = SHORTFALL_SEC + 0.1 * duration_sec
    if not shown or shown[-1] - shown[0] > duration_sec + limit_sec:
        return []
    if max(map(sub, [*shown[1:], shown[0] + duration_sec], shown)) <= limit_sec:
        return []  # of nearly all segments, soon
    moments = [*(min(each - shown[0], duration_sec) for each in shown), duration_sec]
    return [(one, other) for one, other in pairwise(moments) if other - one > limit_sec]


def is_drawn(picture: bytes) -> bool:
    """Return whether a small frame shows a slide or a desktop: most of it is its background."""
    counted = Counter(picture[:LUMA_BYTES])
    near = range(-DRAWN_LEVELS, DRAWN_LEVELS + 1)
    largest = max(sum(counted[level + off] for off in near) for level in counted)
    return largest >= DRAWN_SHARE * LUMA_BYTES


def longest_interval_sec(times_sec: Iterable[float], duration_sec: float) -> float:
    """Return the longest time between two frames that follow each other, in any order.

    Of fewer than three frames it is the segment's duration: they do not say when the next one is
    due. A slide may be all that there is to see.
    """
    shown = sorted(times_sec)
    if len(shown) < 3:
        return duration_sec
    longest_sec: float = max(map(sub, shown[1:], shown))
    return longest_sec


def missing_from_sec(duration_sec: float, video_sec: float, interval_sec: float) -> float | None:
    """Return from when on a segment lacks frames at its end; None where it does not.

    `video_sec` is from the first frame to the end of the last one; 0 is unknown.
    """
    shortfall_sec = SHORTFALL_SEC + 0.1 * duration_sec
    may_lack_sec = max(shortfall_sec, USUAL_INTERVALS * interval_sec)
    is_missing = video_sec > 0 and duration_sec - video_sec > may_lack_sec
    return video_sec if is_missing else None
