"""Telling the world of a monitor's events: the receiver in order, the store in the end."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from temporalio import workflow

from workflows import options, steps

with workflow.unsafe.imports_passed_through():
    from activities.declarations import DeliveryAttempts
    from monitors.config import OnDeliveryFailure
    from monitors.delivery import bounded_data
    from monitors.events import EventDraft, StreamEvent
    from monitors.reports import EventReport, StatusReport
    from monitors.status import DeliveryStatus
    from workflows.messages import MonitorInput, MonitorProgress

NOT_TRIED = DeliveryAttempts(attempts=0, error="an earlier webhook failed for good")
TOO_LATE = DeliveryAttempts(attempts=0, error="the monitor was stopped before its turn came")


class Outbox:
    """Delivers and reports beside the watch, so that monitoring never waits for either.

    The queue is short. While it is full, events are kept in the store alone, and they come back
    from there in order once the queue has run empty.

    What the store was not told of is kept too, in so many bytes. Beyond these the audit lacks the
    oldest events that are through: the receiver is who matters. Where the rest is still too much,
    neither takes anything, and there is no room for further events.

    Attributes:
        order: what the user asked for; a change replaces it.
        lost: why a webhook was not taken when the monitor is to stop for it; nothing is sent from
            then on.
    """

    def __init__(self, order: MonitorInput, progress: MonitorProgress) -> None:
        self.lost: str | None = None
        self.order = order
        self._progress = progress
        self._status: Callable[[], StatusReport] | None = None
        self._at_rest: Callable[[], None] | None = None
        self._is_delivering = False
        self._closed = False
        self._give_up_at: datetime | None = None
        self._telling: str | None = None
        self._sizes: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        """Start to deliver and to report."""
        self._tasks = [asyncio.create_task(self._deliver()), asyncio.create_task(self._report())]

    def put(self, happening: EventDraft) -> None:
        """Take an event, to be delivered after all earlier ones."""
        if self.lost:
            return
        progress = self._progress
        progress.sequence += 1
        event = StreamEvent(
            event_id=f"evt-{workflow.uuid4()}",
            event_type=happening.event_type,
            monitor_id=self.order.monitor_id,
            stream_url=self.order.stream_url,
            timestamp=happening.timestamp,
            sequence=progress.sequence,
            data=bounded_data(happening.data),
            metadata=self.order.metadata,
        )
        progress.unreported[event.event_id] = EventReport(event=event)
        if progress.kept_from is None and len(progress.undelivered) < options.QUEUE_MAX:
            progress.undelivered.append(event)
        else:
            progress.kept_from = progress.kept_from or event.sequence
        self._stay_in_bounds()

    def report_status(self, current: Callable[[], StatusReport]) -> None:
        """Have the store told the monitor's status, as it is when its turn comes."""
        self._status = current
        self._progress.status_untold = True

    @property
    def queued(self) -> int:
        """How many events are still to be delivered."""
        progress = self._progress
        kept = 0 if progress.kept_from is None else progress.sequence + 1 - progress.kept_from
        return len(progress.undelivered) + kept

    async def deliver_all(self) -> None:
        """Wait until nothing is queued, delivered or not."""
        self._at_rest = None
        await workflow.wait_condition(lambda: not self.queued)

    async def close(self) -> None:
        """Deliver what was put, as far as there is time for it, report all of it, then stop."""
        self._closed = True
        self._give_up_at = workflow.now() + options.LAST_DELIVERIES
        await asyncio.gather(*self._tasks)

    def may_be_carried(self, at_rest: Callable[[], None]) -> bool:
        """Tell whether a new run of the workflow can go on from here.

        It cannot while a webhook is on its way: `at_rest` is called as soon as that one is
        through. No further one is begun in this run.
        """
        self._at_rest = at_rest
        return not self._is_delivering

    # The bounds

    @property
    def has_room(self) -> bool:
        """Whether further events can be taken."""
        progress = self._progress
        carried = [report.event for report in progress.unreported.values()] + progress.undelivered
        return sum(map(self._size, carried)) <= options.CARRIED_MAX_BYTES

    def _size(self, event: StreamEvent) -> int:
        size = self._sizes.get(event.event_id)
        if size is None:
            size = self._sizes[event.event_id] = len(event.body())
        return size

    def _stay_in_bounds(self) -> None:
        """Keep the store from learning of the oldest events that are through, as far as needed.

        What failed can be sent again from the audit, and is kept longer than what was sent.
        """
        if self.has_room:
            return
        for status in (DeliveryStatus.SENT, DeliveryStatus.FAILED):
            for report in [*self._progress.unreported.values()]:
                if report.webhook_status is status and report.event.event_id != self._telling:
                    self._leave_out(report)
                    if self.has_room:
                        return

    def _leave_out(self, report: EventReport) -> None:
        workflow.logger.warning(
            "The store never learns of event %d, %s: it is away for too long",
            *(report.event.sequence, report.webhook_status),
        )
        self._progress.events_unaudited += 1
        self._forget(report)

    def _forget(self, report: EventReport) -> None:
        del self._progress.unreported[report.event.event_id]
        self._sizes.pop(report.event.event_id, None)

    # The receiver

    async def _deliver(self) -> None:
        while event := await self._next():
            self._is_delivering = True
            report = await self._send(event)
            del self._progress.undelivered[0]
            self._record(report)
            self._is_delivering = False
            if self._at_rest:
                self._at_rest()

    async def _next(self) -> StreamEvent | None:
        """Return the oldest event that waits, as soon as there is one; None after the last."""
        progress = self._progress
        await workflow.wait_condition(
            lambda: self._closed or (self.queued > 0 and not self._at_rest)
        )
        while not progress.undelivered and progress.kept_from is not None:
            await self._take_back(progress.kept_from)
        return progress.undelivered[0] if progress.undelivered else None

    async def _take_back(self, sequence: int) -> None:
        """Queue events from `sequence` on, which found no room before."""
        progress = self._progress
        events = self._not_yet_kept(sequence) or await steps.load_events(
            self.order.monitor_id, sequence
        )
        progress.undelivered.extend(events)
        # An event that the store would not take is passed over.
        last = events[-1].sequence if events else sequence
        progress.kept_from = last + 1 if last < progress.sequence else None

    def _not_yet_kept(self, sequence: int) -> list[StreamEvent]:
        """Return the events from `sequence` on when the store still has to learn of them."""
        reported = [report.event for report in self._progress.unreported.values()]
        waiting = [event for event in reported if event.sequence >= sequence]
        is_next = bool(waiting) and waiting[0].sequence == sequence
        return waiting[: options.QUEUE_MAX] if is_next else []

    async def _send(self, event: StreamEvent) -> EventReport:
        if self.lost:
            return steps.not_delivered(event, NOT_TRIED)
        report = None
        while report is None:
            if self._give_up_at and workflow.now() >= self._give_up_at:
                return steps.not_delivered(event, TOO_LATE)
            report = await steps.deliver(
                event,
                callback_url=self.order.callback_url,
                callback_seal=self.order.callback_seal,
            )
        if report.webhook_status is DeliveryStatus.FAILED and self._stops_for_it():
            self.lost = report.webhook_last_error
        return report

    def _stops_for_it(self) -> bool:
        return self.order.config.on_delivery_failure is OnDeliveryFailure.STOP

    def _record(self, report: EventReport) -> None:
        self._progress.unreported[report.event.event_id] = report
        if report.webhook_status is DeliveryStatus.SENT:
            self._progress.events_sent += 1
        else:
            self._progress.events_failed += 1
        self._stay_in_bounds()

    # The store

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
                    self._progress.status_untold = False
            elif unreported:
                event_id, report = next(iter(unreported.items()))
                self._telling = event_id
                await steps.report_event(report)
                self._telling = None
                if unreported[event_id] is report:  # else it was delivered meanwhile: once more
                    self._forget(report)
            else:
                return

    def _all_delivered(self) -> bool:
        return self._closed and not self.queued
