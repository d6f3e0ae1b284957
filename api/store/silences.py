"""Silences in the database."""

from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart
from api.store.destination_records import SilenceRecord
from api.store.destination_tables import silences


class SilenceStore(StorePart):
    async def add(self, record: SilenceRecord) -> None:
        await self._database.write_one(insert(silences).values(vars(record)))

    async def find(self, silence_id: str) -> SilenceRecord | None:
        query = select(silences).where(silences.c.silence_id == silence_id)
        row = await self._database.row(query)
        return SilenceRecord(**row._mapping) if row else None

    async def page(
        self, *, since: datetime, limit: int, offset: int
    ) -> tuple[list[SilenceRecord], int]:
        """Return silences that end after `since`, the first to end first, and how many."""
        query = select(silences).where(silences.c.ends_at > since)
        in_order = query.order_by(silences.c.ends_at, silences.c.silence_id)
        rows, total = await self._database.page(in_order, limit=limit, offset=offset)
        return [SilenceRecord(**row._mapping) for row in rows], total

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
        ends_at = silences.c.ends_at
        return await self._database.remove_first(
            silences, ends_at < before, by=ends_at, limit=limit
        )


async def silences_since(connection: AsyncConnection, moment: datetime) -> list[SilenceRecord]:
    """Return the silences that end after a moment."""
    query = select(silences).where(silences.c.ends_at > moment)
    return [SilenceRecord(**row._mapping) for row in (await connection.execute(query)).all()]
