"""The audit of events and deliveries in the database."""

import json
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.coverage import note_life
from api.store.database import StorePart
from api.store.evidence import expect_evidence
from api.store.incidents import apply_event
from api.store.queueing import keep_order, queue_event
from api.store.silences import silenced_until
from api.store.tables import monitor_events, monitors
from monitors.config import MonitorConfig
from monitors.events import EventType, incident_id_of
from monitors.reports import EventReport
from monitors.status import DeliveryStatus


@dataclass(frozen=True)
class Delivery:
    """What is known of an event's webhook, as its columns and its reports name it."""

    webhook_status: DeliveryStatus
    webhook_attempts: int
    webhook_last_error: str | None
    sent_at: datetime | None


@dataclass(frozen=True)
class EventRecord:
    event_id: str
    event_type: EventType
    payload: dict[str, Any]
    delivery: Delivery
    created_at: datetime


@dataclass(frozen=True)
class RecordedEvent:
    """What follows from a report of an event.

    Attributes:
        to_tell: destinations for which it was queued just now.
        silenced_until: until when a silence holds back its webhook, unless that is through.
    """

    to_tell: list[str]
    silenced_until: datetime | None = None


_OF_MONITOR = (
    *(monitors.c[name] for name in ("monitor_id", "name", "title", "labels", "config")),
    *(monitors.c[name] for name in ("finished_at", "recorded_through")),
)
_COLUMNS = (
    *(monitor_events.c[name] for name in ("event_id", "event_type", "body", "created_at")),
    *(monitor_events.c[each.name] for each in fields(Delivery)),
)


class EventStore(StorePart):
    """Keeps each event once, with the newest state of its delivery."""

    async def record(
        self, monitor_id: str, report: EventReport, now: datetime
    ) -> RecordedEvent | None:
        """Keep an event or the outcome of its delivery; None: there is no such monitor."""
        async with self._database.write() as connection:
            # Locking the monitor keeps two first reports of one event from colliding.
            query = select(*_OF_MONITOR).where(monitors.c.monitor_id == monitor_id)
            monitor = (await connection.execute(query.with_for_update())).one_or_none()
            if monitor is None:
                return None
            to_tell: list[str] = []
            if await _is_first(connection, monitor_id, report, monitor.labels, now):
                await apply_event(connection, report.event, monitor)
                level = MonitorConfig.model_validate(monitor.config).evidence
                await expect_evidence(connection, report.event, level, now)
                to_tell = await queue_event(connection, report.event, monitor.labels, now)
                to_tell += await keep_order(
                    connection, report.event, recorded_through=monitor.recorded_through, now=now
                )
            if report.webhook_status is not DeliveryStatus.PENDING:
                return RecordedEvent(to_tell)
            until = await silenced_until(connection, report.event, monitor.labels, now)
            if until and await _was_sent(connection, monitor_id, report.event.event_id):
                until = None  # a user had it sent all the same: its end is told, too
            return RecordedEvent(to_tell, until)

    async def find(self, monitor_id: str, event_id: str) -> EventRecord | None:
        if "\0" in event_id:  # PostgreSQL refuses the question
            return None
        async with self._database.read() as connection:
            return await _find(connection, monitor_id, event_id)

    async def await_redelivery(self, monitor_id: str, event_id: str, *, attempts: int) -> None:
        """Show a failed delivery as pending again, unless more than `attempts` are known now."""
        change = (
            update(monitor_events)
            .where(
                _is_event(monitor_id, event_id),
                monitor_events.c.webhook_status == DeliveryStatus.FAILED,
                monitor_events.c.webhook_attempts == attempts,
            )
            .values(webhook_status=DeliveryStatus.PENDING)
        )
        await self._database.write_one(change)

    async def of_incident(self, incident_id: str) -> list[EventRecord]:
        query = (
            select(*_COLUMNS)
            .where(monitor_events.c.incident_id == incident_id)
            .order_by(monitor_events.c.sequence)
        )
        return [_record(row) for row in await self._database.rows(query)]

    async def page(
        self, monitor_id: str, *, limit: int, offset: int
    ) -> tuple[list[EventRecord], int]:
        query = select(*_COLUMNS).where(monitor_events.c.monitor_id == monitor_id)
        in_order = query.order_by(monitor_events.c.sequence, monitor_events.c.event_id)
        rows, total = await self._database.page(in_order, limit=limit, offset=offset)
        return [_record(row) for row in rows], total


