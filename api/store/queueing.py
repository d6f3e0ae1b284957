"""Queues an event for the destinations of its monitor, in the transaction that records it first.

A monitor's workflow reports its events on two paths, so that a later one may be recorded first:
after an outage, or while the receiver of an earlier one hangs. `recorded_through` of a monitor is
the sequence up to which all is recorded; what lies beyond it waits, see `api.destinations.due`.
"""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.deliveries import add_row
from api.store.delivery_records import LOST_AFTER, NotificationStatus, deliveries
from api.store.destinations import DestinationRecord, destinations, wanting_destinations
from api.store.silences import last_end, silences_since
from api.store.tables import incidents, monitor_events, monitors
from monitors.events import EventType, StreamEvent, is_opening, kind_of, opening_type
from monitors.status import Severity
from notifications.notification import NotificationState

MAX_HOST_CHARS: Final = 255

_UNTOLD = (NotificationStatus.PENDING, NotificationStatus.SILENCED)
_OF_OPENING = ("monitor_id", "event_type", "origin_host")


async def queue_event(
    connection: AsyncConnection, event: StreamEvent, labels: dict[str, str], now: datetime
) -> list[str]:
    """Queue an event for each destination that is to be told; return these.

    The end of an incident goes to whoever has its beginning. An incident that begins in a silence
    is marked as silenced.
    """
    kind, row = kind_of(event.event_type), _row(event, now)
    state = row["state"]
    if state is NotificationState.OPENED:
        await _mark_silenced(connection, event, labels)
    told = []
    if state is NotificationState.CLOSED:
        told = await _queue_after_opening(connection, row)
    wanting = [
        one.destination_id
        for one in await wanting_destinations(connection, event.monitor_id)
        if _wants(one, event.event_type)
        and not (state is NotificationState.CLOSED and kind and _wants(one, opening_type(kind)))
    ]
    for destination_id in set(wanting).difference(told):
        await add_row(connection, destination_id=destination_id, **row)
    if state is NotificationState.OPENED and not await _is_open(connection, row["incident_id"]):
        await _queue_end(connection, row["incident_id"], now)
    return [*told, *wanting]


def _row(event: StreamEvent, now: datetime) -> dict[str, Any]:
    return {
        "state": _state(event),
        "monitor_id": event.monitor_id,
        "event_id": event.event_id,
        "event_type": event.event_type,
        "sequence": event.sequence,
        "incident_id": event.data.get("incident_id") if kind_of(event.event_type) else None,
        "origin_host": _host(event.stream_url),
        "happened_at": event.timestamp,
        "created_at": now,
    }


async def _queue_end(connection: AsyncConnection, incident_id: str, now: datetime) -> None:
    """Queue the end of an incident that was recorded before its beginning."""
    query = select(monitor_events.c.body, monitor_events.c.event_type).where(
        monitor_events.c.incident_id == incident_id
    )
    recorded = (await connection.execute(query)).all()
    body = next((one.body for one in recorded if not is_opening(one.event_type)), None)
    if body is None:  # its monitor has ended
        await queue_without_event(connection, incident_id, NotificationState.CLOSED, now)
    else:
        row = _row(StreamEvent.model_validate_json(body), now)
        await _queue_after_opening(connection, row)


async def queue_without_event(
    connection: AsyncConnection, incident_id: str, state: NotificationState, at: datetime
) -> None:
    """Queue what happens to an incident without an event of its monitor.

    It is acknowledged, or it ends because its monitor does.
    """
    row = {"state": state, "incident_id": incident_id, "happened_at": at, "created_at": at}
    await _queue_after_opening(connection, row)


async def _queue_after_opening(connection: AsyncConnection, row: dict[str, Any]) -> list[str]:
    """Queue a row for each destination that has the beginning of its incident; return these.

    Whether it is enabled, named, or wants such events, is no matter: it would show the incident as
    open for ever. Nobody is told twice. Who is disabled and has not heard of the beginning is told
    neither it nor the end.
    """
    if row["state"] is NotificationState.CLOSED:
        await _skip_unheard(connection, row["incident_id"])
    opened = deliveries.alias()
    known = exists().where(
        deliveries.c.destination_id == opened.c.destination_id,
        deliveries.c.incident_id == row["incident_id"],
        deliveries.c.state == row["state"],
    )
    query = select(opened).where(
        opened.c.incident_id == row["incident_id"],
        opened.c.state == NotificationState.OPENED,
        opened.c.status != NotificationStatus.SKIPPED,
        ~known,
    )
    found = (await connection.execute(query)).all()
    for one in found:
        known_of_it = {name: one._mapping[name] for name in _OF_OPENING}
        await add_row(connection, destination_id=one.destination_id, **known_of_it | row)
    return [one.destination_id for one in found]


