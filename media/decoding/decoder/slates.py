"""Whether a frame shows one of the slates that the user uploaded."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.bars import MATRICES
from media.decoding.decoder.small_frames import SmallFrames
from monitors.frames import FRAME_HEIGHT, FRAME_WIDTH, SLATE_BYTES

MOST_DIFFERENCE = 6.0
"""Mean absolute difference of luma to the slate, of 255."""

LEAST_CORRELATION = 0.9
"""A dark slate and a black picture differ by little, but have no shapes in common."""

SHIFT = 1
"""Pixels by which the slate may be placed elsewhere."""

NONE = -1

_INNER = (slice(SHIFT, FRAME_HEIGHT - SHIFT), slice(SHIFT, FRAME_WIDTH - SHIFT))


def shown_slates(frames: SmallFrames, pictures: bytes) -> NDArray[np.int16]:
    """Return the index of the slate that each frame shows; `NONE` where it shows none.

    Args:
        frames: of a segment.
        pictures: the slates, see `monitors.measurement.ReferenceSlates`.
    """
    found = np.full(len(frames), NONE, np.int16)
    if not pictures:
        return found
    luma = frames.luma.reshape(-1, FRAME_HEIGHT, FRAME_WIDTH)
    least = np.full(len(frames), MOST_DIFFERENCE)
    for index, reference in enumerate(_references(pictures)):
        near = np.flatnonzero(_may_show(frames, reference))
        for place in near:
            difference = _difference(luma[place], reference)
            if difference <= least[place]:
                found[place], least[place] = index // len(MATRICES), difference
    return found


@lru_cache(maxsize=4)
def _references(pictures: bytes) -> NDArray[np.float32]:
    """Return the luma of each slate by each matrix: nobody says which one the stream has."""
    rgb = np.frombuffer(pictures, np.uint8).reshape(-1, SLATE_BYTES // 3, 3)
    # Not by `@`: OpenBLAS starts threads, which a confined process may not.
    luma = [sum(rgb[..., at] * np.float32(matrix[at]) for at in range(3)) for matrix in MATRICES]
    return np.stack(luma, axis=1).reshape(-1, FRAME_HEIGHT, FRAME_WIDTH)


def _may_show(frames: SmallFrames, reference: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell, fast, which frames are as bright as the slate in the mean: that is no shift's doing."""
    means = frames.luma.mean(axis=1)
    near: NDArray[np.bool_] = np.abs(means - reference.mean()) <= 2 * MOST_DIFFERENCE
    return near


def _difference(luma: NDArray[np.uint8], reference: NDArray[np.float32]) -> float:
    """Return the mean difference where the slate fits best; infinite where shapes are others."""
    inner = luma[_INNER].astype(np.float32)
    best = np.inf
    for down in range(2 * SHIFT + 1):
        for right in range(2 * SHIFT + 1):
            rows = slice(down, FRAME_HEIGHT - 2 * SHIFT + down)
            piece = reference[rows, right : FRAME_WIDTH - 2 * SHIFT + right]
            difference = float(np.abs(inner - piece).mean())
            if difference < best and _correlation(inner, piece) >= LEAST_CORRELATION:
                best = difference
    return best


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    left, right = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((left * left).sum() * (right * right).sum()))
    return float((left * right).sum()) / scale if scale else 0.0
