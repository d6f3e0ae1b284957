"""Stand-ins of the activities, which note what they were asked and told."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.declarations import (
    DELIVERY_FAILED,
    GATEWAY_UNAVAILABLE,
    DeliveryAttempts,
    DeliveryInput,
    DeliveryResult,
    EventReportInput,
    RedeliveryInput,
    StatusReportInput,
    WaitInput,
    WaitResult,
    WatchInput,
    WatchResult,
)
from monitors.events import StreamEvent, is_opening
from monitors.reports import EventReport, StatusReport
from monitors.status import DeliveryStatus
from tests.testkit import scripts
from tests.testkit.scripted_destination import ScriptedDestination
from tests.testkit.scripted_pods import ScriptedPods
from tests.testkit.scripts import MOMENT, Look, Watch, live, until_stopped

HEARTBEAT_SEC = 0.05
PATIENCE_SEC = 30.0
SLOW_SEC = 0.1
"""After this time the gateway learns of an event whose receiver has not answered."""

Receiver = Callable[[StreamEvent, int], Awaitable[None]]
"""Takes an event in its n-th attempt, or raises what the delivery raises."""


class FakeActivities:
    """What happens to a monitor, and what it did about it.

    Attributes:
        looks: script of the looks at a stream that is not live yet; then it is live.
        watches: script of the watches, one step an activity; then it is watched until stopped.
        pods: of the monitor, where it has any.
        destination: whose workflow is played.
        receiver: what the receiver does.
        silenced_until: until when a silence holds back the beginnings of incidents.
        asked: of each of these, when its turn came, what the gateway had said of it before.
        gateway_is_away: whether reports fail.
        gateway_refuses: whether reports are refused for good.
        looked, watched: what `wait_for_live` and `watch_stream` were asked, one an attempt.
        look_times: when each look began, in the server's time.
        runs: ids of the workflow runs that asked for a look or a watch, in order.
        watching: watches that run now.
        beat: what their heartbeats carry.
        is_silent: whether their worker is lost, and nothing is heard of it any more.
        looking: looks that run now.
        attempts: sequence number and attempt of each request that the receiver got.
        received: the events that the receiver took, in the order in which it did.
        statuses, reports: what the gateway took, in order.
        failed_reports: attempts while the gateway was away.
        refused_reports: what the gateway will never take.
    """

    def __init__(self, *, looks: Iterable[Look] = (), watches: Iterable[Watch] = ()) -> None:
        self.looks = deque(looks)
        self.watches = deque(watches)
        self.receiver: Receiver = accepting
        self.silenced_until: datetime | None = None
        self.asked: list[tuple[int, datetime | None]] = []
        self.gateway_is_away = False
        self.gateway_refuses = False
        self.looked: list[WaitInput] = []
        self.look_times: list[datetime] = []
        self.watched: list[WatchInput] = []
        self.runs: list[str] = []
        self.watching = 0
        self.beat: dict[str, Any] = {}
        self.is_silent = False
        self.looking = 0
        self.attempts: list[tuple[int, int]] = []
        self.received: list[StreamEvent] = []
        self.statuses: list[StatusReport] = []
        self.reports: list[EventReport] = []
        self.failed_reports = 0
        self.refused_reports = 0
        self._step: Watch = until_stopped()
        self._changed = asyncio.Event()
        self.pods = ScriptedPods(self._changed.set)
        self.destination = ScriptedDestination(self._changed.set)

    def fall_silent(self) -> None:
        """Be lost, as a worker is that crashed or is cut off."""
        self.is_silent = True

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds."""
        async with asyncio.timeout(PATIENCE_SEC):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    @activity.defn
    async def wait_for_live(self, order: WaitInput) -> WaitResult:
        self.looked.append(order)
        self.look_times.append(activity.info().started_time)
        self.looking += 1
        self._note_run()
        self._changed.set()
        look = self.looks.popleft() if self.looks else live()
        try:
            return await look()
        finally:
            self.looking -= 1
            self._changed.set()

    @activity.defn
    async def watch_stream(self, order: WatchInput) -> WatchResult:
        self.watched.append(order)
        self._note_run()
        self.watching += 1
        self._changed.set()
        beating = asyncio.create_task(self._heartbeat())
        try:
            return await self._watch_step()(order)
        finally:
            self.watching -= 1
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
            self._changed.set()

    async def _heartbeat(self) -> None:
        while not self.is_silent:
            activity.heartbeat(self.beat)
            await asyncio.sleep(HEARTBEAT_SEC)

    def _note_run(self) -> None:
        run_id = activity.info().workflow_run_id
        if run_id and run_id not in self.runs:
            self.runs.append(run_id)

    def _watch_step(self) -> Watch:
        """Return the next step; a further attempt meets the same one again."""
        if activity.info().attempt == 1:
            self._step = self.watches.popleft() if self.watches else until_stopped()
        return self._step

    @activity.defn
    async def deliver_webhook(self, order: DeliveryInput) -> DeliveryResult:
        attempt = activity.info().attempt
        if until := self._silenced(order):
            is_reported = self._takes(EventReport.of_silenced(order.event))
            return DeliveryResult(
                attempts=0, sent_at=None, silenced_until=until, is_reported=is_reported
            )
        self.attempts.append((order.event.sequence, attempt))
        self._changed.set()
        loop, pending = asyncio.get_running_loop(), EventReport(event=order.event)
        telling = loop.call_later(SLOW_SEC, self._takes, pending)
        try:
            await self.receiver(order.event, attempt)
        except ApplicationError as error:
            raise self._told_of(order.event, error) from None
        finally:
            telling.cancel()
        self.received.append(order.event)
        is_reported = self._takes(EventReport.of_sent(order.event, attempt, MOMENT))
        self._changed.set()
        return DeliveryResult(attempts=attempt, sent_at=MOMENT, is_reported=is_reported)

    def _silenced(self, order: DeliveryInput) -> datetime | None:
        if not (is_opening(order.event.event_type) and "incident_id" in order.event.data):
            return None
        self.asked.append((order.event.sequence, order.silenced_until))
        return self.silenced_until

    def _told_of(self, event: StreamEvent, error: ApplicationError) -> ApplicationError:
        if not (error.non_retryable and error.type == DELIVERY_FAILED):
            return error
        failed: DeliveryAttempts = error.details[0]
        report = EventReport.of_failed(event, failed.attempts, failed.error)
        told = failed.model_copy(update={"is_reported": self._takes(report)})
        return ApplicationError(error.message, told, type=error.type, non_retryable=True)

    def _takes(self, report: EventReport) -> bool:
        if self.gateway_is_away or self.gateway_refuses:
            return False
        self.reports.append(report)
        self._changed.set()
        return True

    @activity.defn
    async def redeliver_webhook(self, order: RedeliveryInput) -> EventReport:
        """Deliver an event as it was reported last; report it as failed after four attempts."""
        attempt = activity.info().attempt
        known = [one for one in self.reports if one.event.event_id == order.event_id][-1]
        if order.given_up is not None:
            failed = _after(known, DeliveryStatus.FAILED, 0)
            return failed.model_copy(update={"webhook_last_error": order.given_up})
        try:
            await self.receiver(known.event, attempt)
        except ApplicationError as error:
            if not error.non_retryable:
                raise
            return _after(known, DeliveryStatus.FAILED, attempt)
        self.received.append(known.event)
        return _after(known, DeliveryStatus.SENT, attempt)

    @activity.defn
    async def report_status(self, order: StatusReportInput) -> None:
        self._answer_a_report()
        self.statuses.append(order.report)
        self._changed.set()

    @activity.defn
    async def report_event(self, order: EventReportInput) -> None:
        self._answer_a_report()
        self.reports.append(order.report)
        self._changed.set()

    def _answer_a_report(self) -> None:
        if self.gateway_refuses:
            self.refused_reports += 1
            self._changed.set()
            raise ApplicationError("HTTP status 404", type="ReportRefused", non_retryable=True)
        if self.gateway_is_away:
            self.failed_reports += 1
            self._changed.set()
            raise ApplicationError("no answer", type=GATEWAY_UNAVAILABLE)


