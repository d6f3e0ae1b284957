"""What the store hands out, and the rule by which reports change a monitor."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from monitors.config import MonitorConfig
from monitors.events import EventType
from monitors.reports import (
    HealthReport,
    MediaFacts,
    OpenIncident,
    Statistics,
    StatusReport,
    is_newer,
)
from monitors.status import DeliveryStatus, IncidentKind, MonitorStatus, Severity, StreamStatus


@dataclass(frozen=True)
class LastReport:
    """The newest measurements that the store knows of a monitor."""

    health: HealthReport
    statistics: Statistics
    open_incidents: list[OpenIncident]
    as_of: datetime
    media: MediaFacts | None = None


@dataclass(frozen=True)
class MonitorRecord:
    """A monitor as the store knows it.

    Attributes:
        name: the user's.
        applied_by: the set of files that `stream-tracker apply` made it from; None: none.
        title: the stream's; None until its workflow reports it.
        changes: how many changes its workflow took before it had this config and metadata.
        workflow_started_at: when Temporal confirmed its workflow; None before.
        reported_at: `as_of` of the report that `status` comes from; None before the first. Later
            ones that say the same change `last_report` alone.
        finished_at: when the status became final; None while active.
        stop_reason: why a worker asked for the end; None when a user did or nobody.
        last_report: None before the first.
        request_headers: sealed by `api.secrets`; None where there are none, or no longer.
    """

    monitor_id: str
    stream_url: str
    stream_key: str
    callback_url: str | None
    config: MonitorConfig
    metadata: dict[str, Any]
    status: MonitorStatus
    stream_status: StreamStatus
    created_at: datetime
    name: str | None = None
    title: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    applied_by: str | None = None
    changes: int = 0
    workflow_started_at: datetime | None = None
    reported_at: datetime | None = None
    finished_at: datetime | None = None
    stop_reason: str | None = None
    error_reason: str | None = None
    error_message: str | None = None
    last_report: LastReport | None = None
    request_headers: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class MonitorSummary:
    monitor_id: str
    stream_url: str
    name: str | None
    title: str | None
    labels: dict[str, str]
    status: MonitorStatus
    stream_status: StreamStatus
    health: HealthReport
    open_incidents: list[OpenIncident]
    created_at: datetime
    as_of: datetime | None = None
    media: MediaFacts | None = None
    picture_at: datetime | None = None


@dataclass(frozen=True)
class CoverageSubject:
    """A monitor whose coverage is asked for.

    Attributes:
        heard_at: when its last report was true.
        seen_until: end of what was observed last.
        check_interval_sec: of its config.
    """

    monitor_id: str
    name: str | None
    title: str | None
    labels: dict[str, str]
    stream_url: str
    created_at: datetime
    finished_at: datetime | None
    live_since: datetime | None
    live_until: datetime | None
    heard_at: datetime | None
    seen_until: datetime | None
    check_interval_sec: float | None


@dataclass(frozen=True)
class Delivery:
    """What is known of an event's webhook, as its columns and its reports name it."""

    webhook_status: DeliveryStatus
    webhook_attempts: int
    webhook_last_error: str | None
    sent_at: datetime | None


@dataclass(frozen=True)
class EventRecord:
    event_id: str
    event_type: EventType
    payload: dict[str, Any]
    delivery: Delivery
    created_at: datetime


@dataclass(frozen=True)
class RecordedEvent:
    """What follows from a report of an event.

    Attributes:
        to_tell: destinations for which it was queued just now.
        silenced_until: until when a silence holds back its webhook, unless that is through.
    """

    to_tell: list[str]
    silenced_until: datetime | None = None


@dataclass(frozen=True)
class IncidentRecord:
    """An incident as the store knows it.

    Attributes:
        detected_at: when it was told; None where its first event never came.
        ended_at: the first good moment, or when its monitor ended; None while it is open.
        track: the audio track, where all of them are measured; else empty.
        silenced: whether it was opened in a silence.
        opened_name, opened_labels: of its monitor, when it was recorded first.
    """

    incident_id: str
    monitor_id: str
    kind: IncidentKind
    severity: Severity
    is_open: bool
    started_at: datetime
    detected_at: datetime | None
    ended_at: datetime | None
    duration_sec: float | None
    reason: str | None
    track: str
    is_flapping: bool
    silenced: bool
    acknowledged_at: datetime | None
    note: str | None
    opened_name: str
    opened_labels: dict[str, str]


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's key and the body it came with, as hex digests."""

    key_hash: str
    body_hash: str


@dataclass(frozen=True)
class EarlierCreation:
    key: IdempotencyKey
    monitor_id: str
    created_at: datetime
    workflow_started_at: datetime | None


def with_report(record: MonitorRecord, report: StatusReport, now: datetime) -> MonitorRecord:
    """Return `record` as it is after `report`.

    A final status stays as it is. A report that ends the monitor counts even when measurements
    newer than it are known, because the probe reports its counters past the workflow; every
    other older report changes nothing but a title that is not known yet.
    """
    as_of = min(report.as_of, now)  # a clock that is ahead must not silence later reports
    is_newest = all(is_newer(as_of, known, now) for known in _known_at(record))
    record = _with_measurements(record, report, as_of, now)
    if not record.status.is_active or (report.status.is_active and not is_newest):
        # The probe, which may overtake the workflow's report, knows no title.
        return replace(record, title=record.title or report.title)
    return replace(
        record,
        status=report.status,
        stream_status=report.stream_status,
        title=report.title or record.title,
        reported_at=as_of if is_newest else record.reported_at,
        finished_at=None if report.status.is_active else now,
        error_reason=report.error_reason,
        error_message=report.error_message,
    )


def _known_at(record: MonitorRecord) -> list[datetime]:
    """Return what the newest reports of status and of measurements say when they were true.

    A report that only brings new measurements leaves `reported_at` as it is.
    """
    moments = (record.reported_at, record.last_report and record.last_report.as_of)
    return [moment for moment in moments if moment]


def _with_measurements(
    record: MonitorRecord, report: StatusReport, as_of: datetime, now: datetime
) -> MonitorRecord:
    if record.last_report and not is_newer(as_of, record.last_report.as_of, now):
        return record
    return replace(
        record,
        last_report=LastReport(
            report.health,
            report.statistics,
            report.open_incidents,
            as_of,
            report.media or (record.last_report.media if record.last_report else None),
        ),
    )


_DELIVERY_ORDER = (
    *(DeliveryStatus.NONE, DeliveryStatus.PENDING, DeliveryStatus.SILENCED),
    *(DeliveryStatus.FAILED, DeliveryStatus.SENT),
)


def after_report(known: Delivery, reported: Delivery) -> Delivery:
    """Return what is known of a delivery after a report, which may be late or come twice.

    What was sent stays sent, at the newest time; what failed is not pending again. A redelivery
    counts its attempts on from those before: one that fails leaves a sent webhook sent, but counts.
    """
    status, reported_status = known.webhook_status, reported.webhook_status
    before, after = _DELIVERY_ORDER.index(status), _DELIVERY_ORDER.index(reported_status)
    is_more = reported.webhook_attempts >= known.webhook_attempts
    if after > before or (after == before and is_more):
        return replace(reported, sent_at=reported.sent_at or known.sent_at)
    if status is DeliveryStatus.SENT and reported_status is DeliveryStatus.FAILED and is_more:
        return replace(reported, webhook_status=status, sent_at=known.sent_at)
    return known
