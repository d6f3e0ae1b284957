"""Rows of the tables as records, and what several queries about monitors share."""

from typing import Any, Final

from sqlalchemy import Row, Select, literal_column, select

from api.store.records import LastReport, MonitorRecord, MonitorSummary
from api.store.tables import monitor_stats, monitors
from monitors.config import MonitorConfig
from monitors.reports import (
    HealthReport,
    MediaFacts,
    OpenIncident,
    Statistics,
    StatusReport,
    overall_health,
)
from monitors.status import ACTIVE_STATUSES

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
