"""One monitor, from its creation to the end of its stream."""

import asyncio
import contextlib
from typing import Any, NoReturn

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    is_cancelled_exception,
)

from workflows import options, views
from workflows.failures import (
    MonitorFailed,
    heartbeat_details,
    is_cancelled,
    monitor_failed,
    uncancelled,
)
from workflows.outbox import Outbox
from workflows.pod_keeper import PodKeeper
from workflows.views import StatusBoard
from workflows.waiting import StreamWaiter, is_history_long

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.declarations import (
        HeartbeatDetails,
        WatchActivities,
        WatchInput,
        WatchOutcome,
        WatchResult,
    )
    from monitors.events import EndReason, EventType
    from monitors.pods import PodFailure
    from monitors.reports import HealthReport
    from monitors.status import MonitorStatus, StreamStatus
    from workflows.messages import (
        CHANGE_UPDATE,
        INVALID_CHANGE,
        NOT_ACTIVE,
        POD_FAILED_SIGNAL,
        POD_READY_SIGNAL,
        SILENCE_ENDED_SIGNAL,
        SNAPSHOT_QUERY,
        STOP_SIGNAL,
        WORKFLOW_TYPE,
        ChangeResult,
        MonitorChange,
        MonitorInput,
        MonitorProgress,
        MonitorResult,
        MonitorSnapshot,
    )


UNPROBED = "no probe has measured a segment yet"  # health.reason while no probe slot is free