async def _skip_unheard(connection: AsyncConnection, incident_id: str) -> None:
    """Have nothing told of an incident that ends, where a disabled destination did not hear of it.

    It would be told as a beginning, as late as the destination is enabled again.
    """
    unheard = (
        select(deliveries.c.destination_id)
        .join(destinations, destinations.c.destination_id == deliveries.c.destination_id)
        .where(
            ~destinations.c.enabled,
            deliveries.c.incident_id == incident_id,
            deliveries.c.state == NotificationState.OPENED,
            deliveries.c.status.in_(_UNTOLD),
        )
    )
    await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.incident_id == incident_id,
            deliveries.c.destination_id.in_(unheard),
            deliveries.c.status.in_(_UNTOLD),
        )
        .values(status=NotificationStatus.SKIPPED)
    )


async def _is_open(connection: AsyncConnection, incident_id: str) -> bool:
    query = select(incidents.c.is_open).where(incidents.c.incident_id == incident_id)
    return await connection.scalar(query) is not False


def _state(event: StreamEvent) -> NotificationState:
    if kind_of(event.event_type) is None or "incident_id" not in event.data:
        return NotificationState.EVENT
    is_first = is_opening(event.event_type)
    return NotificationState.OPENED if is_first else NotificationState.CLOSED


def _wants(destination: DestinationRecord, event_type: EventType) -> bool:
    if not any(fnmatchcase(event_type, pattern) for pattern in destination.events):
        return False
    kind = kind_of(event_type)
    return kind is None or destination.min_severity in (None, Severity.WARNING, kind.severity)


async def _mark_silenced(
    connection: AsyncConnection, event: StreamEvent, labels: dict[str, str]
) -> None:
    silences, kind = await silences_since(connection, event.timestamp), kind_of(event.event_type)
    if last_end(silences, event.monitor_id, labels, kind, event.timestamp):
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


async def keep_order(
    connection: AsyncConnection, event: StreamEvent, *, recorded_through: int, now: datetime
) -> list[str]:
    """Put what waits of later events behind a new one; return the destinations it waits for.

    The event is recorded and queued; `recorded_through` is its monitor's until now.
    """
    query = (
        select(monitor_events.c.sequence, monitor_events.c.created_at)
        .where(
            monitor_events.c.monitor_id == event.monitor_id,
            monitor_events.c.sequence > min(recorded_through, event.sequence),
        )
        .order_by(monitor_events.c.sequence)
    )
    recorded = [(row.sequence, row.created_at) for row in await connection.execute(query)]
    through = advanced(recorded_through, recorded, now)
    if through != recorded_through:
        await connection.execute(
            update(monitors)
            .where(monitors.c.monitor_id == event.monitor_id)
            .values(recorded_through=through)
        )
    later = [created_at for sequence, created_at in recorded if sequence > event.sequence]
    if not later:
        return []
    return await _requeue_later(connection, event.monitor_id, event.sequence, since=min(later))


def advanced(recorded_through: int, recorded: Iterable[tuple[int, datetime]], now: datetime) -> int:
    """Return up to which sequence all is recorded, or taken as lost.

    `recorded` are sequences with the times of their recording, in their order.
    """
    for sequence, created_at in recorded:
        # A time that is ahead of the present is of a clock that was set back.
        if sequence > recorded_through + 1 and abs(now - created_at) < LOST_AFTER:
            break
        recorded_through = max(recorded_through, sequence)
    return recorded_through


async def _requeue_later(
    connection: AsyncConnection, monitor_id: str, sequence: int, *, since: datetime
) -> list[str]:
    """Have rows that wait queue behind those of an earlier event; return their destinations.

    `since` is when the first later event was recorded.
    """
    is_later = (
        deliveries.c.created_at >= since,
        deliveries.c.monitor_id == monitor_id,
        deliveries.c.sequence > sequence,
        deliveries.c.status == NotificationStatus.PENDING,
    )
    removed = await connection.execute(delete(deliveries).where(*is_later).returning(deliveries))
    rows = [dict(row._mapping) for row in removed.all()]
    rows.sort(key=lambda row: (row["sequence"], row.pop("delivery_id")))
    if rows:
        await connection.execute(insert(deliveries), rows)
    return [row["destination_id"] for row in rows]
