"""Applies what workers report to the store."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from pydantic import AwareDatetime, Field

from api.destinations.waker import DestinationWaker
from api.errors import EngineNotAvailable, MonitorNotFound, ValidationFailed
from api.metrics import GatewayMetrics
from api.monitors.level_history import LevelHistory
from api.monitors.service import MonitorService
from api.store import Store
from monitors.random_ids import is_monitor_id
from monitors.reports import EventReport, EventReportAnswer, StatusReport
from monitors.status import MonitorStatus

MAX_INTEGER: Final = 2**31 - 1
MAX_EVENT_ID_LENGTH: Final = 200

_log = structlog.get_logger(__name__)


class StatusReceived(StatusReport):
    """A status report; without `as_of` it is of now."""

    as_of: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class WorkerReports:
    store: Store
    monitors: MonitorService
    metrics: GatewayMetrics
    waker: DestinationWaker
    levels: LevelHistory
    now: Callable[[], datetime]

    async def apply_status(self, monitor_id: str, report: StatusReport) -> None:
        """Take a monitor's condition."""
        _check_moment("as_of", report.as_of)
        for field, spans in (("coverage", report.coverage), ("quiet_spans", report.quiet_spans)):
            for span in spans:
                _check_moment(field, span.start)
                _check_moment(field, span.end)
        if not is_monitor_id(monitor_id):
            raise MonitorNotFound(monitor_id)
        status = await self.store.monitors.apply_report(monitor_id, report, self.now())
        if status is None:
            raise MonitorNotFound(monitor_id)
        await self.store.coverage.record(monitor_id, report.coverage)
        await self.store.coverage.record_quiet(monitor_id, report.quiet_spans)
        if report.media:
            self.levels.add(monitor_id, self.now(), report.media.levels)
        if not report.status.is_active:
            await self.store.coverage.end_live(monitor_id, min(report.as_of, self.now()))
            await self.waker.wake_about(monitor_id)
        elif status is MonitorStatus.STOPPED:
            await self._cancel(monitor_id)

    async def record_event(
        self, monitor_id: str, event_id: str, report: EventReport
    ) -> EventReportAnswer:
        """Take an event or the outcome of its webhook; say whether a silence holds it back.

        Raises:
            ValidationFailed: the report does not fit its path, or is beyond what the store keeps.
        """
        _check_event(report, monitor_id, event_id)
        recorded = None
        if is_monitor_id(monitor_id):
            recorded = await self.store.events.record(monitor_id, report, self.now())
        if recorded is None:
            raise MonitorNotFound(monitor_id)
        self.waker.wake(recorded.to_tell)
        labels = (report.event.event_type, report.webhook_status)
        self.metrics.event_reports.labels(*labels).inc()
        return EventReportAnswer(silenced_until=recorded.silenced_until)

    async def _cancel(self, monitor_id: str) -> None:
        """Cancel a workflow that still works for a stopped monitor.

        Mostly it is about to end. But a start without an answer may have come through after the
        monitor was stopped, and only its reports show that.
        """
        try:
            await self.monitors.cancel_workflow(monitor_id)
        except EngineNotAvailable:
            _log.warning("stopped monitor runs", monitor_id=monitor_id)


def _check_event(report: EventReport, monitor_id: str, event_id: str) -> None:
    if report.event.monitor_id != monitor_id:
        raise ValidationFailed("event.monitor_id: is not the one in the path")
    if report.event.event_id != event_id:
        raise ValidationFailed("event.event_id: is not the one in the path")
    if len(event_id) > MAX_EVENT_ID_LENGTH:
        raise ValidationFailed(f"event.event_id: is longer than {MAX_EVENT_ID_LENGTH} characters")
    if not 0 < report.event.sequence <= MAX_INTEGER:
        raise ValidationFailed(f"event.sequence: must be 1 to {MAX_INTEGER}")
    if not 0 <= report.webhook_attempts <= MAX_INTEGER:
        raise ValidationFailed(f"webhook_attempts: must be 0 to {MAX_INTEGER}")
    if report.sent_at:
        _check_moment("sent_at", report.sent_at)


def _check_moment(field: str, moment: datetime) -> None:
    """Refuse a time that does not exist in UTC: the first and last hours of the calendar."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValidationFailed(f"{field}: is outside of the calendar in UTC") from None
