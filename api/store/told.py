"""What a notification tells, with its events, monitors and incidents; and who was told of these."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, select

from api.store.boards import to_remind
from api.store.database import StorePart
from api.store.deliveries import told_together
from api.store.delivery_records import DeliveryRecord, NotificationStatus, deliveries
from api.store.destinations import destinations
from api.store.tables import incidents, monitor_events, monitors
from monitors.events import EventType, is_opening
from monitors.status import DeliveryStatus, MonitorStatus
from notifications.notification import DestinationType, NotificationState

MOST_DELIVERIES: Final = 2000


@dataclass(frozen=True)
class ToldRow:
    """An event that is told, with its monitor and its incident as far as they are known.

    Attributes:
        event_id: None of what happened without an event: the end of an incident by that of its
            monitor, for one.
        body: of the event; None where there is none, or no longer.
        opened_name, opened_labels: of the monitor when the incident opened.
    """

    monitor_id: str
    event_type: EventType | None
    incident_id: str | None
    happened_at: datetime
    event_id: str | None
    body: str | None
    name: str | None
    title: str | None
    stream_url: str | None
    labels: dict[str, str] | None
    started_at: datetime | None
    ended_at: datetime | None
    monitor_status: MonitorStatus | None
    opened_name: str | None
    opened_labels: dict[str, str] | None


@dataclass(frozen=True)
class IncidentDeliveryRecord:
    """An incident as one receiver is told it.

    Attributes:
        destination_id, name, type: of the destination; None: the monitor's `callback_url`.
    """

    incident_id: str
    destination_id: str | None
    name: str | None
    type: DestinationType | None
    state: NotificationState
    status: NotificationStatus
    attempts: int
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None


class ToldStore(StorePart):
    async def rows(
        self, destination_id: str, first: DeliveryRecord, now: datetime
    ) -> list[ToldRow]:
        """Return what the notification that begins with a row tells; nothing of a test."""
        if first.state is NotificationState.TEST:
            return []
        is_reminder = first.state is NotificationState.REMINDER
        is_told = (
            told_together(destination_id, first.incident_id)
            if is_reminder
            else deliveries.c.told_with == first.told_with
        )
        query = _query().where(deliveries.c.destination_id == destination_id, is_told)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(deliveries.c.delivery_id))).all()
            told = [ToldRow(**row._mapping) for row in rows]
            if not is_reminder or first.incident_id is None:
                return told
            going_on = await to_remind(connection, destination_id, first.incident_id, now)
        ids = {row.incident_id for row in going_on}
        # All of it may have ended a moment ago.
        return [one for one in told if one.incident_id in ids] or told

    async def group(self, destination_id: str, first: DeliveryRecord) -> str | None:
        """Return the name of the group that an incident began in; None: it began alone."""
        if first.incident_id is None:
            return None
        are_together = told_together(destination_id, first.incident_id)
        query = select(func.count(), func.min(deliveries.c.told_with)).where(are_together)
        async with self._database.read() as connection:
            count, group = (await connection.execute(query)).one()
        return f"{destination_id}.{group}" if count > 1 else None

    async def of_incidents(self, incident_ids: Collection[str]) -> list[IncidentDeliveryRecord]:
        """Return who was told of a page of incidents, oldest first.

        At most the newest `MOST_DELIVERIES` to destinations, and as many to `callback_url`.

        What was to be told of an incident counts, also if a silence holds it back.
        """
        queued = await self._database.rows(_to_destinations(incident_ids))
        called = await self._database.rows(_to_callbacks(incident_ids))
        found = [IncidentDeliveryRecord(**row._mapping) for row in queued]
        found += [_of_callback(row) for row in called]
        return sorted(found, key=lambda each: each.created_at)


def _query() -> Select[Any]:
    return select(
        *(deliveries.c[each] for each in ("monitor_id", "event_type", "incident_id")),
        *(deliveries.c[each] for each in ("event_id", "happened_at")),
        monitor_events.c.body,
        *(monitors.c[each] for each in ("name", "title", "stream_url", "labels")),
        monitors.c.status.label("monitor_status"),
        *(incidents.c[each] for each in ("started_at", "ended_at", "opened_name", "opened_labels")),
    ).select_from(
        deliveries.outerjoin(
            monitor_events,
            (monitor_events.c.monitor_id == deliveries.c.monitor_id)
            & (monitor_events.c.event_id == deliveries.c.event_id),
        )
        .outerjoin(monitors, monitors.c.monitor_id == deliveries.c.monitor_id)
        .outerjoin(incidents, incidents.c.incident_id == deliveries.c.incident_id)
    )


def _to_destinations(incident_ids: Collection[str]) -> Select[Any]:
    copied = ("incident_id", "destination_id", "state", "status", "attempts", "last_error")
    return (
        select(
            *(deliveries.c[each] for each in (*copied, "created_at", "sent_at")),
            destinations.c.name,
            destinations.c.type,
        )
        .join(destinations, destinations.c.destination_id == deliveries.c.destination_id)
        .where(deliveries.c.incident_id.in_(incident_ids))
        .order_by(deliveries.c.delivery_id.desc())
        .limit(MOST_DELIVERIES)
    )


def _to_callbacks(incident_ids: Collection[str]) -> Select[Any]:
    copied = ("incident_id", "event_type", "created_at", "sent_at")
    called = ("webhook_status", "webhook_attempts", "webhook_last_error")
    return (
        select(*(monitor_events.c[each] for each in (*copied, *called)))
        .where(
            monitor_events.c.incident_id.in_(incident_ids),
            monitor_events.c.webhook_status != DeliveryStatus.NONE,
        )
        .order_by(monitor_events.c.created_at.desc())
        .limit(MOST_DELIVERIES)
    )


def _of_callback(row: Any) -> IncidentDeliveryRecord:
    opens = is_opening(row.event_type)
    return IncidentDeliveryRecord(
        incident_id=row.incident_id,
        destination_id=None,
        name=None,
        type=None,
        state=NotificationState.OPENED if opens else NotificationState.CLOSED,
        status=NotificationStatus(row.webhook_status),
        attempts=row.webhook_attempts,
        last_error=row.webhook_last_error,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
