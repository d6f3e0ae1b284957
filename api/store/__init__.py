"""What the gateway remembers: monitors, their last reports, their events, idempotency keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import select

from api.store.creation import CreationStore
from api.store.database import Database
from api.store.events import EventStore
from api.store.migrate import upgrade_database
from api.store.monitors import MonitorStore
from api.store.outage import StoreUnavailable
from api.store.retention import RetentionStore
from api.store.tables import deployment


@dataclass(frozen=True)
class Store:
    """The tables of one database, by what they are about.

    Attributes:
        deployment_id: names the database, among others that share a Temporal namespace with it.
    """

    deployment_id: str
    database: Database
    creation: CreationStore
    monitors: MonitorStore
    events: EventStore
    retention: RetentionStore


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Open the database at `url`, brought to the newest form, and close it at the end.

    Raises:
        InvalidDatabaseUrl: no PostgreSQL or SQLite URL.
        StoreUnavailable: the database does not answer.
    """
    database = Database(url)
    try:
        await upgrade_database(database)
        yield Store(
            deployment_id=await _deployment_id(database),
            database=database,
            creation=CreationStore(database),
            monitors=MonitorStore(database),
            events=EventStore(database),
            retention=RetentionStore(database),
        )
    finally:
        await database.close()


async def _deployment_id(database: Database) -> str:
    async with database.read() as connection:
        found: str = (await connection.scalars(select(deployment.c.deployment_id))).one()
    return found


__all__ = ["Store", "StoreUnavailable", "open_store"]
