"""The audit of events and deliveries in the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import Database
from api.store.records import EventRecord, delivery_goes_on
from api.store.tables import monitor_events, monitors
from monitors.events import EventType
from monitors.reports import EventReport
from monitors.status import DeliveryStatus


class EventStore:
    """Keeps each event once, with the newest word on its delivery."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, monitor_id: str, report: EventReport, now: datetime) -> bool:
        """Keep an event, or what became of it since. False: no such monitor."""
        async with self._database.write() as connection:
            # Locking the monitor keeps two first reports of one event from colliding.
            found = await connection.scalar(
                select(monitors.c.monitor_id)
                .where(monitors.c.monitor_id == monitor_id)
                .with_for_update()
            )
            if found is None:
                return False
            await _upsert(connection, monitor_id, report, now)
            return True

    async def page(
        self, monitor_id: str, *, limit: int, offset: int
    ) -> tuple[list[EventRecord], int]:
        """Return up to `limit` events of a monitor in their order, and how many there are."""
        of_monitor = monitor_events.c.monitor_id == monitor_id
        query = (
            select(monitor_events)
            .where(of_monitor)
            .order_by(monitor_events.c.sequence, monitor_events.c.event_id)
            .limit(limit)
            .offset(offset)
        )
        async with self._database.read() as connection:
            total = await connection.scalar(
                select(func.count()).select_from(monitor_events).where(of_monitor)
            )
            rows = (await connection.execute(query)).all()
        return [_record(row) for row in rows], total or 0


async def _upsert(
    connection: AsyncConnection, monitor_id: str, report: EventReport, now: datetime
) -> None:
    is_event = (monitor_events.c.monitor_id == monitor_id) & (
        monitor_events.c.event_id == report.event.event_id
    )
    known = (
        await connection.execute(
            select(monitor_events.c.webhook_status, monitor_events.c.webhook_attempts).where(
                is_event
            )
        )
    ).one_or_none()
    if known is None:
        await connection.execute(
            insert(monitor_events).values(
                monitor_id=monitor_id, created_at=now, **_event(report), **_delivery(report)
            )
        )
    elif delivery_goes_on(
        DeliveryStatus(known.webhook_status),
        known.webhook_attempts,
        report.webhook_status,
        report.webhook_attempts,
    ):
        await connection.execute(update(monitor_events).where(is_event).values(_delivery(report)))


def _event(report: EventReport) -> dict[str, Any]:
    return {
        "event_id": report.event.event_id,
        "event_type": report.event.event_type,
        "sequence": report.event.sequence,
        "payload": report.event.model_dump(mode="json"),
    }


def _delivery(report: EventReport) -> dict[str, Any]:
    return {
        "webhook_status": report.webhook_status,
        "webhook_attempts": report.webhook_attempts,
        "webhook_last_error": report.webhook_last_error,
        "sent_at": report.sent_at,
    }


def _record(row: Row[*tuple[Any, ...]]) -> EventRecord:
    return EventRecord(
        event_id=row.event_id,
        event_type=EventType(row.event_type),
        payload=row.payload,
        webhook_status=DeliveryStatus(row.webhook_status),
        webhook_attempts=row.webhook_attempts,
        webhook_last_error=row.webhook_last_error,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
