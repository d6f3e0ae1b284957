"""Makes the notification of what a destination is told, from the store."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.store import Store
from api.store.delivery_records import DeliveryRecord
from api.store.destinations import DestinationRecord
from api.store.told import ToldRow
from monitors.events import EventType, StreamEvent, kind_of
from monitors.evidence import URL_FIELD
from monitors.evidence_links import EvidenceLinks
from monitors.status import MonitorStatus, Severity
from notifications.notification import Notification, NotificationState, Subject


@dataclass(frozen=True)
class NotificationWriter:
    """Writes notifications; without a `public_url`, where people reach the gateway, no links."""

    store: Store
    public_url: str | None
    links: EvidenceLinks
    now: Callable[[], datetime]

    async def write(
        self, record: DestinationRecord, rows: Sequence[DeliveryRecord]
    ) -> tuple[Notification, StreamEvent | None]:
        """Return what the rows of one notification tell; with the event, if it is a single one."""
        first = rows[0]
        told = await self.store.told.rows(record.destination_id, first, self.now())
        group = await self.store.told.group(record.destination_id, first)
        notification = Notification(
            notification_id=f"{record.destination_id}.{first.delivery_id}",
            state=first.state,
            at=first.happened_at,
            subjects=[self._subject(first, one) for one in told],
            thread_id=group,
            origin_host=first.origin_host if len(told) > 1 else None,
            link=self.public_url and f"{self.public_url}/",
            language=record.language,
        )
        event = _single_event(first, told)
        return notification, self.links.event(event) if event else None

    def _subject(self, first: DeliveryRecord, told: ToldRow) -> Subject:
        event_type = told.event_type or EventType.MONITOR_ERROR
        kind = kind_of(event_type)
        data = self.links.payload(json.loads(told.body))["data"] if told.body else {}
        return Subject(
            monitor_id=told.monitor_id,
            name=told.name or told.title or told.monitor_id,
            stream_url=told.stream_url or "",
            labels=told.labels or {},
            event_type=event_type,
            kind=kind,
            severity=kind.severity if kind else _severity(event_type),
            incident_id=told.incident_id,
            started_at=told.started_at or told.happened_at,
            ended_at=told.ended_at,
            monitor_ended_as=_monitor_ended_as(first, told),
            data=data,
            opened_name=told.opened_name,
            opened_labels=told.opened_labels,
            link=self._link(told),
            evidence_link=data.get(URL_FIELD) if self.public_url else None,
        )

    def _link(self, told: ToldRow) -> str | None:
        if self.public_url is None:
            return None
        path = (
            f"incidents/{told.incident_id}" if told.incident_id else f"monitors/{told.monitor_id}"
        )
        return f"{self.public_url}/{path}"


def _severity(event_type: EventType) -> Severity | None:
    return Severity.CRITICAL if event_type is EventType.MONITOR_ERROR else None


def _monitor_ended_as(first: DeliveryRecord, told: ToldRow) -> MonitorStatus | None:
    if first.state is not NotificationState.CLOSED or told.event_id is not None:
        return None
    return told.monitor_status or MonitorStatus.STOPPED


def _single_event(first: DeliveryRecord, told: Sequence[ToldRow]) -> StreamEvent | None:
    """Return the event of a notification that tells one, as its monitor reported it."""
    is_event = first.state in (
        NotificationState.EVENT,
        NotificationState.OPENED,
        NotificationState.CLOSED,
    )
    if not is_event or len(told) != 1 or told[0].body is None:
        return None
    return StreamEvent.model_validate_json(told[0].body)
