"""The size of the small pictures that are compared."""

PICTURE_WIDTH = 64
PICTURE_HEIGHT = 36
