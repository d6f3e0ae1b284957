"""Keeps slates, for the watches of all monitors."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final

from api.errors import SlateNotFound, ValidationFailed
from api.injection import injected
from api.slates.image import slate_picture
from api.slates.schemas import Slate, SlateList
from api.store import Store
from monitors.measurement import MOST_SLATES, SLATE_NAME

_NAME: Final = re.compile(SLATE_NAME)


class SlateService:
    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._reading = asyncio.Semaphore(1)

    async def put(self, name: str, image: bytes) -> Slate:
        """Keep an image as the slate of that name, instead of one that was there before.

        Raises:
            ValidationFailed: no name or image that can be used, or one slate too many.
        """
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
        """Return the picture of each slate, see `monitors.frames.SLATE_BYTES`."""
        return {each.name: each.picture for each in await self._store.slates.all()}

    async def delete(self, name: str) -> None:
        """Remove a slate; watches learn of it within a minute.

        Raises:
            SlateNotFound: there is none of that name.
        """
        if not (_NAME.fullmatch(name) and await self._store.slates.delete(name)):
            raise SlateNotFound(name)


Slates = Annotated[SlateService, injected(SlateService)]
