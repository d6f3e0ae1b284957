"""Queues an event for the destinations of its monitor, in the transaction that records it first."""

from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.deliveries import add_row
from api.store.destination_records import DestinationRecord
from api.store.destination_tables import deliveries
from api.store.destinations import wanting_destinations
from api.store.silences import silences_since
from api.store.tables import incidents, monitors
from monitors.events import StreamEvent, is_opening, kind_of
from monitors.status import IncidentKind, Severity
from notifications.notification import NotificationState

MAX_HOST_CHARS: Final = 255


async def queue_event(
    connection: AsyncConnection,
    event: StreamEvent,
    now: datetime,
    *,
    monitor_ended_at: datetime | None = None,
) -> list[str]:
    """Queue an event for each destination that wants it; return these.

    An incident that begins in a silence is marked as silenced.
    """
    kind, state = kind_of(event.event_type), _state(event)
    if kind and state is NotificationState.OPENED:
        await _mark_silenced(connection, event, kind)
    wanting = [
        one
        for one in await wanting_destinations(connection, event.monitor_id)
        if _wants(one, event, kind.severity if kind else None)
    ]
    for destination in wanting:
        if state is NotificationState.CLOSED and await _is_closed(connection, destination, event):
            continue  # it ended with its monitor
        await add_row(
            connection,
            destination_id=destination.destination_id,
            state=state,
            monitor_id=event.monitor_id,
            event_id=event.event_id,
            event_type=event.event_type,
            incident_id=event.data.get("incident_id") if kind else None,
            origin_host=_host(event.stream_url),
            happened_at=event.timestamp,
            created_at=now,
        )
    if state is NotificationState.OPENED and monitor_ended_at:
        incident_id = event.data["incident_id"]
        await queue_without_event(connection, incident_id, NotificationState.CLOSED, now)
    return [one.destination_id for one in wanting]


async def queue_without_event(
    connection: AsyncConnection, incident_id: str, state: NotificationState, at: datetime
) -> None:
    """Queue what happens to an incident without an event of its monitor.

    It is acknowledged, or it ends because its monitor does. Who was not to be told of its beginning
    is not told of that, and nobody is told twice.
    """
    opened = deliveries.alias()
    known = exists().where(
        deliveries.c.destination_id == opened.c.destination_id,
        deliveries.c.incident_id == incident_id,
        deliveries.c.state == state,
    )
    query = select(opened).where(
        opened.c.incident_id == incident_id,
        opened.c.state == NotificationState.OPENED,
        ~known,
    )
    for row in (await connection.execute(query)).all():
        await add_row(
            connection,
            destination_id=row.destination_id,
            state=state,
            monitor_id=row.monitor_id,
            event_type=row.event_type,
            incident_id=incident_id,
            origin_host=row.origin_host,
            happened_at=at,
            created_at=at,
        )


def _state(event: StreamEvent) -> NotificationState:
    if kind_of(event.event_type) is None or "incident_id" not in event.data:
        return NotificationState.EVENT
    is_first = is_opening(event.event_type)
    return NotificationState.OPENED if is_first else NotificationState.CLOSED


def _wants(destination: DestinationRecord, event: StreamEvent, severity: Severity | None) -> bool:
    if not any(fnmatchcase(event.event_type, pattern) for pattern in destination.events):
        return False
    return severity is None or destination.min_severity in (None, Severity.WARNING, severity)


async def _is_closed(
    connection: AsyncConnection, destination: DestinationRecord, event: StreamEvent
) -> bool:
    known = await connection.scalar(
        select(deliveries.c.delivery_id)
        .where(
            deliveries.c.destination_id == destination.destination_id,
            deliveries.c.incident_id == event.data["incident_id"],
            deliveries.c.state == NotificationState.CLOSED,
        )
        .limit(1)
    )
    return known is not None


async def _mark_silenced(
    connection: AsyncConnection, event: StreamEvent, kind: IncidentKind
) -> None:
    covering = [
        one
        for one in await silences_since(connection, event.timestamp)
        if one.covers(event.timestamp)
    ]
    if not covering:
        return
    labels = await connection.scalar(
        select(monitors.c.labels).where(monitors.c.monitor_id == event.monitor_id)
    )
    if any(one.matches(event.monitor_id, labels or {}, kind) for one in covering):
        await connection.execute(
            update(incidents)
            .where(incidents.c.incident_id == event.data["incident_id"])
            .values(silenced=True)
        )


def _host(stream_url: str) -> str | None:
    try:
        host = urlsplit(stream_url).hostname
    except ValueError:
        return None
    return host[:MAX_HOST_CHARS] if host else None
