"""Adds monitors, with the checks that must hold across all gateways."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart
from api.store.destinations import name_destinations
from api.store.monitor_records import IS_ACTIVE, MonitorRecord, new_row
from api.store.tables import idempotency_keys, monitors


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's key and the body it came with, as hex digests."""

    key_hash: str
    body_hash: str


@dataclass(frozen=True)
class EarlierCreation:
    body_hash: str
    monitor_id: str
    created_at: datetime
    workflow_started_at: datetime | None


# Built once: building it costs more than the database takes to execute it.
_TAKEN_BY_AND_ACTIVE = select(
    select(monitors.c.monitor_id)
    .where(monitors.c.stream_key == bindparam("stream_key"), IS_ACTIVE)
    .scalar_subquery(),
    select(func.count()).select_from(monitors).where(IS_ACTIVE).scalar_subquery(),
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
            DuplicateStream, TooManyMonitors: there is no room for it.
        """
        async with self._database.exclusive_write() as connection:
            if key and (earlier := await _find_by_key(connection, key.key_hash)):
                return earlier
            wanted = {"stream_key": record.stream_key}
            taken_by, active = (await connection.execute(_TAKEN_BY_AND_ACTIVE, wanted)).one()
            if taken_by is not None:
                raise DuplicateStream(taken_by)
            if active >= max_active:
                raise TooManyMonitors
            await connection.execute(insert(monitors), new_row(record))
            await name_destinations(connection, record.monitor_id, destinations)
            if key:
                of_monitor = {"monitor_id": record.monitor_id, "created_at": record.created_at}
                await connection.execute(insert(idempotency_keys).values(**vars(key), **of_monitor))
        return None

    async def find_by_idempotency_key(self, key: IdempotencyKey) -> EarlierCreation | None:
        async with self._database.read() as connection:
            return await _find_by_key(connection, key.key_hash)


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
    return EarlierCreation(**row._mapping) if row else None
