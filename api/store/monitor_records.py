"""Monitors as the store hands them out, and the rule by which reports change them."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.tables import monitor_stats, monitors
from monitors.config import MonitorConfig
from monitors.reports import (
    HealthReport,
    MediaFacts,
    OpenIncident,
    Statistics,
    StatusReport,
    is_newer,
    overall_health,
)
from monitors.status import ACTIVE_STATUSES, MonitorStatus, StreamStatus


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
        applied_by: the set of files that `stream-tracker apply` made it from.
        title: the stream's, once its workflow reports it.
        changes: how many changes its workflow took before it had this config and metadata.
        workflow_started_at: when Temporal confirmed its workflow.
        reported_at: `as_of` of the report that `status` comes from. Later ones that say the same
            change `last_report` alone.
        finished_at: when the status became final.
        stop_reason: why a worker asked for the end; None when a user did or nobody.
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


# Literally as the partial index has it: with bound values SQLite would not see that it fits.
IS_ACTIVE = monitors.c.status.in_(
    [literal_column(f"'{status}'") for status in sorted(ACTIVE_STATUSES)]
)
NEW_COLUMNS: Final = (
    *("monitor_id", "stream_url", "stream_key", "callback_url", "name", "labels", "applied_by"),
    *("config", "metadata", "request_headers", "changes", "status", "stream_status", "created_at"),
)
"""What a new monitor has a value in."""

_OF_RECORD = [column for column in monitors.c if column.name in MonitorRecord.__dataclass_fields__]

MONITORS_WITH_STATS = monitors.outerjoin(
    monitor_stats, monitors.c.monitor_id == monitor_stats.c.monitor_id
)


def with_last_report() -> Select[Any]:
    measured = (column for column in monitor_stats.c if column is not monitor_stats.c.monitor_id)
    return select(monitors, *measured).select_from(MONITORS_WITH_STATS)


async def lock_monitor(connection: AsyncConnection, monitor_id: str) -> bool:
    """Serialize changes of one monitor, as SQLite does anyway; False: there is none."""
    query = select(monitors.c.monitor_id).where(monitors.c.monitor_id == monitor_id)
    return await connection.scalar(query.with_for_update()) is not None


def new_row(record: MonitorRecord) -> dict[str, Any]:
    """Return the columns of a new monitor; its last report, if any, is not among them."""
    config = record.config.model_dump(mode="json")
    return {name: getattr(record, name) for name in NEW_COLUMNS} | {"config": config}


def measurements(report: StatusReport | LastReport) -> dict[str, Any]:
    return {
        "health": report.health.model_dump(mode="json"),
        "statistics": report.statistics.model_dump(mode="json"),
        "open_incidents": [one.model_dump(mode="json") for one in report.open_incidents],
        "overall_health": overall_health(report.health, report.open_incidents),
        "media": report.media.model_dump(mode="json") if report.media else None,
    }


def monitor_record(row: Row[*tuple[Any, ...]]) -> MonitorRecord:
    known = {column.name: row._mapping[column] for column in _OF_RECORD}
    return MonitorRecord(
        **known
        | {
            "config": MonitorConfig.model_validate(row.config),
            "last_report": _last_report(row),
        }
    )


def monitor_summary(row: Row[*tuple[Any, ...]]) -> MonitorSummary:
    measured = {
        "health": HealthReport.model_validate(row.health or {}),
        "open_incidents": _open_incidents(row.open_incidents or []),
        "media": _media(row),
    }
    return MonitorSummary(**dict(row._mapping) | measured)


def _last_report(row: Row[*tuple[Any, ...]]) -> LastReport | None:
    if row.as_of is None:
        return None
    return LastReport(
        health=HealthReport.model_validate(row.health),
        statistics=Statistics.model_validate(row.statistics),
        open_incidents=_open_incidents(row.open_incidents),
        as_of=row.as_of,
        media=_media(row),
    )


def _media(row: Row[*tuple[Any, ...]]) -> MediaFacts | None:
    return MediaFacts.model_validate(row.media) if row.media else None


def _open_incidents(kept: list[dict[str, Any]]) -> list[OpenIncident]:
    return [OpenIncident.model_validate(one) for one in kept]


def with_report(record: MonitorRecord, report: StatusReport, now: datetime) -> MonitorRecord:
    """Return `record` as it is after `report`.

    A final status stays as it is. A report that ends the monitor counts even when measurements
    newer than it are known, because the probe reports its counters past the workflow; every
    other older report changes nothing but a title that is not known yet.
    """
    as_of = min(report.as_of, now)  # a clock that is ahead must not silence later reports
    # A report that only brings new measurements leaves `reported_at` as it is.
    known_at = (record.reported_at, record.last_report and record.last_report.as_of)
    is_newest = all(is_newer(as_of, moment, now) for moment in known_at if moment)
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