async def accepting(event: StreamEvent, attempt: int) -> None:
    """Take everything at once."""


def _after(known: EventReport, status: DeliveryStatus, attempts: int) -> EventReport:
    total = known.webhook_attempts + attempts
    return known.model_copy(update={"webhook_status": status, "webhook_attempts": total})


def failing(*sequences: int, attempts: int = 4, delay_sec: float = 1.0) -> Receiver:
    """Fail the named events in all `attempts` that they get."""

    async def receive(event: StreamEvent, attempt: int) -> None:
        if event.sequence in sequences:
            raise refusal(attempt, final=attempt >= attempts, delay_sec=delay_sec)

    return receive


def slow_to_take(sequence: int, *, attempts: int, delay_sec: float = 1.0) -> Receiver:
    """Take the named event in the last of `attempts` only."""

    async def receive(event: StreamEvent, attempt: int) -> None:
        if event.sequence == sequence and attempt < attempts:
            raise refusal(attempt, final=False, delay_sec=delay_sec)

    return receive


def closed_until(opening: asyncio.Event) -> Receiver:
    """Keep every request waiting until `opening`."""

    async def receive(event: StreamEvent, attempt: int) -> None:
        await opening.wait()

    return receive


def refusal(attempt: int, *, final: bool, delay_sec: float = 1.0) -> ApplicationError:
    """Return the failure of a delivery."""
    message = "the receiver answered with HTTP status 503"
    return ApplicationError(
        message,
        DeliveryAttempts(attempts=attempt, error=message),
        type=DELIVERY_FAILED,
        non_retryable=final,
        next_retry_delay=None if final else timedelta(seconds=delay_sec),
    )


def sees_one_after_the_other(activities: FakeActivities, going: asyncio.Event) -> Watch:
    """See a blackout as soon as all earlier events were posted; none before `going`."""

    async def watch(order: WatchInput) -> WatchResult:
        await going.wait()
        before = order.state["watches"] if order.state else 0
        await activities.until(lambda: len(activities.attempts) > before)
        return await scripts.sees(scripts.BLACKOUT)(order)

    return watch
