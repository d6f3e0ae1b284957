"""Telling the world of a monitor's events: the receiver in order, the store in the end."""

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import options

with workflow.unsafe.imports_passed_through():
    from activities.declarations import (
        DELIVER_WEBHOOK,
        REPORT_EVENT,
        REPORT_STATUS,
        Delivered,
        DeliveryAttempts,
        DeliveryOrder,
        EventReportOrder,
        StatusReportOrder,
    )
    from monitors.config import OnDeliveryFailure
    from monitors.events import Happening, StreamEvent
    from monitors.reports import EventReport, StatusReport
    from monitors.status import DeliveryStatus
    from workflows.messages import MonitorOrder, MonitorProgress


class Outbox:
    """Delivers and reports beside the watch, so that monitoring never waits for either.

    Attributes:
        lost: set when a webhook exhausted its retries and the monitor is to stop for it; nothing
            is sent from then on.
    """

    def __init__(self, order: MonitorOrder, progress: MonitorProgress) -> None:
        self.lost: DeliveryAttempts | None = None
        self._order = order
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
            monitor_id=self._order.monitor_id,
            stream_url=self._order.stream_url,
            timestamp=happening.timestamp,
            sequence=self._progress.sequence,
            data=happening.data,
            metadata=self._order.metadata,
        )
        self._progress.undelivered.append(event)
        self._progress.unreported[event.event_id] = EventReport(event=event)

    def report_status(self, current: Callable[[], StatusReport]) -> None:
        """Have the store told the monitor's status, as it is when its turn comes."""
        self._status = current

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
            report = await self._deliver_one(queue[0])
            self._progress.unreported[report.event.event_id] = report
            del queue[0]
            if self.lost:
                self._give_up()

    async def _deliver_one(self, event: StreamEvent) -> EventReport:
        try:
            delivered = await workflow.execute_activity(
                DELIVER_WEBHOOK,
                DeliveryOrder(callback_url=self._order.callback_url, event=event),
                result_type=Delivered,
                summary=f"{event.event_type} (event {event.sequence})",
                **options.DELIVER_WEBHOOK,
            )
        except ActivityError as error:
            return self._not_delivered(event, _attempts(error))
        self._progress.events_sent += 1
        return EventReport(
            event=event,
            webhook_status=DeliveryStatus.SENT,
            webhook_attempts=delivered.attempts,
            sent_at=delivered.sent_at,
        )

    def _not_delivered(self, event: StreamEvent, attempts: DeliveryAttempts) -> EventReport:
        self._progress.events_failed += 1
        if self._order.config.on_delivery_failure is OnDeliveryFailure.STOP:
            self.lost = attempts
        return EventReport(
            event=event,
            webhook_status=DeliveryStatus.FAILED,
            webhook_attempts=attempts.attempts,
            webhook_last_error=attempts.error,
        )

    def _give_up(self) -> None:
        for event in self._progress.undelivered:
            attempts = DeliveryAttempts(attempts=0, error="an earlier webhook failed for good")
            report = self._not_delivered(event, attempts)
            self._progress.unreported[event.event_id] = report
        self._progress.undelivered.clear()

    async def _report(self) -> None:
        unreported = self._progress.unreported
        while True:
            await workflow.wait_condition(
                lambda: bool(self._status or unreported) or self._all_delivered()
            )
            if self._status:
                status, self._status = self._status(), None
                order = StatusReportOrder(monitor_id=self._order.monitor_id, report=status)
                await self._tell_store(REPORT_STATUS, order, status.status)
            elif unreported:
                event_id, report = next(iter(unreported.items()))
                summary = f"{report.event.event_type}: {report.webhook_status}"
                await self._tell_store(REPORT_EVENT, EventReportOrder(report=report), summary)
                if unreported[event_id] is report:  # else it was delivered meanwhile: once more
                    del unreported[event_id]
            else:
                return

    def _all_delivered(self) -> bool:
        return self._closed and not self._progress.undelivered

    async def _tell_store(
        self, activity: str, order: StatusReportOrder | EventReportOrder, summary: str
    ) -> None:
        try:
            await workflow.execute_activity(activity, order, summary=summary, **options.REPORT)
        except ActivityError as error:
            # Only an answer that no retry can change ends here.
            workflow.logger.warning("The store refuses a report: %s", error.cause)


def _attempts(error: ActivityError) -> DeliveryAttempts:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.details:
        return DeliveryAttempts.model_validate(cause.details[0])
    return DeliveryAttempts(attempts=1, error=str(cause or error))
