"""Colour bars: SMPTE, EBU and the like, still, rolling, or with something moving before them."""

from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.small_frames import Flags, SmallFrames
from monitors.frames import BLOCK_SIZE, COLUMNS, FRAME_HEIGHT, NEUTRAL

HUES = ((1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1))
"""White, yellow, cyan, green, magenta, red, blue as RGB, the order of all bars: SMPTE ECR 1-1978,
SMPTE RP 219, ITU-R BT.471 (EBU)."""

MATRICES = ((0.299, 0.587, 0.114), (0.2126, 0.7152, 0.0722))
"""Luma of red, green and blue: ITU-R BT.601 and BT.709."""

LEVELS = ((191, 191), (255, 191), (255, 255))
"""Levels of white and of the colours, of 255: 75 %, 100/0/75/0 and 100 % bars."""

LUMA_TOLERANCE = 10
CHROMA_TOLERANCE = 16
"""Levels by which a column may be off, after an encoder."""

ROWS = slice(1, 10)
"""Rows of blocks that are looked at: the bars of SMPTE end at 7/12 of the height."""

COMPARED_ROWS = (2, 8)

LEAST_COLUMNS = 2
MOST_OTHER_COLUMNS = 15
"""Between two bars, and beside them: RP 219 has an eighth of the width at each side."""

COLOURFUL = 60
"""U and V leave neutral by more than this in both directions; hardly any picture does."""


def _colour(hue: tuple[int, int, int], level: int, matrix: tuple[float, ...]) -> list[float]:
    """Return full-range Y, U, V of a bar."""
    red, green, blue = (level * each for each in hue)
    luma = matrix[0] * red + matrix[1] * green + matrix[2] * blue
    u, v = (blue - luma) / (2 - 2 * matrix[2]), (red - luma) / (2 - 2 * matrix[0])
    return [luma, NEUTRAL + u, NEUTRAL + v]


TEMPLATES = np.array(
    [
        [_colour(hue, white if hue == HUES[0] else others, matrix) for hue in HUES]
        for matrix, (white, others) in product(MATRICES, LEVELS)
    ]
)
"""Shape (templates, bars, 3)."""

_TOLERANCES = np.array([LUMA_TOLERANCE, CHROMA_TOLERANCE, CHROMA_TOLERANCE])


def are_bars(frames: SmallFrames) -> Flags:
    """Return which frames show colour bars."""
    found = _may_be_bars(frames)
    for place in np.flatnonzero(found):
        found[place] = _shows_bars(_columns(frames[place : place + 1]))
    return found


def _may_be_bars(frames: SmallFrames) -> Flags:
    """Tell, fast, which frames have two rows of the same many colours: hardly any has."""
    rows = frames.chroma.reshape(len(frames), 2, -1, COLUMNS)[:, :, list(COMPARED_ROWS)]
    upper, lower = rows[:, :, 0].astype(np.int16), rows[:, :, 1]
    same = (np.abs(upper - lower) <= CHROMA_TOLERANCE).all(axis=1)
    lowest, highest = rows.min(axis=(2, 3)), rows.max(axis=(2, 3))
    colourful = ((lowest < NEUTRAL - COLOURFUL) & (highest > NEUTRAL + COLOURFUL)).all(axis=1)
    may_be: Flags = colourful & (np.count_nonzero(same, axis=1) >= COLUMNS - MOST_OTHER_COLUMNS)
    return may_be


def _columns(frame: SmallFrames) -> NDArray[np.float64]:
    """Return Y, U, V of each column of blocks, shape (columns, 3).

    The median of its rows: a clock or a logo hides some of them.
    """
    rows = FRAME_HEIGHT // BLOCK_SIZE
    luma = frame.luma.reshape(rows, BLOCK_SIZE, COLUMNS, BLOCK_SIZE).mean(axis=(1, 3))
    chroma = frame.chroma.reshape(2, rows, COLUMNS)
    planes = np.stack([luma, *chroma])[:, ROWS]
    # Not `np.median`, which imports more when it is first called: too late in a confined process.
    middle = planes.shape[1] // 2
    return np.partition(planes, middle, axis=1)[:, middle].T


def _shows_bars(columns: NDArray[np.float64]) -> bool:
    """Return whether the columns are the bars of one template, in order.

    Bars that roll begin with any of them, and come to the first one again.
    """
    off = np.abs(columns[None, :, None] - TEMPLATES[:, None]) <= _TOLERANCES
    for matches in off.all(axis=3):
        seen = [int(each.argmax()) for each in matches if each.any()]
        if len(seen) < len(matches) - MOST_OTHER_COLUMNS:
            continue
        widths = np.bincount(seen, minlength=len(HUES))
        steps = [(later - before) % len(HUES) for before, later in pairwise(seen)]
        if widths.min() >= LEAST_COLUMNS and set(steps) <= {0, 1} and sum(steps) <= len(HUES):
            return True
    return False
