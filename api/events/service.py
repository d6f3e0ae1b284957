"""The events of a monitor: their audit, and sending one again."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import structlog
from pydantic import AwareDatetime, BaseModel, Field, JsonValue

from activities.declarations import RedeliveryInput
from api.error_docs import EXAMPLE_EVENT_ID, EXAMPLE_ID
from api.errors import EngineNotAvailable, EventNotFound, ValidationFailed
from api.injection import injected
from api.monitor_engine import EngineUnavailable, MonitorEngine
from api.monitors.service import MonitorService
from api.parameters import Pagination
from api.store import Store
from api.store.events import EventRecord
from api.store.monitor_records import MonitorRecord
from monitors.events import EventType
from monitors.evidence_links import EvidenceLinks
from monitors.status import DeliveryStatus

EXAMPLE_PAYLOAD: Final[dict[str, JsonValue]] = {
    "event_id": EXAMPLE_EVENT_ID,
    "event_type": "alert.blackout",
    "monitor_id": EXAMPLE_ID,
    "stream_url": "https://example.com/live/index.m3u8",
    "timestamp": "2026-01-01T12:00:30.120Z",
    "sequence": 2,
    "data": {
        "duration_sec": 20.0,
        "started_at": "2026-01-01T12:00:08.000+00:00",
        "threshold_sec": 20.0,
        "segment_info": {"sequence": 4711, "duration": 2.0},
    },
    "metadata": {"channel": "news"},
}


_log = structlog.get_logger(__name__)


class AuditedEvent(BaseModel):
    """An event and what became of its webhook."""

    event_id: str = Field(examples=[EXAMPLE_EVENT_ID])
    event_type: EventType
    payload: dict[str, Any] = Field(
        description="The body of the webhook.", examples=[EXAMPLE_PAYLOAD]
    )
    webhook_status: DeliveryStatus
    webhook_attempts: int = Field(description="Of all deliveries together.", examples=[1])
    webhook_last_error: str | None = Field(examples=["the receiver answered with HTTP status 500"])
    created_at: AwareDatetime = Field(description="When the gateway first heard of it.")
    sent_at: AwareDatetime | None = Field(description="When a receiver took it, the last time.")


class Redelivery(BaseModel):
    """An event that is being sent once more."""

    event_id: str = Field(examples=[EXAMPLE_EVENT_ID])
    webhook_status: DeliveryStatus = Field(examples=["pending"])


class EventList(BaseModel):
    """A monitor's events in the order of their sequence."""

    events: list[AuditedEvent]
    pagination: Pagination


@dataclass(frozen=True)
class EventService:
    """Lists events and sends them again, also those of monitors that have ended."""

    store: Store
    engine: MonitorEngine
    monitors: MonitorService
    links: EvidenceLinks

    async def list_events(self, monitor_id: str, *, limit: int, offset: int) -> EventList:
        await self.monitors.find(monitor_id)
        found, total = await self.store.events.page(monitor_id, limit=limit, offset=offset)
        return EventList(
            events=[audited(one, self.links) for one in found],
            pagination=Pagination(total=total, limit=limit, offset=offset),
        )

    async def find(self, monitor_id: str, event_id: str) -> tuple[MonitorRecord, EventRecord]:
        monitor = await self.monitors.find(monitor_id)
        event = await self.store.events.find(monitor_id, event_id)
        if event is None:
            raise EventNotFound(monitor_id, event_id)
        return monitor, event

    async def redeliver(self, monitor_id: str, event_id: str) -> Redelivery:
        """Have an event delivered again, beside and not after the monitor's other events.

        The audit goes on: attempts add up, a failed event is pending until the outcome is known,
        one that was sent stays sent whatever the outcome.

        Raises:
            EngineNotAvailable: Temporal did not confirm; asking again is harmless.
        """
        monitor, event = await self.find(monitor_id, event_id)
        if monitor.callback_url is None:
            raise ValidationFailed("callback_url: the monitor has none, it names destinations")
        is_under_way = (
            event.delivery.webhook_status is DeliveryStatus.PENDING and monitor.status.is_active
        )
        if not is_under_way:
            await self._start(monitor, event)
        return Redelivery(event_id=event_id, webhook_status=DeliveryStatus.PENDING)

    async def _start(self, monitor: MonitorRecord, event: EventRecord) -> None:
        input = RedeliveryInput(monitor_id=monitor.monitor_id, event_id=event.event_id)
        try:
            await self.engine.redeliver(input)
        except EngineUnavailable as error:
            _log.error("engine unavailable", event_id=event.event_id, error=str(error))
            raise EngineNotAvailable(
                "Temporal did not confirm the redelivery; ask again later"
            ) from None
        await self.store.events.await_redelivery(
            monitor.monitor_id, event.event_id, attempts=event.delivery.webhook_attempts
        )
        _log.info("redelivering", monitor_id=monitor.monitor_id, event_id=event.event_id)


Events = Annotated[EventService, injected(EventService)]


def audited(event: EventRecord, links: EvidenceLinks) -> AuditedEvent:
    return AuditedEvent(
        event_id=event.event_id,
        event_type=event.event_type,
        payload=links.payload(event.payload),
        created_at=event.created_at,
        **vars(event.delivery),
    )