async def _is_first(
    connection: AsyncConnection,
    monitor_id: str,
    report: EventReport,
    labels: dict[str, str],
    now: datetime,
) -> bool:
    """Keep a report; return whether it is the first one of its event."""
    event_id, reported = report.event.event_id, _delivery(report)
    known = await _find(connection, monitor_id, event_id)
    if (
        known
        and _is_failed_by_hand(known.delivery, reported)
        and await silenced_until(connection, report.event, labels, now)
    ):
        reported = replace(reported, webhook_status=DeliveryStatus.SILENCED)
    if known is None:
        await connection.execute(
            insert(monitor_events).values(
                monitor_id=monitor_id, created_at=now, **_event(report), **vars(reported)
            )
        )
        await note_life(connection, report.event)
        return True
    if (after := after_report(known.delivery, reported)) != known.delivery:
        await connection.execute(
            update(monitor_events).where(_is_event(monitor_id, event_id)).values(vars(after))
        )
    return False


async def _find(connection: AsyncConnection, monitor_id: str, event_id: str) -> EventRecord | None:
    query = select(*_COLUMNS).where(_is_event(monitor_id, event_id))
    row = (await connection.execute(query)).one_or_none()
    return _record(row) if row else None


def _is_failed_by_hand(known: Delivery, reported: Delivery) -> bool:
    """Return whether a user, if a silence holds an event back, had it sent in vain.

    Its monitor holds it still, to send it when the silence ends.
    """
    was_tried = reported.webhook_status is DeliveryStatus.FAILED and reported.webhook_attempts > 0
    return was_tried and known.webhook_status is DeliveryStatus.SILENCED


async def _was_sent(connection: AsyncConnection, monitor_id: str, event_id: str) -> bool:
    known = await _find(connection, monitor_id, event_id)
    return known is not None and known.delivery.webhook_status is DeliveryStatus.SENT


def _is_event(monitor_id: str, event_id: str) -> ColumnElement[bool]:
    return (monitor_events.c.monitor_id == monitor_id) & (monitor_events.c.event_id == event_id)


def _event(report: EventReport) -> dict[str, Any]:
    return {
        "event_id": report.event.event_id,
        "event_type": report.event.event_type,
        "sequence": report.event.sequence,
        "body": report.event.body().decode(),
        "incident_id": incident_id_of(report.event),
    }


def _delivery(known: Any) -> Delivery:
    return Delivery(**{each.name: getattr(known, each.name) for each in fields(Delivery)})


def _record(row: Row[*tuple[Any, ...]]) -> EventRecord:
    return EventRecord(
        event_id=row.event_id,
        event_type=row.event_type,
        payload=json.loads(row.body),
        delivery=_delivery(row),
        created_at=row.created_at,
    )


_DELIVERY_ORDER = (
    *(DeliveryStatus.NONE, DeliveryStatus.PENDING, DeliveryStatus.SILENCED),
    *(DeliveryStatus.FAILED, DeliveryStatus.SENT),
)


def after_report(known: Delivery, reported: Delivery) -> Delivery:
    """Return what is known of a delivery after a report, which may be late or come twice.

    What was sent stays sent, at the newest time; what failed is not pending again. A redelivery
    counts its attempts on from those before: one that fails leaves a sent webhook sent, but counts.
    """
    status, reported_status = known.webhook_status, reported.webhook_status
    before, after = _DELIVERY_ORDER.index(status), _DELIVERY_ORDER.index(reported_status)
    is_more = reported.webhook_attempts >= known.webhook_attempts
    if after > before or (after == before and is_more):
        return replace(reported, sent_at=reported.sent_at or known.sent_at)
    if status is DeliveryStatus.SENT and reported_status is DeliveryStatus.FAILED and is_more:
        return replace(reported, webhook_status=status, sent_at=known.sent_at)
    return known
