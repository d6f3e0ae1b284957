"""Sends what happens to a monitor: webhooks to the receiver in order, reports to the store."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from temporalio import workflow

from workflows import options, steps, views
from workflows.steps import Delivered

with workflow.unsafe.imports_passed_through():
    from activities.declarations import DeliveryInput
    from monitors.config import OnDeliveryFailure
    from monitors.delivery import bounded_data
    from monitors.events import EventDraft, EventType, StreamEvent
    from monitors.reports import EventReport, StatusReport
    from monitors.status import DeliveryStatus
    from workflows.messages import MonitorInput, MonitorProgress, OutboxEntry

NOT_TRIED = "an earlier webhook failed for good"
TOO_LATE = "the monitor was stopped before its turn came"
NO_ROOM = "too many later events waited behind it"


class Outbox:
    """Delivers and reports beside the watch, which never waits for either.

    A silence may hold back the beginning of an incident; the gateway says so when its turn comes.
    The event stays here until the silence ends. If the incident ends first, the receiver gets
    neither event.

    It is bounded in bytes. When the events that wait for the receiver have no more room, the oldest
    fails: the audit has it, and it can be sent again from there. When the outcomes that wait for
    the store have no more room, the audit never learns of the oldest.
    """

    def __init__(self, input: MonitorInput, progress: MonitorProgress) -> None:
        # Why a webhook was not delivered, when the monitor is to stop for it. Nothing is sent to
        # the receiver from then on; the store still learns of every event.
        self.failure: str | None = None
        self._input = input
        self._progress = progress
        self._delivering: OutboxEntry | None = None
        self._reporting: OutboxEntry | None = None
        self._at_rest: Callable[[], None] | None = None
        self._is_closed = False
        self._is_released = False
        self._give_up_at: datetime | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def open(self) -> None:
        self._tasks = [asyncio.create_task(self._deliver()), asyncio.create_task(self._report())]

    def enqueue(self, event_type: EventType, **data: Any) -> None:
        """Queue an event that happens now, to be delivered after all earlier ones."""
        self.enqueue_draft(EventDraft(event_type=event_type, timestamp=workflow.now(), data=data))

    def enqueue_draft(self, draft: EventDraft) -> None:
        self._progress.sequence += 1
        event = StreamEvent(
            event_id=f"evt-{workflow.uuid4()}",
            event_type=draft.event_type,
            monitor_id=self._input.monitor_id,
            stream_url=self._input.stream_url,
            timestamp=draft.timestamp,
            sequence=self._progress.sequence,
            data={
                **draft.identity_in(self._input.monitor_id, self._input.config.evidence),
                **bounded_data(draft.data),
            },
            metadata=self._input.metadata,
        )
        status = DeliveryStatus.PENDING if self._input.callback_url else DeliveryStatus.NONE
        report = EventReport(event=event, webhook_status=status)
        size_bytes = len(report.model_dump_json().encode())
        self._progress.outbox.append(OutboxEntry(report=report, size_bytes=size_bytes))
        self._drop_oldest_waiting()
        self._drop_oldest_outcomes()

    @property
    def queued(self) -> int:
        return sum(entry.is_waiting for entry in self._progress.outbox)

    def release(self) -> None:
        """Deliver what silences held back, in order; the gateway is asked again."""
        self._is_released = self._delivering is not None  # it may have been asked too early
        for entry in self._progress.outbox:
            if entry.is_held:  # the store keeps it as silenced until the receiver has it
                entry.report = EventReport(event=entry.report.event)

    async def deliver_all(self) -> None:
        self._at_rest = None
        await workflow.wait_condition(lambda: not self.queued)

    async def close(self) -> None:
        """Deliver what is queued as far as there is time for it, report all of it, then stop."""
        self._is_closed = True
        self._give_up_at = workflow.now() + options.LAST_DELIVERIES
        await asyncio.gather(*self._tasks)

    def may_be_carried(self, at_rest: Callable[[], None]) -> bool:
        """Return whether a new run of the workflow can continue from here.

        It cannot while a webhook is on its way: `at_rest` is called as soon as that one is done.
        No further one is begun in this run.
        """
        self._at_rest = at_rest
        return self._delivering is None

    # The receiver

    async def _deliver(self) -> None:
        while entry := await self._next():
            closing = self._of_same_incident(entry, is_held=False)
            self._delivering = entry
            delivered = await self._send(entry)
            self._delivering = None
            self._settle(entry, delivered)
            if closing and closing.is_waiting and entry.is_held:
                self._drop(entry, closing)
            if self._is_released:
                self.release()
            if self._at_rest:
                self._at_rest()

    async def _next(self) -> OutboxEntry | None:
        """Return the oldest event that waits, as soon as there is one; None after the last."""
        await workflow.wait_condition(
            lambda: self._is_closed or (self._turn() is not None and not self._at_rest)
        )
        return self._turn()

    def _turn(self) -> OutboxEntry | None:
        """Return the oldest that waits; the beginning of an incident, if held, before its end."""
        first = next((entry for entry in self._progress.outbox if entry.is_waiting), None)
        return first and (self._of_same_incident(first, is_held=True) or first)

    def _of_same_incident(self, entry: OutboxEntry, *, is_held: bool) -> OutboxEntry | None:
        """Return the other event of an incident, if that is held, or else waits."""
        if entry.incident_id is None:
            return None
        return next(
            (
                each
                for each in self._progress.outbox
                if each is not entry
                and each.incident_id == entry.incident_id
                and (each.is_held if is_held else each.is_waiting)
            ),
            None,
        )

    async def _send(self, entry: OutboxEntry) -> Delivered:
        event = entry.report.event
        if self.failure:
            return Delivered(EventReport.of_failed(event, 0, NOT_TRIED))
        while not (self._give_up_at and workflow.now() >= self._give_up_at):
            input = DeliveryInput(
                callback_url=self._input.callback_url or "",
                callback_seal=self._input.callback_seal,
                event=event,
                silenced_until=entry.silenced_until,
            )
            if delivered := await steps.deliver(input):
                return delivered
        return Delivered(EventReport.of_failed(event, 0, TOO_LATE))

    def _settle(self, entry: OutboxEntry, delivered: Delivered) -> None:
        report = delivered.report
        entry.report, entry.is_reported = report, delivered.is_reported
        entry.silenced_until = delivered.silenced_until
        if report.webhook_status is DeliveryStatus.SENT:
            self._progress.events_sent += 1
        elif report.webhook_status is DeliveryStatus.FAILED:
            self._progress.events_failed += 1
            was_tried = report.webhook_attempts > 0  # one without room says nothing of the receiver
            if was_tried and self._input.config.on_delivery_failure is OnDeliveryFailure.STOP:
                self.failure = self.failure or report.webhook_last_error
        self._remove_if_done(entry)
        self._drop_oldest_outcomes()

    def _drop(self, opening: OutboxEntry, closing: OutboxEntry) -> None:
        """Drop both events of an incident that ended during its silence."""
        opening.silenced_until = None
        self._remove_if_done(opening)
        closing.report = EventReport.of_silenced(closing.report.event)
        closing.is_reported = False

    # The store

    async def _report(self) -> None:
        while True:
            await workflow.wait_condition(
                lambda: (
                    self._progress.status_unreported
                    or self._first_unreported() is not None
                    or (self._is_closed and not self.queued)
                )
            )
            if self._progress.status_unreported:
                await self._report_status()
            elif entry := self._first_unreported():
                await self._report_event(entry)
            else:
                return

    def _first_unreported(self) -> OutboxEntry | None:
        """Return the oldest event whose present state the store does not know."""
        # Not the one whose turn it is: its delivery reports it.
        turn = self._turn()
        entries = self._progress.outbox
        return next((each for each in entries if each is not turn and not each.is_reported), None)

    async def _report_status(self) -> None:
        report = views.view(StatusReport, self._progress)
        await steps.report_status(self._input.monitor_id, report)
        # It may have changed meanwhile.
        self._progress.status_unreported = self._progress.status is not report.status

    async def _report_event(self, entry: OutboxEntry) -> None:
        report = entry.report
        self._reporting = entry
        await steps.report_event(report)
        self._reporting = None
        entry.is_reported |= entry.report is report  # it may have been delivered meanwhile
        self._remove_if_done(entry)

    # The bounds

    def _drop_oldest_waiting(self) -> None:
        outbox = self._progress.outbox
        entries = [entry for entry in outbox if entry.is_waiting or entry.is_held]
        for entry in _oldest_beyond(options.WAITING_MAX_BYTES, entries, busy=self._delivering):
            failed = EventReport.of_failed(entry.report.event, 0, NO_ROOM)
            self._settle(entry, Delivered(failed))

    def _drop_oldest_outcomes(self) -> None:
        """Drop what was sent before what failed: that can be sent again from the audit."""
        outbox = self._progress.outbox
        entries = [entry for entry in outbox if not (entry.is_waiting or entry.is_held)]
        entries.sort(key=lambda entry: entry.report.webhook_status is DeliveryStatus.FAILED)
        for entry in _oldest_beyond(options.OUTCOMES_MAX_BYTES, entries, busy=self._reporting):
            workflow.logger.warning(
                "The store never learns of event %d, %s: it is away for too long",
                entry.report.event.sequence,
                entry.report.webhook_status,
            )
            self._progress.events_unaudited += 1
            self._remove(entry)

    def _remove_if_done(self, entry: OutboxEntry) -> None:
        if entry.is_reported and not (entry.is_waiting or entry.is_held):
            self._remove(entry)

    def _remove(self, entry: OutboxEntry) -> None:
        self._progress.outbox = [each for each in self._progress.outbox if each is not entry]


def _oldest_beyond(
    max_bytes: int, entries: list[OutboxEntry], *, busy: OutboxEntry | None
) -> list[OutboxEntry]:
    """Return the first entries without which the rest has room; not the `busy` one."""
    excess_bytes = sum(entry.size_bytes for entry in entries) - max_bytes
    beyond = []
    for entry in entries:
        if excess_bytes > 0 and entry is not busy:
            beyond.append(entry)
            excess_bytes -= entry.size_bytes
    return beyond
