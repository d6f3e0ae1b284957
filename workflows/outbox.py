"""Telling the world of a monitor's events: the receiver in order, the store in the end."""

import asyncio
from collections.abc import Callable

from temporalio import workflow

from workflows import steps

with workflow.unsafe.imports_passed_through():
    from activities.declarations import DeliveryAttempts
    from monitors.config import OnDeliveryFailure
    from monitors.events import Happening, StreamEvent
    from monitors.reports import EventReport, StatusReport
    from monitors.status import DeliveryStatus
    from workflows.messages import MonitorOrder, MonitorProgress


class Outbox:
    """Delivers and reports beside the watch, so that monitoring never waits for either.

    Attributes:
        order: what the user asked for; a change replaces it.
        lost: why a webhook was not taken when the monitor is to stop for it; nothing is sent from
            then on.
    """

    def __init__(self, order: MonitorOrder, progress: MonitorProgress) -> None:
        self.lost: str | None = None
        self.order = order
        self._progress = progress
        self._status: Callable[[], StatusReport] | None = None
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Start to deliver and to report."""
        self._tasks = [asyncio.create_task(self._deliver()), asyncio.create_task(self._report())]

    def put(self, happening: Happening) -> None:
        """Take an event, to be delivered after all earlier ones."""
        if self.lost:
            return
        self._progress.sequence += 1
        event = StreamEvent(
            event_id=f"evt-{workflow.uuid4()}",
            event_type=happening.event_type,
            monitor_id=self.order.monitor_id,
            stream_url=self.order.stream_url,
            timestamp=happening.timestamp,
            sequence=self._progress.sequence,
            data=happening.data,
            metadata=self.order.metadata,
        )
        self._progress.undelivered.append(event)
        self._progress.unreported[event.event_id] = EventReport(event=event)

    def report_status(self, current: Callable[[], StatusReport]) -> None:
        """Have the store told the monitor's status, as it is when its turn comes."""
        self._status = current

    async def deliver_all(self) -> None:
        """Wait until nothing is queued, delivered or not."""
        await workflow.wait_condition(lambda: not self._progress.undelivered)

    async def close(self) -> None:
        """Deliver and report all that was put, then stop."""
        self._closed = True
        await asyncio.gather(*self._tasks)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is on its way."""
        return not (self._progress.undelivered or self._progress.unreported or self._status)

    def abandon(self) -> None:
        """Stop at once; for an idle outbox."""
        for task in self._tasks:
            task.cancel()

    async def _deliver(self) -> None:
        queue = self._progress.undelivered
        while True:
            await workflow.wait_condition(lambda: bool(queue) or self._closed)
            if not queue:
                return
            report = await steps.deliver(queue[0], self.order.callback_url)
            del queue[0]
            self._note(report)
            if report.webhook_status is DeliveryStatus.FAILED and self._stops_for_it():
                self._give_up(report)

    def _stops_for_it(self) -> bool:
        return self.order.config.on_delivery_failure is OnDeliveryFailure.STOP

    def _note(self, report: EventReport) -> None:
        self._progress.unreported[report.event.event_id] = report
        if report.webhook_status is DeliveryStatus.SENT:
            self._progress.events_sent += 1
        else:
            self._progress.events_failed += 1

    def _give_up(self, failed: EventReport) -> None:
        """Send nothing more; what still waits counts as failed with the one before."""
        self.lost = failed.webhook_last_error
        why = DeliveryAttempts(attempts=0, error="an earlier webhook failed for good")
        for event in self._progress.undelivered:
            self._note(steps.not_delivered(event, why))
        self._progress.undelivered.clear()

    async def _report(self) -> None:
        unreported = self._progress.unreported
        while True:
            await workflow.wait_condition(
                lambda: bool(self._status or unreported) or self._all_delivered()
            )
            if self._status:
                status = self._status
                await steps.report_status(self.order.monitor_id, status())
                if self._status is status:  # else it changed meanwhile: once more
                    self._status = None
            elif unreported:
                event_id, report = next(iter(unreported.items()))
                await steps.report_event(report)
                if unreported[event_id] is report:  # else it was delivered meanwhile: once more
                    del unreported[event_id]
            else:
                return

    def _all_delivered(self) -> bool:
        return self._closed and not self._progress.undelivered
