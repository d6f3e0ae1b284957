"""Sending an event once more because a user asks for it."""

import structlog

from activities.declarations import RedeliveryInput
from api.engine import EngineUnavailable, MonitorEngine
from api.errors import EngineNotAvailable, EventNotFound
from api.monitors.schemas import Redelivery
from api.monitors.service import MonitorService
from api.store import Store
from api.store.records import EventRecord, MonitorRecord
from monitors.status import DeliveryStatus

_log = structlog.get_logger(__name__)


class EventRedelivery:
    """Sends events again, whether or not their monitor still runs.

    The audit goes on where it was: attempts add up, a failed event is pending until the outcome is
    known, one that was sent stays sent whatever comes of it.
    """

    def __init__(self, store: Store, engine: MonitorEngine, service: MonitorService) -> None:
        self._store = store
        self._engine = engine
        self._service = service

    async def redeliver(self, monitor_id: str, event_id: str) -> Redelivery:
        """Have an event delivered once more, beside and not after the monitor's other events.

        Raises:
            MonitorNotFound, EventNotFound: there is no such event (any more).
            EngineNotAvailable: Temporal did not confirm; asking again is harmless.
        """
        monitor = await self._service.find(monitor_id)
        event = await self._store.events.find(monitor_id, event_id)
        if event is None:
            raise EventNotFound(monitor_id, event_id)
        if not _is_under_way(monitor, event):
            await self._start(monitor, event)
        return Redelivery(event_id=event_id, webhook_status=DeliveryStatus.PENDING)

    async def _start(self, monitor: MonitorRecord, event: EventRecord) -> None:
        order = RedeliveryInput(monitor_id=monitor.monitor_id, event_id=event.event_id)
        try:
            await self._engine.redeliver(order)
        except EngineUnavailable as error:
            _log.error("engine unavailable", event_id=event.event_id, error=str(error))
            raise EngineNotAvailable(
                "Temporal did not confirm the redelivery; ask again later"
            ) from None
        await self._store.events.await_redelivery(
            monitor.monitor_id, event.event_id, attempts=event.delivery.attempts
        )
        _log.info("redelivering", monitor_id=monitor.monitor_id, event_id=event.event_id)


def _is_under_way(monitor: MonitorRecord, event: EventRecord) -> bool:
    """Tell whether the event is being delivered already, by its monitor in order or once more."""
    return event.delivery.status is DeliveryStatus.PENDING and monitor.status.is_active
