"""Small frames that are made of numbers."""

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.small_frames import SmallFrames
from monitors.frames import BLOCKS, FRAME_HEIGHT, FRAME_WIDTH, NEUTRAL

Luma = NDArray[np.uint8]
"""Of one frame, shape (height, width)."""


def flat(level: int) -> Luma:
    return np.full((FRAME_HEIGHT, FRAME_WIDTH), level, np.uint8)


def film(*pictures: Luma, chroma: tuple[float, int] = (0.0, 0)) -> SmallFrames:
    """Return frames of this luma; a share of their blocks has a U that many levels off."""
    share, levels = chroma
    colours = np.full((len(pictures), 2 * BLOCKS), NEUTRAL, np.uint8)
    colours[:, : round(share * BLOCKS)] += np.uint8(levels)
    luma = np.stack(pictures).reshape(len(pictures), -1)
    return SmallFrames(np.concatenate([luma, colours], axis=1))
