"""Listing the events of a monitor, and sending one again."""

from dataclasses import dataclass
from typing import Annotated

import structlog

from activities.declarations import RedeliveryInput
from api.errors import EngineNotAvailable, EventNotFound, ValidationFailed
from api.events.schemas import AuditedEvent, EventList, Redelivery
from api.injection import injected
from api.monitor_engine import EngineUnavailable, MonitorEngine
from api.monitors.service import MonitorService
from api.parameters import Pagination
from api.store import Store
from api.store.events import EventRecord
from api.store.monitor_records import MonitorRecord
from monitors.evidence_links import EvidenceLinks
from monitors.status import DeliveryStatus

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class EventService:
    """Lists events and sends them again, also those of monitors that have ended."""

    store: Store
    engine: MonitorEngine
    monitors: MonitorService
    links: EvidenceLinks

    async def list_events(self, monitor_id: str, *, limit: int, offset: int) -> EventList:
        """Return a page of a monitor's events in their order; raises MonitorNotFound."""
        await self.monitors.find(monitor_id)
        found, total = await self.store.events.page(monitor_id, limit=limit, offset=offset)
        return EventList(
            events=[audited(one, self.links) for one in found],
            pagination=Pagination(total=total, limit=limit, offset=offset),
        )

    async def find(self, monitor_id: str, event_id: str) -> tuple[MonitorRecord, EventRecord]:
        """Return an event and its monitor; raises MonitorNotFound or EventNotFound."""
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
            MonitorNotFound, EventNotFound: there is no such event (any more).
            ValidationFailed: the monitor has no `callback_url`.
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
    """Return an event as it is sent, and what became of it."""
    return AuditedEvent(
        event_id=event.event_id,
        event_type=event.event_type,
        payload=links.payload(event.payload),
        created_at=event.created_at,
        **vars(event.delivery),
    )
