"""Monitors in the database, without a request that makes them."""

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.monitor_records import MonitorRecord, new_row
from api.store.tables import monitors


async def insert_monitor(connection: AsyncConnection, record: MonitorRecord) -> None:
    """Add a monitor without the checks of `InsertionStore`; its last report is not saved."""
    await connection.execute(insert(monitors).values(new_row(record)))
