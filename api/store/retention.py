"""Forgetting what is past its time, in batches small enough to hinder nobody."""

from datetime import datetime

from sqlalchemy import Delete, delete, select, tuple_

from api.store.database import Database
from api.store.tables import idempotency_keys, monitor_events, monitors


class RetentionStore:
    """Removes old rows; each call is one transaction and says how many it removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget_keys(self, *, created_before: datetime) -> int:
        """Remove old idempotency keys."""
        return await self._remove(
            delete(idempotency_keys).where(idempotency_keys.c.created_at < created_before)
        )

    async def forget_monitors(self, *, finished_before: datetime, limit: int) -> int:
        """Remove up to `limit` monitors that ended long ago, with all that belongs to them."""
        old = (
            select(monitors.c.monitor_id)
            .where(monitors.c.finished_at < finished_before)
            .order_by(monitors.c.finished_at)
            .limit(limit)
        )
        return await self._remove(delete(monitors).where(monitors.c.monitor_id.in_(old)))

    async def forget_events(self, *, created_before: datetime, limit: int) -> int:
        """Remove up to `limit` old events, of active monitors too."""
        key = (monitor_events.c.monitor_id, monitor_events.c.event_id)
        old = (
            select(*key)
            .where(monitor_events.c.created_at < created_before)
            .order_by(monitor_events.c.created_at)
            .limit(limit)
        )
        return await self._remove(delete(monitor_events).where(tuple_(*key).in_(old)))

    async def _remove(self, removal: Delete) -> int:
        return await self._database.write_one(removal)
