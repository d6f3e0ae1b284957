"""Adding monitors: the checks that must hold for all gateways at once are made here."""

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import Database
from api.store.monitors import IS_ACTIVE, insert_monitor
from api.store.records import EarlierCreation, IdempotencyKey, MonitorRecord
from api.store.tables import idempotency_keys, monitors


class StreamTaken(Exception):
    """An active monitor watches the stream already."""

    def __init__(self, monitor_id: str) -> None:
        super().__init__(monitor_id)
        self.monitor_id = monitor_id


class TooManyMonitors(Exception):
    """As many monitors are active as may be."""


class CreationStore:
    """Adds monitors one at a time, over all gateways on this database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, record: MonitorRecord, *, max_active: int, key: IdempotencyKey | None
    ) -> EarlierCreation | None:
        """Add a monitor, or return what its idempotency key already made.

        The unique index over active stream keys backs the check for doubles.

        Raises:
            StreamTaken: an active monitor has the same stream key.
            TooManyMonitors: `max_active` monitors are active.
        """
        async with self._database.exclusive_write() as connection:
            if key and (earlier := await _earlier(connection, key.key_hash)):
                return earlier
            await _check_room(connection, record.stream_key, max_active)
            await insert_monitor(connection, record)
            if key:
                await _remember(connection, key, record)
        return None

    async def earlier(self, key: IdempotencyKey) -> EarlierCreation | None:
        """Return what was created under this key, if anything."""
        async with self._database.read() as connection:
            return await _earlier(connection, key.key_hash)


async def _check_room(connection: AsyncConnection, stream_key: str, max_active: int) -> None:
    taken_by = select(monitors.c.monitor_id).where(monitors.c.stream_key == stream_key, IS_ACTIVE)
    active = select(func.count()).select_from(monitors).where(IS_ACTIVE)
    both = select(taken_by.scalar_subquery(), active.scalar_subquery())
    monitor_id, count = (await connection.execute(both)).one()
    if monitor_id is not None:
        raise StreamTaken(monitor_id)
    if count >= max_active:
        raise TooManyMonitors


async def _remember(
    connection: AsyncConnection, key: IdempotencyKey, record: MonitorRecord
) -> None:
    await connection.execute(
        insert(idempotency_keys).values(
            key_hash=key.key_hash,
            body_hash=key.body_hash,
            monitor_id=record.monitor_id,
            created_at=record.created_at,
        )
    )


async def _earlier(connection: AsyncConnection, key_hash: str) -> EarlierCreation | None:
    query = (
        select(
            idempotency_keys.c.body_hash,
            monitors.c.monitor_id,
            monitors.c.created_at,
            monitors.c.workflow_started_at,
        )
        .join(monitors, monitors.c.monitor_id == idempotency_keys.c.monitor_id)
        .where(idempotency_keys.c.key_hash == key_hash)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return EarlierCreation(
        key=IdempotencyKey(key_hash=key_hash, body_hash=row.body_hash),
        monitor_id=row.monitor_id,
        created_at=row.created_at,
        workflow_started_at=row.workflow_started_at,
    )
