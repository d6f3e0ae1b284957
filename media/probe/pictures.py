"""Black and still stretches in a segment's pictures.

The pictures come scaled down to 64x36 full-range luma at their full frame rate: small enough to
be looked at one by one, and the averaging removes most of what compression adds.
"""

import numpy as np
from numpy.typing import NDArray

from monitors.detectors.pictures import BLOCK_SIZE, SAME_PICTURE_TOLERANCE
from monitors.measurement import Interval, StillRun

Pictures = NDArray[np.uint8]
"""Shape (pictures, height, width)."""

BLACK_LEVEL = 26
"""Luma (of 255) up to which a pixel may be black: 10 %, as ffmpeg's blackdetect has it."""

BLACK_CONTRAST = 6
"""A dark scene shows shapes; black, even with noise or a lifted black level, shows none."""

BLACK_SHARE_PERCENT = 97
"""The brightest rest of the picture may be a logo."""

STILL_MIN_SEC = 0.5
"""Shorter still stretches matter only at a border, where they may go on."""

UNTOUCHED_DIFFERENCE = 0.06
"""Mean luma difference of two pictures in a row between which the encoder changed nothing."""

UNTOUCHED_SHARE = 0.1
"""Share of such pairs in a frozen picture. A camera that shows a calm scene adds noise to each
picture, so that almost none of its pairs is untouched; a frozen one repeats itself."""

_CHUNK = 64


def black_intervals(pictures: Pictures, times: NDArray[np.float64], end: float) -> list[Interval]:
    """Return the stretches whose pictures show nothing.

    Args:
        pictures: shape (n, height, width).
        times: when each picture is first shown, seconds from the segment's first moment.
        end: the segment's duration; the last picture is shown until then.
    """
    pixels = pictures.reshape(len(pictures), -1)
    last = pixels.shape[1] - 1
    ranks = [
        round(last * (100 - BLACK_SHARE_PERCENT) / 100),
        round(last * BLACK_SHARE_PERCENT / 100),
    ]
    ordered = np.partition(pixels, ranks, axis=1)
    dark, bright = ordered[:, ranks[0]].astype(np.int16), ordered[:, ranks[1]].astype(np.int16)
    black = (bright <= BLACK_LEVEL) & (bright - dark <= BLACK_CONTRAST)
    edges = _edges(times, end)
    return [Interval(start=edges[a], end=edges[b]) for a, b in _stretches(black)]


def still_runs(pictures: Pictures, times: NDArray[np.float64], end: float) -> list[StillRun]:
    """Return the stretches in which every picture shows the same as the first of them.

    Arguments as for `black_intervals`. Comparing with the first picture, not with the one before,
    lets a keyframe's fresh compression pass and adds a slow movement up until it is seen.
    """
    blocks = _blocks(pictures)
    steps = _steps(pictures)
    edges = _edges(times, end)
    runs: list[StillRun] = []
    first = 0
    while first < len(pictures):
        stop = _end_of_run(blocks, first)
        at_border = first == 0 or stop == len(pictures)
        long_enough = edges[stop] - edges[first] >= STILL_MIN_SEC
        if (long_enough or (at_border and edges[stop] > edges[first])) and _repeats_itself(
            steps[first : stop - 1]
        ):
            picture = pictures[first].tobytes()
            runs.append(StillRun(start=edges[first], end=edges[stop], picture=picture))
        first = stop
    return runs


def _blocks(pictures: Pictures) -> NDArray[np.float32]:
    count, height, width = pictures.shape
    shape = (count, height // BLOCK_SIZE, BLOCK_SIZE, width // BLOCK_SIZE, BLOCK_SIZE)
    means: NDArray[np.float32] = pictures.reshape(shape).mean(axis=(2, 4), dtype=np.float32)
    return means.reshape(count, -1)


def _steps(pictures: Pictures) -> NDArray[np.float64]:
    """Return the mean difference of each picture to the one before, shape (n - 1,)."""
    pixels = pictures.reshape(len(pictures), -1)
    higher, lower = np.maximum(pixels[1:], pixels[:-1]), np.minimum(pixels[1:], pixels[:-1])
    steps: NDArray[np.float64] = (higher - lower).mean(axis=1)
    return steps


def _end_of_run(blocks: NDArray[np.float32], first: int) -> int:
    for start in range(first + 1, len(blocks), _CHUNK):
        distance = np.abs(blocks[start : start + _CHUNK] - blocks[first]).max(axis=1)
        moved = distance > SAME_PICTURE_TOLERANCE
        if moved.any():
            return start + int(moved.argmax())
    return len(blocks)


def _repeats_itself(steps: NDArray[np.float64]) -> bool:
    if not len(steps):
        return True
    return float((steps < UNTOUCHED_DIFFERENCE).mean()) >= UNTOUCHED_SHARE


def _edges(times: NDArray[np.float64], end: float) -> list[float]:
    """Return n + 1 edges: each picture's start, and the end of the last one.

    The first picture counts from the segment's first moment, though its time may be later.
    """
    inner = np.clip(np.maximum.accumulate(times[1:]), 0.0, end)
    return [0.0, *inner.tolist(), end]


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return (first, stop) index pairs of the runs of True."""
    padded = np.concatenate(([False], flags, [False])).astype(np.int8)
    changes = np.flatnonzero(np.diff(padded))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))
