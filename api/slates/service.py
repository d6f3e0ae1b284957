"""Keeps slates, for the watches of all monitors."""

import asyncio
import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final

from PIL import Image, UnidentifiedImageError
from pydantic import AwareDatetime, BaseModel, Field

from api.errors import SlateNotFound, ValidationFailed
from api.injection import injected
from api.store import Store
from monitors.frames import FRAME_HEIGHT, FRAME_WIDTH
from monitors.measurement import MOST_SLATES, SLATE_NAME

_NAME: Final = re.compile(SLATE_NAME)

FORMATS: Final = ("JPEG", "PNG", "WEBP")
MAX_IMAGE_BYTES: Final = 4 * 1024 * 1024
MAX_IMAGE_PIXELS: Final = 3840 * 2160


class Slate(BaseModel):
    """A picture that is not to be on air."""

    name: str = Field(examples=["technical-difficulties"])
    updated_at: AwareDatetime = Field(description="When its image was uploaded last.")


class SlateList(BaseModel):
    """All slates, by name."""

    slates: list[Slate]


class SlateService:
    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._reading = asyncio.Semaphore(1)

    async def put(self, name: str, image: bytes) -> Slate:
        """Keep an image as the slate of that name, instead of one that was there before."""
        if not _NAME.fullmatch(name):
            raise ValidationFailed(
                "name: must be 1 to 64 letters, digits, dots, hyphens or underscores, "
                "and begin with a letter or digit"
            )
        async with self._reading:  # images are large when they are decoded
            picture = await asyncio.to_thread(slate_picture, image)
        at = self._now()
        if not await self._store.slates.put(name, picture, at, most=MOST_SLATES):
            raise ValidationFailed(f"name: there are {MOST_SLATES} slates already; delete one")
        return Slate(name=name, updated_at=at)

    async def list_slates(self) -> SlateList:
        found = await self._store.slates.all()
        return SlateList(slates=[Slate(name=it.name, updated_at=it.updated_at) for it in found])

    async def pictures(self) -> dict[str, bytes]:
        return {each.name: each.picture for each in await self._store.slates.all()}

    async def delete(self, name: str) -> None:
        """Remove a slate; watches learn of it within a minute."""
        if not (_NAME.fullmatch(name) and await self._store.slates.delete(name)):
            raise SlateNotFound(name)


Slates = Annotated[SlateService, injected(SlateService)]


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
