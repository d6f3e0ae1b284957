"""Public status pages in the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, String, Table, Text, delete, select

from api.store.database import StorePart
from api.store.tables import Json, UtcTime, metadata

status_pages = Table(
    "status_pages",
    metadata,
    Column("slug", String(63), primary_key=True),
    Column("title", String(120), nullable=False),
    Column("note", Text),
    Column("monitors", Json, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)
"""What anybody may see: ids of monitors with the names that strangers read."""


@dataclass(frozen=True)
class ShownMonitor:
    """A monitor on a status page; `name` is what strangers read, None: the monitor's own."""

    monitor_id: str
    name: str | None = None


@dataclass(frozen=True)
class StatusPageRecord:
    slug: str
    title: str
    note: str | None
    monitors: list[ShownMonitor]
    updated_at: datetime


class StatusPageStore(StorePart):
    async def put(self, record: StatusPageRecord, *, most: int) -> bool:
        """Keep a page, instead of one that was there before. False: there are `most` others."""
        values = vars(record) | {"monitors": [vars(each) for each in record.monitors]}
        return await self._database.put(status_pages.c.slug, values, most=most)

    async def find(self, slug: str) -> StatusPageRecord | None:
        query = select(status_pages).where(status_pages.c.slug == slug)
        row = await self._database.row(query)
        return _record(row) if row else None

    async def all(self) -> list[StatusPageRecord]:
        rows = await self._database.rows(select(status_pages).order_by("slug"))
        return [_record(row) for row in rows]

    async def delete(self, slug: str) -> bool:
        """False: there is none."""
        removal = delete(status_pages).where(status_pages.c.slug == slug)
        return await self._database.write_one(removal) == 1


def _record(row: Row[*tuple[Any, ...]]) -> StatusPageRecord:
    shown = [ShownMonitor(**each) for each in row.monitors]
    return StatusPageRecord(**dict(row._mapping) | {"monitors": shown})
