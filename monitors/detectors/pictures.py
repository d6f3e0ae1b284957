"""Whether two small pictures show the same thing."""

from operator import sub

from monitors.pictures import BLOCK_SIZE, PICTURE_HEIGHT, PICTURE_WIDTH

SAME_PICTURE_TOLERANCE = 8.0
"""Largest difference of a block's mean between pictures that are the same, in 8-bit luma levels.

Measured with x264 at 256x144 and 15 pictures a second, against the picture at the beginning: a
frozen texture of 1/f noise, the hardest to encode, differs by up to 2.0 at 150 kbit/s, 5.5 at
60 kbit/s, and 7.8 when it is encoded at 60 kbit/s a second time. A mouth of 8x3 pixels differs by
more than 8 each time it opens, a pan of half a pixel a second after 3 to 5 s.
"""

STILL_GAP_SEC = 0.1
"""A movement this short between two pieces that show the same picture is a flaw of the encoder.

More would join the pauses of a mouth that moves 0.2 s every few seconds.
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