@workflow.defn(name=WORKFLOW_TYPE)
class MonitorWorkflow:
    """Waits until a stream is live, watches it to its end, and sends what happens to it."""

    @workflow.init
    def __init__(self, input: MonitorInput) -> None:
        self._input = input
        self._progress = input.carried or MonitorProgress(as_of=workflow.now())
        self._outbox = Outbox(input, self._progress)
        self._board = StatusBoard(input, self._progress)
        self._waiter = StreamWaiter(input, self._progress, self._outbox, self._board)
        self._pods = PodKeeper(
            input.monitor_id, self._progress, self._board, on_end=self._interrupt_the_watch
        )
        self._watch_handle: workflow.ActivityHandle[WatchResult] | None = None
        self._wants_new_run = False
        self._is_over = False

    @workflow.run
    async def run(self, _input: MonitorInput) -> MonitorResult:
        """Follow the stream until it ends, somebody stops the monitor, or it cannot go on."""
        self._outbox.open()
        following = asyncio.create_task(self._follow_the_stream())
        cancelled = False
        try:
            await self._until_over(following)
        except asyncio.CancelledError:
            cancelled = True
        if self._wants_new_run and not (cancelled or self._is_to_stop()):
            try:
                await self._continue_in_a_new_run()
            except asyncio.CancelledError:  # there is no new run; this one ends the monitor
                cancelled = True
        await uncancelled(self._end(following, cancelled=cancelled))
        if cancelled:
            raise asyncio.CancelledError
        return views.view(MonitorResult, self._progress)

    @workflow.signal(name=STOP_SIGNAL)
    def stop(self) -> None:
        """Stop the monitor; what is queued is still delivered."""
        self._progress.stop_requested = True

    @workflow.signal(name=POD_FAILED_SIGNAL)
    def pod_failed(self, failure: PodFailure) -> None:
        self._pods.on_failure(failure)

    @workflow.signal(name=POD_READY_SIGNAL)
    def pod_ready(self, uid: str) -> None:
        self._pods.on_ready(uid)

    @workflow.signal(name=SILENCE_ENDED_SIGNAL)
    def silence_ended(self) -> None:
        """Deliver what a silence held back, unless another one holds it."""
        self._outbox.release()

    @workflow.update(name=CHANGE_UPDATE)
    def change(self, change: MonitorChange) -> ChangeResult:
        """Change name, thresholds, headers or metadata; what was detected is kept."""
        config = self._input.config.with_thresholds(change.thresholds)
        self._input.config = config.with_request_headers(change.request_headers)
        if change.metadata is not None:
            self._input.metadata = change.metadata
        if change.name is not None:
            self._input.name = change.name or None
            self._board.set_details(self._progress.doing)
        self._progress.changes += 1
        self._interrupt_the_watch()  # it goes on with what is new
        return views.view(ChangeResult, self._progress, self._input)

    @change.validator
    def _validate_change(self, change: MonitorChange) -> None:
        if self._is_over:
            raise ApplicationError("the monitor has ended", type=NOT_ACTIVE)
        try:
            self._input.config.with_thresholds(change.thresholds)
        except ValidationError as error:
            raise ApplicationError(str(error), type=INVALID_CHANGE) from None

    @workflow.query(name=SNAPSHOT_QUERY)
    def snapshot(self) -> MonitorSnapshot:
        queued = self._outbox.queued
        return views.view(MonitorSnapshot, self._progress, self._input, events_queued=queued)

    # Following the stream

    async def _follow_the_stream(self) -> None:
        if not self._progress.is_live:
            self._wants_new_run = not await self._waiter.wait()
        if self._progress.is_live:
            await self._watch_until_it_ends()

    async def _watch_until_it_ends(self) -> None:
        if self._progress.watch_state is None:
            # With all slots taken the watch waits in the queue; its first report replaces this.
            self._progress.health = HealthReport(reason=UNPROBED)
        has_no_pod = self._progress.shows_pod_failure  # left by the previous run; keep its text
        self._board.update(
            self._progress.doing if has_no_pod else "Watching the stream",
            status=MonitorStatus.MONITORING,
            stream_status=StreamStatus.LIVE,
        )
        self._pods.start()
        while not self._is_over:
            seen = await self._watch()
            if seen:
                self._apply(seen)
            self._pods.raise_if_failed()
            if seen and seen.outcome is WatchOutcome.ENDED:
                self._end_of_stream(seen.end_reason)
                return
            if is_history_long() and self._outbox.may_be_carried(self._interrupt_the_watch):
                self._wants_new_run = True
                return

    async def _watch(self) -> WatchResult | None:
        """Return what a watch saw; None when it was interrupted and its worker said nothing."""
        is_first = self._progress.watch_state is None  # health is not known yet
        is_short = is_first or is_history_long()
        checkpoint = options.SHORT_CHECKPOINT if is_short else options.CHECKPOINT
        self._watch_handle = workflow.start_activity_method(
            WatchActivities.watch_stream,
            WatchInput(
                monitor_id=self._input.monitor_id,
                stream_url=self._input.stream_url,
                config=self._input.config,
                state=self._progress.watch_state,
                checkpoint_sec=checkpoint.total_seconds(),
            ),
            **options.watch_stream(self._progress.placement, self._input.monitor_id),
        )
        try:
            return await self._watch_handle
        except asyncio.CancelledError:
            if is_cancelled():
                raise
            return None  # interrupted before it began
        except ActivityError as error:
            # Temporal does not retry a cancelled watch: use its last heartbeat.
            if error.retry_state is RetryState.CANCEL_REQUESTED or is_cancelled_exception(error):
                return self._result_from_heartbeat(error)
            raise monitor_failed(error) from error

    def _result_from_heartbeat(self, error: ActivityError) -> WatchResult | None:
        heartbeat = heartbeat_details(error)
        if heartbeat is None:
            return None
        known = HeartbeatDetails.model_validate(heartbeat)
        return WatchResult(
            outcome=WatchOutcome.HANDED_BACK,
            event_drafts=known.pending_events,
            statistics=known.statistics,
            health=self._progress.health,
            open_incidents=self._progress.open_incidents,
            coverage=known.coverage.untold,
            state={**heartbeat, "pending_events": []},
        )

    def _interrupt_the_watch(self) -> None:
        """Have the watch return its state, so that the next one begins soon."""
        if self._watch_handle:
            self._watch_handle.cancel()

    def _apply(self, seen: WatchResult) -> None:
        self._pods.reset()
        self._progress.watch_state = seen.state
        self._progress.statistics = seen.statistics
        self._progress.health = seen.health
        self._progress.open_incidents = seen.open_incidents
        self._progress.coverage = seen.coverage
        self._progress.quiet_spans = seen.quiet_spans
        for draft in seen.event_drafts:
            self._outbox.enqueue_draft(draft)
        self._board.update(views.doing(seen))

    def _end_of_stream(self, reason: EndReason | None) -> None:
        self._progress.stream_status = StreamStatus.ENDED
        self._outbox.enqueue(EventType.STREAM_ENDED, reason=reason)

    async def _continue_in_a_new_run(self) -> NoReturn:
        await self._pods.stop()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._input.model_copy(update={"carried": self._progress}))

    # The end

    async def _until_over(self, following: asyncio.Task[None]) -> None:
        end = self._input.config.scheduled_end_time
        left = (end - workflow.now()).total_seconds() if end else None
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: following.done() or self._is_to_stop(),
                timeout=left,
                timeout_summary="until the scheduled end",
            )

    def _is_to_stop(self) -> bool:
        return self._progress.stop_requested or self._outbox.failure is not None

    async def _end(self, following: asyncio.Task[None], *, cancelled: bool) -> None:
        self._is_over = True
        removal = asyncio.create_task(self._pods.remove())
        following.cancel()  # a watch that is stopped still returns what it saw last
        await asyncio.gather(following, return_exceptions=True)
        status, doing = self._conclude(following, cancelled=cancelled)
        if status is MonitorStatus.COMPLETED:  # becomes ERROR if the last events are not accepted
            self._board.update("Delivering the last events")
            await self._outbox.deliver_all()
            if self._outbox.failure:
                status, doing = self._fail_delivery(self._outbox.failure)
        self._board.update(doing, status=status)
        await self._outbox.close()
        await removal
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _conclude(
        self, following: asyncio.Task[None], *, cancelled: bool
    ) -> tuple[MonitorStatus, str]:
        """Enqueue the last event; return the final status and its reason in plain words."""
        if cancelled or self._progress.stop_requested:
            return MonitorStatus.STOPPED, "Cancelled" if cancelled else "Stopped"
        if self._outbox.failure:
            return self._fail_delivery(self._outbox.failure)
        error = None if following.cancelled() else following.exception()
        if isinstance(error, MonitorFailed):
            details = error.details
            self._fail(details.reason, details.message, **details.more)
            return MonitorStatus.ERROR, f"Failed: {details.message}"
        if error:
            raise error  # a defect: Temporal keeps the workflow and tries again after its repair
        if self._progress.stream_status is not StreamStatus.ENDED:
            self._end_of_stream(EndReason.SCHEDULED_END)
            return MonitorStatus.COMPLETED, "Ended at its scheduled time"
        return MonitorStatus.COMPLETED, "The stream has ended"

    def _fail_delivery(self, why: str) -> tuple[MonitorStatus, str]:
        self._fail("delivery_failed", f"A webhook was not accepted: {why}")
        return MonitorStatus.ERROR, "Stopped: a webhook could not be delivered"

    def _fail(self, reason: str, message: str, **more: Any) -> None:
        self._outbox.enqueue(EventType.MONITOR_ERROR, reason=reason, message=message, **more)
        self._progress.error_reason, self._progress.error_message = reason, message
