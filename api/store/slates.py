"""Slates in the database."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Column, LargeBinary, String, Table, delete, select

from api.store.database import StorePart
from api.store.tables import UtcTime, metadata

slates = Table(
    "slates",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("picture", LargeBinary, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)
"""Pictures that are not to be on air, scaled down; see `monitors.frames.SLATE_BYTES`."""


@dataclass(frozen=True)
class SlateRecord:
    """A slate; `picture` as in `monitors.frames.SLATE_BYTES`."""

    name: str
    picture: bytes = field(repr=False)
    updated_at: datetime


class SlateStore(StorePart):
    async def put(self, name: str, picture: bytes, at: datetime, *, most: int) -> bool:
        """Keep a slate. False: there are `most` others already."""
        values = {"name": name, "picture": picture, "updated_at": at}
        return await self._database.put(slates.c.name, values, most=most)

    async def all(self) -> list[SlateRecord]:
        rows = await self._database.rows(select(slates).order_by(slates.c.name))
        return [SlateRecord(row.name, row.picture, row.updated_at) for row in rows]

    async def delete(self, name: str) -> bool:
        """False: there is none of that name."""
        return await self._database.write_one(delete(slates).where(slates.c.name == name)) == 1
