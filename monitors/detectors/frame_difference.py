"""Whether two small pictures show the same thing."""

from collections.abc import Iterator
from operator import sub

from monitors.frames import BLOCK_SIZE, PICTURE_BYTES, PICTURE_HEIGHT, PICTURE_WIDTH

COLUMNS = PICTURE_WIDTH // BLOCK_SIZE
"""Of blocks."""

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
    most = SAME_PICTURE_TOLERANCE * BLOCK_SIZE**2
    return one == other or all(row <= most for row in _differences_of_rows(one, other))


def largest_block_difference(one: bytes, other: bytes) -> float:
    """Return by how much the mean of the block that differs most differs, in levels.

    Raises:
        ValueError: a picture has another size.
    """
    return max(_differences_of_rows(one, other)) / BLOCK_SIZE**2


def _differences_of_rows(one: bytes, other: bytes) -> Iterator[int]:
    """Yield the largest difference of the sums of two blocks, one row of blocks after the other.

    Whoever looks for a difference need not look further than to the first.
    """
    if not len(one) == len(other) == PICTURE_BYTES:
        raise ValueError(f"pictures must have {PICTURE_WIDTH} x {PICTURE_HEIGHT} pixels")
    for start in range(0, PICTURE_BYTES, PICTURE_WIDTH * BLOCK_SIZE):
        stop = start + PICTURE_WIDTH * BLOCK_SIZE
        pixels = map(sub, one[start:stop], other[start:stop])
        pieces = list(map(sum, zip(*[pixels] * BLOCK_SIZE, strict=True)))
        lines = [pieces[at : at + COLUMNS] for at in range(0, len(pieces), COLUMNS)]
        yield max(map(abs, map(sum, zip(*lines, strict=True))))
