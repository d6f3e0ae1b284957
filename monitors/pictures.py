"""Pictures for people: what every part of the service knows of them."""

MOST_PICTURE_WIDTH = 1280  # of either side, in pixels

MOST_PICTURE_BYTES = 1024 * 1024
USUAL_PICTURE_BYTES = 200 * 1024  # a picture that takes more is encoded more coarsely
JPEG_BEGIN, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


def is_jpeg(data: bytes) -> bool:
    """Return whether bytes may be a whole JPEG of a picture's size; nothing more is known of it."""
    is_bounded = len(data) <= MOST_PICTURE_BYTES
    return is_bounded and data.startswith(JPEG_BEGIN) and data.rstrip(b"\0").endswith(JPEG_END)
