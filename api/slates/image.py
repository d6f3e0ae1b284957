"""Reads an image that a user uploads as a slate."""

import io
from typing import Final

from PIL import Image, UnidentifiedImageError

from api.errors import ValidationFailed
from monitors.frames import FRAME_HEIGHT, FRAME_WIDTH

FORMATS: Final = ("JPEG", "PNG", "WEBP")
MAX_IMAGE_BYTES: Final = 4 * 1024 * 1024
MAX_IMAGE_PIXELS: Final = 3840 * 2160


def slate_picture(image: bytes) -> bytes:
    """Return an image scaled to the size of small frames, see `monitors.frames.SLATE_BYTES`.

    Its shape is ignored, as that of a video is. What is transparent is black. It takes about 0.1 s
    and 60 MB for the largest: run it in a thread.

    Raises:
        ValidationFailed: no image of a known format, too large, or broken.
    """
    try:
        with Image.open(io.BytesIO(image), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MAX_IMAGE_PIXELS:
                raise ValidationFailed(
                    f"image: has {width}x{height} pixels, more than {MAX_IMAGE_PIXELS} in all"
                )
            return _scaled(opened)
    except UnidentifiedImageError:
        raise ValidationFailed(f"image: must be one of {', '.join(FORMATS)}") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow raises
        raise ValidationFailed(f"image: cannot be read: {error}") from None


def _scaled(opened: Image.Image) -> bytes:
    whole = opened.convert("RGBA")
    on_black = Image.alpha_composite(Image.new("RGBA", whole.size, "black"), whole)
    small = on_black.convert("RGB").resize((FRAME_WIDTH, FRAME_HEIGHT), Image.Resampling.BOX)
    return small.tobytes()
