"""The sizes of the small pictures that are compared."""

PICTURE_WIDTH = 64
PICTURE_HEIGHT = 36
PICTURE_BYTES = PICTURE_WIDTH * PICTURE_HEIGHT

BLOCK_SIZE = 2
"""Side of the squares whose mean is compared, in pixels of the small picture."""

LANDMARK_BYTES = PICTURE_WIDTH // BLOCK_SIZE * (PICTURE_HEIGHT // BLOCK_SIZE)
"""A landmark (`media.decoder.landmarks`) is remembered as these means, rounded down, row by row."""
