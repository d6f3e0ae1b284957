"""Cards that stand for a programme: colour bars, and the slates that the user uploaded."""

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.small_frames import Flags, SmallFrames
from monitors.frames import BLOCK_SIZE, COLUMNS, FRAME_HEIGHT, FRAME_WIDTH, NEUTRAL, SLATE_BYTES

HUES = ((1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1))
"""White, yellow, cyan, green, magenta, red, blue as RGB, the order of all bars: SMPTE ECR 1-1978,
SMPTE RP 219, ITU-R BT.471 (EBU)."""

MATRICES = ((0.299, 0.587, 0.114), (0.2126, 0.7152, 0.0722))  # luma: ITU-R BT.601, BT.709
LEVELS = ((191, 191), (255, 191), (255, 255))
"""Levels of white and of the colours, of 255: 75 %, 100/0/75/0 and 100 % bars."""

LUMA_TOLERANCE = 10
CHROMA_TOLERANCE = 16  # levels by which a column may be off, after an encoder
ROWS = slice(1, 10)  # of blocks that are looked at: the bars of SMPTE end at 7/12 of the height
COMPARED_ROWS = slice(2, 9, 6)

LEAST_COLUMNS = 2
MOST_OTHER_COLUMNS = 15  # between and beside bars: RP 219 has an eighth of the width at each side
COLOURFUL = 60  # U and V leave neutral by more in both directions; hardly any picture does


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

_TOLERANCES = (LUMA_TOLERANCE, CHROMA_TOLERANCE, CHROMA_TOLERANCE)
_AT_ONCE = 32  # frames; it bounds the memory that comparing them with all bars takes


def are_bars(frames: SmallFrames) -> Flags:
    found = _may_be_bars(frames)
    candidates = np.flatnonzero(found)
    for begin in range(0, len(candidates), _AT_ONCE):
        places = candidates[begin : begin + _AT_ONCE]
        found[places] = _show_bars(_columns(frames[places]))
    return found


def _may_be_bars(frames: SmallFrames) -> Flags:
    """Tell, fast, which frames have two rows of the same many colours: hardly any has."""
    rows = frames.chroma.reshape(len(frames), 2, -1, COLUMNS)[:, :, COMPARED_ROWS]
    least, most = rows.min(axis=(2, 3)), rows.max(axis=(2, 3))
    may_be: Flags = ((least < NEUTRAL - COLOURFUL) & (most > NEUTRAL + COLOURFUL)).all(axis=1)
    if may_be.any():
        same = (rows.max(axis=2) - rows.min(axis=2) <= CHROMA_TOLERANCE).all(axis=1)
        may_be &= np.count_nonzero(same, axis=1) >= COLUMNS - MOST_OTHER_COLUMNS
    return may_be


def _columns(frames: SmallFrames) -> NDArray[np.float64]:
    """Return Y, U, V of each column of blocks, shape (frames, 3, columns)."""
    # The median of its rows: a clock or a logo hides some of them.
    luma = frames.block_sums().reshape(len(frames), 1, -1, COLUMNS)
    chroma = frames.chroma.reshape(len(frames), 2, -1, COLUMNS).astype(np.int16)
    planes = np.concatenate([luma, chroma * BLOCK_SIZE**2], axis=1)[:, :, ROWS]
    # Not `np.median`, which imports more when it is first called: too late in a confined process.
    middle = planes.shape[2] // 2
    return np.partition(planes, middle, axis=2)[:, :, middle] / BLOCK_SIZE**2


def _show_bars(columns: NDArray[np.float64]) -> Flags:
    """Which frames' columns are the bars of one template, in order."""
    matches = np.ones((len(columns), len(TEMPLATES), COLUMNS, len(HUES)), np.bool_)
    for plane, tolerance in enumerate(_TOLERANCES):
        colours = TEMPLATES[:, None, :, plane]
        matches &= np.abs(columns[:, plane, None, :, None] - colours) <= tolerance
    seen = np.count_nonzero(matches.any(axis=3), axis=2)
    found = np.zeros(len(columns), np.bool_)
    wide = (np.count_nonzero(matches, axis=2) >= LEAST_COLUMNS).all(axis=2)
    for frame, template in np.argwhere((seen >= COLUMNS - MOST_OTHER_COLUMNS) & wide):
        found[frame] |= _are_in_order(matches[frame, template])
    return found


def _are_in_order(matches: Flags) -> bool:
    """Return whether columns show all bars in order; `matches` has the shape (columns, bars)."""
    # Bars that roll begin with any of them, and come to the first one again.
    seen = matches[matches.any(axis=1)].argmax(axis=1)
    steps = (seen[1:] - seen[:-1]) % len(HUES)
    are_wide = np.bincount(seen, minlength=len(HUES)).min() >= LEAST_COLUMNS
    return bool(are_wide and steps.max() <= 1 and steps.sum() <= len(HUES))


MOST_DIFFERENCE = 6.0  # mean absolute difference of luma to the slate, of 255
LEAST_CORRELATION = 0.9  # a dark slate and a black picture differ by little, but share no shapes
SHIFT = 1  # pixels by which the slate may be placed elsewhere
NONE = -1

_INNER = (slice(SHIFT, FRAME_HEIGHT - SHIFT), slice(SHIFT, FRAME_WIDTH - SHIFT))


def shown_slates(frames: SmallFrames, pictures: bytes) -> NDArray[np.int16]:
    """Return the index of the slate that each frame shows; `NONE` where it shows none."""
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


def is_card(frame: SmallFrames, slates: bytes) -> bool:
    is_slate = slates and (shown_slates(frame, slates) != NONE).any()
    return bool(is_slate or are_bars(frame).any())
