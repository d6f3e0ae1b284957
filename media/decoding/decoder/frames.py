"""Black and still stretches in a segment's pictures.

The pictures come scaled down to 64x36 full-range luma at their full frame rate: small enough to
be looked at one by one, and the averaging removes most of what compression adds.
"""

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.results import Span, StillSpan
from monitors.frames import BLOCK_SIZE, SAME_FRAME_TOLERANCE

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

_BLOCK_TOLERANCE = SAME_FRAME_TOLERANCE * BLOCK_SIZE**2
"""The same tolerance for a block's sum, which stands for its mean here."""


def black_intervals(pictures: Pictures, times: NDArray[np.float64], end: float) -> list[Span]:
    """Return the stretches whose pictures show nothing.

    Args:
        pictures: shape (n, height, width).
        times: when each picture is first shown, seconds from the segment's first moment.
        end: the segment's duration; the last picture is shown until then.
    """
    pixels = pictures.reshape(len(pictures), -1)
    black = _may_be_black(pixels)
    black[black] = _are_without_contrast(pixels[black])
    edges = _edges(times, end)
    return [Span(edges[a], edges[b]) for a, b in _stretches(black)]


def still_runs(pictures: Pictures, times: NDArray[np.float64], end: float) -> list[StillSpan]:
    """Return the stretches in which every picture shows the same as the first of them.

    Arguments as for `black_intervals`. Comparing with the first picture, not with the one before,
    lets a keyframe's fresh compression pass and adds a slow movement up until it is seen.
    """
    blocks = block_sums(pictures)
    goes_on = differences(blocks[1:], blocks[:-1]) <= _BLOCK_TOLERANCE
    edges = _edges(times, end)
    runs: list[StillSpan] = []
    first = 0
    while first < len(pictures):
        is_single = first == len(goes_on) or not goes_on[first]
        stop = first + 1 if is_single else _end_of_run(blocks, first)
        at_border = first == 0 or stop == len(pictures)
        long_enough = edges[stop] - edges[first] >= STILL_MIN_SEC
        if (long_enough or (at_border and edges[stop] > edges[first])) and _repeats_itself(
            pictures[first:stop]
        ):
            picture = pictures[first].tobytes()
            runs.append(StillSpan(edges[first], edges[stop], picture))
        first = stop
    return runs


def _may_be_black(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell, fast, which pictures are dark enough: hardly any is, of most segments."""
    bright = np.count_nonzero(pixels > BLACK_LEVEL, axis=1)
    may_be: NDArray[np.bool_] = bright <= pixels.shape[1] - 1 - _ranks(pixels)[1]
    return may_be


def _are_without_contrast(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    ranks = _ranks(pixels)
    ordered = np.partition(pixels, ranks, axis=1)
    contrast = ordered[:, ranks[1]].astype(np.int16) - ordered[:, ranks[0]]
    without: NDArray[np.bool_] = contrast <= BLACK_CONTRAST
    return without


def _ranks(pixels: NDArray[np.uint8]) -> list[int]:
    """Return where, among a picture's pixels in order, the rest begins that may be otherwise."""
    last = pixels.shape[1] - 1
    shares = (100 - BLACK_SHARE_PERCENT, BLACK_SHARE_PERCENT)
    return [round(last * share / 100) for share in shares]


def block_sums(pictures: Pictures) -> NDArray[np.int16]:
    """Return the sum of each block's pixels, shape (n, blocks)."""
    count, height, width = pictures.shape
    shape = (count, height // BLOCK_SIZE, BLOCK_SIZE, width // BLOCK_SIZE, BLOCK_SIZE)
    parts = pictures.reshape(shape)
    sums = np.zeros((count, shape[1], shape[3]), np.int16)
    for row in range(BLOCK_SIZE):
        for column in range(BLOCK_SIZE):
            sums += parts[:, :, row, :, column]
    return sums.reshape(count, -1)


def differences(some: NDArray[np.int16], others: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return by how much the block that differs most differs, for each pair of pictures."""
    largest: NDArray[np.int16] = np.abs(some - others).max(axis=1, initial=0)
    return largest


def _end_of_run(blocks: NDArray[np.int16], first: int) -> int:
    for start in range(first + 1, len(blocks), _CHUNK):
        moved = differences(blocks[start : start + _CHUNK], blocks[first]) > _BLOCK_TOLERANCE
        if moved.any():
            return start + int(moved.argmax())
    return len(blocks)


def _repeats_itself(pictures: Pictures) -> bool:
    """Return whether enough of the frames repeat an earlier one.

    That is the one just before, in which nothing was changed; or any other, exactly: pictures that
    build on later ones (B-frames) change within a group of pictures, but each group repeats the one
    before. Noise never comes again.
    """
    if len(pictures) < 2:
        return True
    least = UNTOUCHED_SHARE * (len(pictures) - 1)
    return _untouched(pictures) >= least or _repeated(pictures) >= least


def _repeated(pictures: Pictures) -> int:
    return len(pictures) - len({picture.tobytes() for picture in pictures})


def _untouched(pictures: Pictures) -> int:
    pixels = pictures.reshape(len(pictures), -1)
    higher, lower = np.maximum(pixels[1:], pixels[:-1]), np.minimum(pixels[1:], pixels[:-1])
    steps = (higher - lower).sum(axis=1, dtype=np.uint32)
    return int(np.count_nonzero(steps < UNTOUCHED_DIFFERENCE * pixels.shape[1]))


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
