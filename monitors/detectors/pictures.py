"""Whether two small pictures show the same thing."""

from itertools import chain
from operator import sub

from monitors.measurement import PICTURE_HEIGHT, PICTURE_WIDTH

BLOCK = 4
"""Side of the squares that are compared, in pixels of the small picture."""

SAME_PICTURE_LEVELS = 2.0
"""Largest mean difference of a block, in levels of 8-bit luma, between pictures that are the same.

A frozen picture that an encoder codes anew as a keyframe differs by about one level everywhere; a
mouth or an eye changes few pixels, but by ten levels and more.
"""


def same_picture(one: bytes, other: bytes) -> bool:
    """Tell whether two pictures are the same apart from the noise of an encoder.

    Args:
        one: 8-bit luma, `PICTURE_WIDTH` x `PICTURE_HEIGHT`, row by row.
        other: likewise.
    """
    return one == other or largest_block_difference(one, other) <= SAME_PICTURE_LEVELS


def largest_block_difference(one: bytes, other: bytes) -> float:
    """Return the mean absolute difference of the block that differs most, in levels.

    Raises:
        ValueError: a picture has another size.
    """
    if not len(one) == len(other) == PICTURE_WIDTH * PICTURE_HEIGHT:
        raise ValueError(f"pictures must have {PICTURE_WIDTH} x {PICTURE_HEIGHT} pixels")
    pixels = map(abs, map(sub, one, other))
    pieces = list(map(sum, zip(*[pixels] * BLOCK, strict=True)))
    return max(chain.from_iterable(map(_block_sums, _bands(pieces)))) / BLOCK**2


def _bands(pieces: list[int]) -> list[list[int]]:
    length = PICTURE_WIDTH // BLOCK * BLOCK
    return [pieces[start : start + length] for start in range(0, len(pieces), length)]


def _block_sums(band: list[int]) -> list[int]:
    width = PICTURE_WIDTH // BLOCK
    rows = [band[start : start + width] for start in range(0, len(band), width)]
    return [sum(block) for block in zip(*rows, strict=True)]
