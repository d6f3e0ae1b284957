"""Whether the keyframes of a segment alone show that all is well with its picture."""

import numpy as np
from numpy.typing import NDArray

from media.decoder.pictures import BLACK_LEVEL, Pictures, block_sums, differences
from monitors.detectors.pictures import SAME_PICTURE_TOLERANCE
from monitors.pictures import BLOCK_SIZE, PICTURE_HEIGHT, PICTURE_WIDTH

MOVED_DIFFERENCE = 4 * SAME_PICTURE_TOLERANCE
"""Two pictures of one freeze differ by no more: each by at most `SAME_PICTURE_TOLERANCE` from the
first of its piece, and that from the first of all."""

DARK_LEVEL = BLACK_LEVEL + 10
DARK_SHARE = 0.9
"""A keyframe that has so many pixels up to this level may be black for a detector, or be followed
by pictures that are."""


def remembered(picture: bytes) -> bytes:
    """Return what is remembered of a keyframe; see `monitors.pictures.KEYFRAME_BYTES`."""
    pixels = np.frombuffer(picture, np.uint8).reshape(1, PICTURE_HEIGHT, PICTURE_WIDTH)
    return _means(pixels).astype(np.uint8).tobytes()


def moves(keyframes: Pictures, before: bytes) -> bool:
    """Tell whether no keyframe is dark and each shows something else than the one before it.

    Args:
        keyframes: shape (n, height, width).
        before: what is remembered of the last keyframe of the segment before.
    """
    if not len(keyframes):
        return False
    means = np.vstack([np.frombuffer(before, np.uint8).astype(np.int16), _means(keyframes)])
    is_dark = (keyframes <= DARK_LEVEL).mean(axis=(1, 2)) >= DARK_SHARE
    has_moved = differences(means[1:], means[:-1]) > MOVED_DIFFERENCE
    return bool(has_moved.all() and not is_dark.any())


def _means(pictures: Pictures) -> NDArray[np.int16]:
    return block_sums(pictures) // BLOCK_SIZE**2
