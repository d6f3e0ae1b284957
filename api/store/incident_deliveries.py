"""Who was notified of incidents, and what became of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select

from api.store.database import StorePart
from api.store.delivery_records import NotificationStatus, deliveries
from api.store.destinations import destinations
from api.store.tables import monitor_events
from monitors.events import is_opening
from monitors.status import DeliveryStatus
from notifications.notification import DestinationType, NotificationState

MOST_DELIVERIES: Final = 2000


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


class IncidentDeliveryStore(StorePart):
    async def of_incidents(self, incident_ids: Collection[str]) -> list[IncidentDeliveryRecord]:
        """Return who was told of a page of incidents, oldest first; the newest `MOST_DELIVERIES`.

        What was to be told of an incident counts, also if a silence holds it back.
        """
        queued = await self._database.rows(_to_destinations(incident_ids))
        called = await self._database.rows(_to_callbacks(incident_ids))
        found = [IncidentDeliveryRecord(**row._mapping) for row in queued]
        found += [_of_callback(row) for row in called]
        return sorted(found, key=lambda each: each.created_at)


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
