"""Adds monitors, with the checks that must hold across all gateways."""

from collections.abc import Collection
from typing import NoReturn

from sqlalchemy import Integer, bindparam, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart
from api.store.destinations import name_destinations
from api.store.records import EarlierCreation, IdempotencyKey, MonitorRecord
from api.store.rows import IS_ACTIVE, NEW_COLUMNS, new_row
from api.store.tables import idempotency_keys, monitors

# Built once: building them costs more than the database takes to execute them.
_TAKEN_BY = select(monitors.c.monitor_id).where(
    monitors.c.stream_key == bindparam("stream_key"), IS_ACTIVE
)
_COUNT = select(func.count()).select_from(monitors).where(IS_ACTIVE).scalar_subquery()
_ADD_WHERE_ROOM = insert(monitors).from_select(
    NEW_COLUMNS,
    select(*(bindparam(name, type_=monitors.c[name].type) for name in NEW_COLUMNS)).where(
        ~exists(_TAKEN_BY), bindparam("max_active", type_=Integer) > _COUNT
    ),
)


class DuplicateStream(Exception):
    """An active monitor watches the stream already."""

    def __init__(self, monitor_id: str) -> None:
        super().__init__(monitor_id)
        self.monitor_id = monitor_id


class TooManyMonitors(Exception):
    pass


class InsertionStore(StorePart):
    """Adds monitors one at a time, over all gateways on this database."""

    async def add(
        self,
        record: MonitorRecord,
        *,
        max_active: int,
        key: IdempotencyKey | None,
        destinations: Collection[str] = (),
    ) -> EarlierCreation | None:
        """Add a monitor, or return what its idempotency key already made.

        The unique index over active stream keys backs the check for doubles.

        Raises:
            DuplicateStream: an active monitor has the same stream key.
            TooManyMonitors: `max_active` monitors are active.
        """
        async with self._database.exclusive_write() as connection:
            if key and (earlier := await _find_by_key(connection, key.key_hash)):
                return earlier
            if not await _add_where_room(connection, record, max_active):
                await _raise_refusal(connection, record.stream_key)
            await name_destinations(connection, record.monitor_id, destinations)
            if key:
                await _add_key(connection, key, record)
        return None

    async def find_by_idempotency_key(self, key: IdempotencyKey) -> EarlierCreation | None:
        """Return what was created under this key, if anything."""
        async with self._database.read() as connection:
            return await _find_by_key(connection, key.key_hash)


async def _add_where_room(
    connection: AsyncConnection, record: MonitorRecord, max_active: int
) -> bool:
    """Check and add in one statement; False when there is no room."""
    values = new_row(record)
    added = await connection.execute(_ADD_WHERE_ROOM, {**values, "max_active": max_active})
    return added.rowcount == 1


async def _raise_refusal(connection: AsyncConnection, stream_key: str) -> NoReturn:
    """Raise what `InsertionStore.add` raises when there is no room."""
    monitor_id: str | None = await connection.scalar(_TAKEN_BY, {"stream_key": stream_key})
    raise DuplicateStream(monitor_id) if monitor_id is not None else TooManyMonitors


async def _add_key(connection: AsyncConnection, key: IdempotencyKey, record: MonitorRecord) -> None:
    await connection.execute(
        insert(idempotency_keys).values(
            key_hash=key.key_hash,
            body_hash=key.body_hash,
            monitor_id=record.monitor_id,
            created_at=record.created_at,
        )
    )


async def _find_by_key(connection: AsyncConnection, key_hash: str) -> EarlierCreation | None:
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
