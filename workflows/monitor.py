"""One monitor, from the moment it was ordered to the end of its stream."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    RetryState,
    is_cancelled_exception,
)

from workflows import options, tasks, views
from workflows.failures import StreamUnavailable, heartbeat_details, unavailable
from workflows.outbox import Outbox
from workflows.pod_keeper import PodKeeper

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.declarations import (
        HeartbeatDetails,
        WaitActivities,
        WaitInput,
        WaitResult,
        WatchActivities,
        WatchInput,
        WatchOutcome,
        WatchResult,
    )
    from monitors.events import EndReason, EventDraft, EventType, timestamp_text
    from monitors.pods import PodFailure
    from monitors.reports import HealthReport
    from monitors.status import MonitorStatus, StreamStatus
    from workflows.messages import (
        CHANGE_UPDATE,
        INVALID_CHANGE,
        NOT_ACTIVE,
        POD_FAILURE_SIGNAL,
        POD_READY_SIGNAL,
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


UNPROBED = "no probe has measured a segment yet"
NO_ROOM = "neither the receiver nor the gateway takes events"
"""Why nothing is known of a stream that is live."""


@workflow.defn(name=WORKFLOW_TYPE)
class MonitorWorkflow:
    """Waits until a stream is live, watches it to its end, and tells of what happens."""

    @workflow.init
    def __init__(self, order: MonitorInput) -> None:
        self._order = order
        self._progress = order.carried or MonitorProgress(as_of=workflow.now())
        self._outbox = Outbox(order, self._progress)
        if self._progress.status_untold:
            self._outbox.report_status(lambda: views.status_report(self._progress))
        self._pods = PodKeeper(
            order.monitor_id,
            self._progress,
            update_status=self._set_details,
            on_end=self._interrupt_the_watch,
        )
        self._watching: workflow.ActivityHandle[WatchResult] | None = None
        self._wants_new_run = False
        self._over = False

    @workflow.run
    async def run(self, order: MonitorInput) -> MonitorResult:
        """Follow the stream until it ends, somebody stops the monitor, or it cannot go on."""
        self._outbox.open()
        story = asyncio.create_task(self._follow_the_stream())
        cancelled = False
        try:
            await self._until_over(story)
        except asyncio.CancelledError:
            cancelled = True
        if self._wants_new_run and not (cancelled or self._is_to_stop()):
            try:
                await self._continue_in_a_new_run()
            except asyncio.CancelledError:  # what was to be carried on is told in this run
                cancelled = True
        await tasks.undisturbed(self._end(story, cancelled=cancelled))
        if cancelled:
            raise asyncio.CancelledError
        return views.monitor_end(self._progress)

    @workflow.signal(name=STOP_SIGNAL)
    def stop(self) -> None:
        """Stop the monitor; what is queued is still delivered."""
        self._progress.stop_requested = True

    @workflow.signal(name=POD_FAILURE_SIGNAL)
    def pod_failure_signal(self, failure: PodFailure) -> None:
        """Take a report of a Pod that failed."""
        self._pods.on_failure(failure)

    @workflow.signal(name=POD_READY_SIGNAL)
    def pod_ready(self, uid: str) -> None:
        """Take a report of a Pod whose worker takes the stream."""
        self._pods.on_ready(uid)

    @workflow.update(name=CHANGE_UPDATE)
    def change(self, change: MonitorChange) -> ChangeResult:
        """Change thresholds or metadata; what was detected is kept."""
        config = self._order.config.with_thresholds(change.thresholds)
        config = config.with_request_headers(change.request_headers)
        metadata = self._order.metadata if change.metadata is None else change.metadata
        self._order = self._order.model_copy(update={"config": config, "metadata": metadata})
        self._outbox.order = self._order
        self._progress.changes += 1
        self._interrupt_the_watch()  # it goes on with what is new
        return ChangeResult(config=config, metadata=metadata, changes=self._progress.changes)

    @change.validator
    def _validate_change(self, change: MonitorChange) -> None:
        if self._over:
            raise ApplicationError("the monitor has ended", type=NOT_ACTIVE)
        try:
            self._order.config.with_thresholds(change.thresholds)
        except ValidationError as error:
            raise ApplicationError(str(error), type=INVALID_CHANGE) from None

    @workflow.query(name=SNAPSHOT_QUERY)
    def snapshot(self) -> MonitorSnapshot:
        """Return the monitor's condition."""
        return views.snapshot(self._order, self._progress, queued=self._outbox.queued)

    # The story

    async def _follow_the_stream(self) -> None:
        await self._sleep_until_due()
        if not (self._progress.is_live or self._wants_new_run):
            await self._wait_for_live()
        if self._progress.is_live:
            await self._watch_until_it_ends()

    async def _sleep_until_due(self) -> None:
        start = self._order.config.scheduled_start_time
        if self._progress.is_live or start is None:
            return
        early = start - options.EARLY_LOOK - workflow.now()
        if early.total_seconds() > 0:
            self._update_status(
                f"Scheduled for {timestamp_text(start)}",
                status=MonitorStatus.SCHEDULED,
                stream_status=StreamStatus.SCHEDULED,
            )
            with contextlib.suppress(TimeoutError):
                await workflow.wait_condition(
                    _is_history_long, timeout=early, timeout_summary="until the stream is due"
                )
                self._wants_new_run = True  # many changes make a long history, too

    async def _wait_for_live(self) -> None:
        was_waiting = self._progress.status is MonitorStatus.WAITING  # in an earlier run
        doing = self._progress.doing if was_waiting else "Waiting for the stream to go live"
        self._update_status(doing, status=MonitorStatus.WAITING)
        while not self._progress.is_live:
            seen = await self._poll_until_it_changes()
            if seen is None:
                if not self._may_wait_in_a_new_run():
                    continue
                self._wants_new_run = True
                return
            self._apply_wait_result(seen)
            if seen.has_ended:
                self._end_of_stream(EndReason.STREAM_NO_LONGER_LIVE)
                return
        self._enqueue(EventType.STREAM_STARTED, title=self._progress.title)

    async def _poll_until_it_changes(self) -> WaitResult | None:
        """Return what is new of the stream.

        None when it is to be waited for in a new run, or to be asked with request headers.
        """
        if self._may_wait_in_a_new_run():
            return None
        lateness = asyncio.create_task(self._report_delay())
        looking, had_headers = self._start_looking(), self._has_request_headers()
        try:
            await workflow.wait_condition(
                lambda: (
                    looking.done()
                    or self._may_wait_in_a_new_run()
                    or (self._has_request_headers() and not had_headers)
                )
            )
            return await looking if looking.done() else None
        except ActivityError as error:
            raise unavailable(error) from error
        finally:
            lateness.cancel()
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    def _has_request_headers(self) -> bool:
        return bool(self._order.config.request_headers)

    def _start_looking(self) -> workflow.ActivityHandle[WaitResult]:
        return workflow.start_activity_method(
            WaitActivities.wait_for_live,
            WaitInput(
                monitor_id=self._order.monitor_id,
                stream_url=self._order.stream_url,
                scheduled_start_time=self._order.config.scheduled_start_time,
                site_start_time=self._progress.site_start_time,
                has_request_headers=self._has_request_headers(),
                state=self._progress.wait_state,
            ),
            **options.WAIT_FOR_LIVE,
        )

    def _apply_wait_result(self, seen: WaitResult) -> None:
        progress = self._progress
        progress.wait_state = seen.state
        progress.placement = seen.placement or progress.placement
        progress.is_live, progress.title = seen.is_live, seen.title or progress.title
        progress.health = HealthReport(reason=seen.unknown_because)
        if seen.unknown_because:
            self._update_status(f"Waiting, but the stream cannot be seen: {seen.unknown_because}")
        elif not (seen.is_live or seen.has_ended):
            self._apply_start(seen)

    def _apply_start(self, seen: WaitResult) -> None:
        """Go by the start that the site says: broadcasters reschedule."""
        self._progress.site_start_time = seen.site_start_time
        start = timestamp_text(seen.site_start_time) if seen.site_start_time else "an unknown time"
        status = StreamStatus.SCHEDULED if seen.site_start_time else StreamStatus.UNKNOWN
        self._update_status(f"Waiting for {start}", stream_status=status)

    def _may_wait_in_a_new_run(self) -> bool:
        """Tell whether to; a webhook that is on its way is not left behind: next time then."""
        return _is_history_long() and not self._outbox.queued

    async def _report_delay(self) -> None:
        start = self._progress.site_start_time or self._order.config.scheduled_start_time
        if start is None or self._progress.delay_told:
            return
        tolerance = self._order.config.start_delay_tolerance_sec
        patience = start + timedelta(seconds=tolerance) - workflow.now()
        # A start that passed before the first look says nothing of the stream.
        await workflow.sleep(max(patience, options.FIRST_LOOK), summary="until the stream is late")
        if self._progress.health.reason:
            return  # it may well be live; when it is seen again, this begins anew
        self._progress.delay_told = True
        self._enqueue(
            EventType.STREAM_DELAYED,
            scheduled_start_time=timestamp_text(start),
            delay_sec=round((workflow.now() - start).total_seconds(), 3),
            tolerance_sec=tolerance,
        )

    async def _watch_until_it_ends(self) -> None:
        if self._progress.watch_state is None:
            # With all slots taken the watch waits in the queue; its first report replaces this.
            self._progress.health = HealthReport(reason=UNPROBED)
        has_no_pod = self._progress.shows_pod_failure  # in an earlier run
        self._update_status(
            self._progress.doing if has_no_pod else "Watching the stream",
            status=MonitorStatus.MONITORING,
            stream_status=StreamStatus.LIVE,
        )
        self._pods.start()
        while not self._over:
            seen = await self._watch_with_room()
            if seen:
                self._apply(seen)
            self._pods.raise_if_failed()
            if seen and seen.outcome is WatchOutcome.ENDED:
                self._end_of_stream(seen.end_reason)
                return
            if _is_history_long() and self._outbox.may_be_carried(self._interrupt_the_watch):
                self._wants_new_run = True
                return

    async def _watch_with_room(self) -> WatchResult | None:
        """Watch, or wait a while where nobody takes what a watch would tell; see `_watch`."""
        if self._outbox.has_room:
            return await self._watch()
        self._progress.health = HealthReport(reason=NO_ROOM)
        self._update_status(f"Nothing is watched: {NO_ROOM}")
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._outbox.has_room,
                timeout=options.ROOM_LOOK,
                timeout_summary="until there is room for events",
            )
            self._update_status("Watching the stream")
        return None

    async def _watch(self) -> WatchResult | None:
        """Return what a watch saw; None when it was interrupted and its worker said nothing."""
        checkpoint = options.SHORT_CHECKPOINT if _is_history_long() else options.CHECKPOINT
        self._watching = workflow.start_activity_method(
            WatchActivities.watch_stream,
            WatchInput(
                monitor_id=self._order.monitor_id,
                stream_url=self._order.stream_url,
                config=self._order.config,
                state=self._progress.watch_state,
                checkpoint_sec=checkpoint.total_seconds(),
            ),
            **options.watch_stream(self._progress.placement, self._order.monitor_id),
        )
        try:
            return await self._watching
        except asyncio.CancelledError:
            if tasks.is_cancelled():
                raise
            return None  # interrupted before it began
        except ActivityError as error:
            # A watch that fails, or whose worker is lost, while it is to stop is not tried again.
            if error.retry_state is RetryState.CANCEL_REQUESTED or is_cancelled_exception(error):
                return self._result_from_heartbeat(error)
            raise unavailable(error) from error

    def _result_from_heartbeat(self, error: ActivityError) -> WatchResult | None:
        """Return what the last heartbeat of a watch told whose worker was lost."""
        beat = heartbeat_details(error)
        if beat is None:
            return None
        known = HeartbeatDetails.model_validate(beat)
        return WatchResult(
            outcome=WatchOutcome.HANDED_BACK,
            event_drafts=known.happened,
            statistics=known.statistics,
            health=self._progress.health,
            open_incidents=self._progress.open_incidents,
            state={**beat, "happened": []},
        )

    def _interrupt_the_watch(self) -> None:
        """Have the watch return its state, so that the next one begins soon."""
        if self._watching:
            self._watching.cancel()

    def _apply(self, seen: WatchResult) -> None:
        self._pods.reset()
        self._progress.watch_state = seen.state
        self._progress.statistics = seen.statistics
        self._progress.health = seen.health
        self._progress.open_incidents = seen.open_incidents
        for happening in seen.event_drafts:
            self._outbox.put(happening)
        self._update_status(views.doing(seen))

    async def _continue_in_a_new_run(self) -> None:
        await self._pods.stop()
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._order.model_copy(update={"carried": self._progress}))

    # The end

    async def _until_over(self, story: asyncio.Task[None]) -> None:
        end = self._order.config.scheduled_end_time
        left = (end - workflow.now()).total_seconds() if end else None
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: story.done() or self._is_to_stop(),
                timeout=left,
                timeout_summary="until the scheduled end",
            )

    async def _end(self, story: asyncio.Task[None], *, cancelled: bool) -> None:
        self._over = True
        removal = asyncio.create_task(self._pods.remove())
        story.cancel()  # a stopped watch still tells what it saw last
        await asyncio.gather(story, return_exceptions=True)
        status, doing = self._ending(story, cancelled=cancelled)
        if status is MonitorStatus.COMPLETED:  # unless the last events are not accepted
            self._update_status("Delivering the last events")
            await self._outbox.deliver_all()
            if self._outbox.lost:
                status, doing = self._delivery_failed(self._outbox.lost)
        self._update_status(doing, status=status)
        await self._outbox.close()
        await removal
        await workflow.wait_condition(workflow.all_handlers_finished)

    def _ending(self, story: asyncio.Task[None], *, cancelled: bool) -> tuple[MonitorStatus, str]:
        """Return the final status, and why in plain words; put what the receiver must know."""
        if cancelled or self._progress.stop_requested:
            return MonitorStatus.STOPPED, "Cancelled" if cancelled else "Stopped"
        if self._outbox.lost:
            return self._delivery_failed(self._outbox.lost)
        error = None if story.cancelled() else story.exception()
        if isinstance(error, StreamUnavailable):
            reason, message = error.details.reason, error.details.message
            self._enqueue(
                EventType.MONITOR_ERROR, reason=reason, message=message, **error.details.more
            )
            self._set_error(reason, message)
            return MonitorStatus.ERROR, f"Failed: {message}"
        if error:
            raise error  # a defect: Temporal keeps the workflow and tries again after its repair
        if self._progress.stream_status is not StreamStatus.ENDED:
            self._end_of_stream(EndReason.SCHEDULED_END)
            return MonitorStatus.COMPLETED, "Ended at its scheduled time"
        return MonitorStatus.COMPLETED, "The stream has ended"

    def _delivery_failed(self, why: str) -> tuple[MonitorStatus, str]:
        self._set_error("delivery_failed", f"A webhook was not accepted: {why}")
        return MonitorStatus.ERROR, "Stopped: a webhook could not be delivered"

    def _end_of_stream(self, reason: EndReason | None) -> None:
        self._progress.stream_status = StreamStatus.ENDED
        self._enqueue(EventType.STREAM_ENDED, reason=reason)

    def _is_to_stop(self) -> bool:
        return self._progress.stop_requested or self._outbox.lost is not None

    def _set_error(self, reason: str, message: str) -> None:
        self._progress.error_reason, self._progress.error_message = reason, message

    # What others see

    def _enqueue(self, event_type: EventType, **data: Any) -> None:
        self._outbox.put(EventDraft(event_type=event_type, timestamp=workflow.now(), data=data))

    def _update_status(
        self,
        doing: str,
        *,
        status: MonitorStatus | None = None,
        stream_status: StreamStatus | None = None,
    ) -> None:
        """Note what was learned of the stream, and say it: also to the store."""
        progress = self._progress
        progress.as_of = workflow.now()
        progress.stream_status = stream_status or progress.stream_status
        if status and status is not progress.status:
            progress.status = status
            self._outbox.report_status(lambda: views.status_report(self._progress))
        self._set_details(doing)

    def _set_details(self, doing: str) -> None:
        """Say what is going on: in the web UI and in the snapshot."""
        self._progress.doing = doing
        workflow.set_current_details(doing)
        views.show_search_attributes(self._order, self._progress)


def _is_history_long() -> bool:
    return workflow.info().is_continue_as_new_suggested()
