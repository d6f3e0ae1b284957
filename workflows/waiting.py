"""Waiting until a stream is live."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import options
from workflows.failures import monitor_failed
from workflows.outbox import Outbox
from workflows.views import StatusBoard

with workflow.unsafe.imports_passed_through():
    from activities.declarations import WaitActivities, WaitInput, WaitResult
    from monitors.delivery import bounded_text
    from monitors.events import EndReason, EventType, timestamp_text
    from monitors.reports import HealthReport
    from monitors.status import MonitorStatus, StreamStatus
    from workflows.messages import MonitorInput, MonitorProgress


@dataclass(frozen=True)
class StreamWaiter:
    """Waits for the stream's scheduled start, and then asks until it is live."""

    input: MonitorInput  # a change replaces its fields
    progress: MonitorProgress  # is live in the end, unless the stream was over before
    outbox: Outbox
    board: StatusBoard

    async def wait(self) -> bool:
        """Return True at the end of waiting, False when it must go on in a new run."""
        return await self._sleep_until_due() and await self._poll_until_live()

    async def _sleep_until_due(self) -> bool:
        start = self.input.config.scheduled_start_time
        early = start - options.EARLY_POLL - workflow.now() if start else timedelta()
        if not start or early <= timedelta():
            return True
        self.board.update(
            f"Scheduled for {timestamp_text(start)}",
            status=MonitorStatus.SCHEDULED,
            stream_status=StreamStatus.SCHEDULED,
        )
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                is_history_long, timeout=early, timeout_summary="until the stream is due"
            )
            return False  # many changes make a long history, too
        return True

    async def _poll_until_live(self) -> bool:
        was_waiting = self.progress.status is MonitorStatus.WAITING  # in an earlier run
        doing = self.progress.doing if was_waiting else "Waiting for the stream to go live"
        self.board.update(doing, status=MonitorStatus.WAITING)
        while not self.progress.is_live:
            seen = await self._poll_until_it_changes()
            if seen is None:
                if self._needs_new_run():
                    return False
                continue
            self._apply(seen)
            if seen.has_ended:
                self.progress.stream_status = StreamStatus.ENDED
                self.outbox.enqueue(EventType.STREAM_ENDED, reason=EndReason.STREAM_NO_LONGER_LIVE)
                return True
        self.outbox.enqueue(EventType.STREAM_STARTED, title=self.progress.title)
        return True

    async def _poll_until_it_changes(self) -> WaitResult | None:
        """Return what is new of the stream."""
        # None when it must be waited for in a new run, or be asked with request headers.
        if self._needs_new_run():
            return None
        lateness = asyncio.create_task(self._report_delay())
        polling, had_headers = self._start_polling(), self._has_request_headers()
        try:
            await workflow.wait_condition(
                lambda: (
                    polling.done()
                    or self._needs_new_run()
                    or (self._has_request_headers() and not had_headers)
                )
            )
            return await polling if polling.done() else None
        except ActivityError as error:
            raise monitor_failed(error) from error
        finally:
            lateness.cancel()
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)

    def _start_polling(self) -> workflow.ActivityHandle[WaitResult]:
        return workflow.start_activity_method(
            WaitActivities.wait_for_live,
            WaitInput(
                monitor_id=self.input.monitor_id,
                stream_url=self.input.stream_url,
                scheduled_start_time=self.input.config.scheduled_start_time,
                site_start_time=self.progress.site_start_time,
                has_request_headers=self._has_request_headers(),
                state=self.progress.wait_state,
            ),
            **options.WAIT_FOR_LIVE,
        )

    def _has_request_headers(self) -> bool:
        return bool(self.input.config.request_headers)

    def _needs_new_run(self) -> bool:
        """A webhook that is on its way is not left behind: the next poll begins the new run."""
        return is_history_long() and not self.outbox.queued

    def _apply(self, seen: WaitResult) -> None:
        progress = self.progress
        progress.wait_state = seen.state
        progress.placement = seen.placement or progress.placement
        progress.is_live = seen.is_live
        progress.title = bounded_text(seen.title) if seen.title else progress.title
        progress.health = HealthReport(reason=seen.unknown_because)
        if seen.unknown_because:
            self.board.update(f"Waiting, but the stream cannot be seen: {seen.unknown_because}")
        elif not (seen.is_live or seen.has_ended):
            self._apply_start(seen)

    def _apply_start(self, seen: WaitResult) -> None:
        """Go by the start that the site says: broadcasters reschedule."""
        self.progress.site_start_time = seen.site_start_time
        start = timestamp_text(seen.site_start_time) if seen.site_start_time else "an unknown time"
        status = StreamStatus.SCHEDULED if seen.site_start_time else StreamStatus.UNKNOWN
        self.board.update(f"Waiting for {start}", stream_status=status)

    async def _report_delay(self) -> None:
        start = self.progress.site_start_time or self.input.config.scheduled_start_time
        if start is None or self.progress.delay_reported:
            return
        tolerance = self.input.config.start_delay_tolerance_sec
        patience = start + timedelta(seconds=tolerance) - workflow.now()
        # A start that passed before the first poll says nothing of the stream.
        await workflow.sleep(max(patience, options.FIRST_POLL), summary="until the stream is late")
        if self.progress.health.reason:
            return  # it may well be live; the next poll that sees it begins again
        self.progress.delay_reported = True
        self.outbox.enqueue(
            EventType.STREAM_DELAYED,
            scheduled_start_time=timestamp_text(start),
            delay_sec=round((workflow.now() - start).total_seconds(), 3),
            tolerance_sec=tolerance,
        )


def is_history_long() -> bool:
    return workflow.info().is_continue_as_new_suggested()
