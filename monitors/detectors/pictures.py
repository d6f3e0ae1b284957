"""Whether two small pictures show the same thing."""

from operator import sub

from monitors.measurement import PICTURE_HEIGHT, PICTURE_WIDTH

BLOCK_SIZE = 4
"""Side of the squares whose mean is compared, in pixels of the small picture."""

SAME_PICTURE_TOLERANCE = 1.0
"""Largest difference of a block's mean between pictures that are the same, in 8-bit luma levels.

Measured with x264 at 256x144: frames of one frozen picture differ by up to 0.6 at 150 kbit/s and
0.9 at 60 kbit/s (0.8 and 2.0 where all of it is fine noise; half as much again in the first
seconds, while the rate control settles). A mouth of 8x3 pixels there differs by 1.0 to 1.5.
"""


def same_picture(one: bytes, other: bytes) -> bool:
    """Tell whether two pictures are the same apart from the noise of an encoder.

    Args:
        one: 8-bit luma, `PICTURE_WIDTH` x `PICTURE_HEIGHT`, row by row.
        other: likewise.
    """
    return one == other or largest_block_difference(one, other) <= SAME_PICTURE_TOLERANCE


def largest_block_difference(one: bytes, other: bytes) -> float:
    """Return by how much the mean of the block that differs most differs, in levels.

    Raises:
        ValueError: a picture has another size.
    """
    if not len(one) == len(other) == PICTURE_WIDTH * PICTURE_HEIGHT:
        raise ValueError(f"pictures must have {PICTURE_WIDTH} x {PICTURE_HEIGHT} pixels")
    pixels = map(sub, one, other)
    pieces = list(map(sum, zip(*[pixels] * BLOCK_SIZE, strict=True)))
    return max(map(abs, _block_sums(pieces))) / BLOCK_SIZE**2


def _block_sums(pieces: list[int]) -> list[int]:
    """Add up what lies below each other; `pieces` are the sums of `BLOCK_SIZE` pixels in a row."""
    columns = PICTURE_WIDTH // BLOCK_SIZE
    sums: list[int] = []
    for start in range(0, len(pieces), columns * BLOCK_SIZE):
        rows = [pieces[start + row * columns :][:columns] for row in range(BLOCK_SIZE)]
        sums += map(sum, zip(*rows, strict=True))
    return sums
