"""Silences in the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import Database
from api.store.destination_records import SilenceRecord
from api.store.destination_tables import silences
from monitors.status import IncidentKind


class SilenceStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, record: SilenceRecord) -> None:
        await self._database.write_one(insert(silences).values(vars(record)))

    async def find(self, silence_id: str) -> SilenceRecord | None:
        query = select(silences).where(silences.c.silence_id == silence_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _record(row) if row else None

    async def page(
        self, *, since: datetime, limit: int, offset: int
    ) -> tuple[list[SilenceRecord], int]:
        """Return silences that end after `since`, the first to end first, and how many."""
        wanted = silences.c.ends_at > since
        counting = select(func.count()).select_from(silences).where(wanted)
        query = (
            select(silences)
            .where(wanted)
            .order_by(silences.c.ends_at, silences.c.silence_id)
            .limit(limit)
            .offset(offset)
        )
        async with self._database.read() as connection:
            total = await connection.scalar(counting) or 0
            rows = (await connection.execute(query)).all()
        return [_record(row) for row in rows], total

    async def end(self, silence_id: str, at: datetime) -> None:
        """End a silence; one that has not begun is removed, one that has ended stays."""
        is_it = silences.c.silence_id == silence_id
        async with self._database.write() as connection:
            await connection.execute(delete(silences).where(is_it, silences.c.starts_at >= at))
            await connection.execute(
                update(silences).where(is_it, silences.c.ends_at > at).values(ends_at=at)
            )

    async def remove_ended(self, before: datetime, limit: int) -> int:
        """Remove up to `limit` silences that ended before then; return how many."""
        old = select(silences.c.silence_id).where(silences.c.ends_at < before).limit(limit)
        return await self._database.write_one(
            delete(silences).where(silences.c.silence_id.in_(old))
        )


async def silences_since(connection: AsyncConnection, moment: datetime) -> list[SilenceRecord]:
    """Return the silences that end after a moment."""
    query = select(silences).where(silences.c.ends_at > moment)
    return [_record(row) for row in (await connection.execute(query)).all()]


def _record(row: Row[*tuple[Any, ...]]) -> SilenceRecord:
    kinds = None if row.kinds is None else [IncidentKind(kind) for kind in row.kinds]
    return SilenceRecord(**dict(row._mapping) | {"kinds": kinds})
