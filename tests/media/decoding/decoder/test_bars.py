"""Colour bars, on frames made of numbers."""

import numpy as np

from media.decoding.decoder.cards import TEMPLATES, are_bars
from media.decoding.decoder.small_frames import SmallFrames
from monitors.frames import COLUMNS, FRAME_BYTES, FRAME_HEIGHT, FRAME_WIDTH

ROWS = FRAME_HEIGHT // 2


def bars(template: int, order: list[int]) -> bytes:
    """Return a frame that shows bars of a template side by side."""
    columns = np.arange(COLUMNS) * len(order) // COLUMNS
    y, u, v = TEMPLATES[template][order][columns].round().clip(0, 255).astype(np.uint8).T
    luma = np.tile(np.repeat(y, FRAME_WIDTH // COLUMNS), FRAME_HEIGHT)
    return np.concatenate([luma, np.tile(u, ROWS), np.tile(v, ROWS)]).tobytes()


def test_bars_are_found_among_any_number_of_frames() -> None:
    noise = np.random.default_rng(1).integers(0, 256, FRAME_BYTES).astype(np.uint8).tobytes()
    mixed = bars(0, [0, 2, 4, 6, 1, 3, 5])
    frames = [bars(number % 6, [*range(7)]) for number in range(100)]
    frames[10], frames[50], frames[99] = noise, mixed, noise
    expected = [place not in (10, 50, 99) for place in range(100)]
    assert are_bars(SmallFrames.of(frames)).tolist() == expected


def test_bars_that_roll_begin_with_any_of_them() -> None:
    rolled = [bars(2, [*range(first, 7), *range(first)]) for first in range(7)]
    assert are_bars(SmallFrames.of(rolled)).all()


def test_a_missing_bar_makes_no_bars() -> None:
    assert not are_bars(SmallFrames.of([bars(1, [0, 1, 2, 3, 4, 5])])).any()
