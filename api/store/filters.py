"""Which monitors and incidents a list shows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, TextClause, and_, exists, or_, text, true

from api.store.rows import IS_ACTIVE
from api.store.tables import incidents, monitor_stats, monitors
from monitors.status import Health, IncidentKind, MonitorStatus, Severity

Label = tuple[str, str]

# Literally as the partial index has it: SQLite would not see that `is_open = 1` fits.
_IS_OPEN = text("incidents.is_open")


@dataclass(frozen=True)
class MonitorFilter:
    """All of these must hold.

    Attributes:
        health: of active monitors; those that have ended have none.
        labels: keys with their values.
        text: is in the name, the title or the URL, in whichever case.
    """

    status: MonitorStatus | None = None
    health: Health | None = None
    labels: Collection[Label] = ()
    text: str | None = None


def is_wanted(wanted: MonitorFilter) -> ColumnElement[bool]:
    conditions = [has_labels(wanted.labels)]
    if wanted.status:
        conditions.append(monitors.c.status == wanted.status)
    if wanted.health:
        conditions.append(_has_health(wanted.health))
    if wanted.text:
        conditions.append(_contains(wanted.text))
    return and_(*conditions)


def has_labels(labels: Collection[Label]) -> ColumnElement[bool]:
    """Return whether a row of `monitors` has all of these labels."""
    return and_(true(), *(monitors.c.labels[key].as_string() == value for key, value in labels))


@dataclass(frozen=True)
class IncidentFilter:
    """All of these must hold.

    Attributes:
        since, until: it began in this time, `until` excluded.
        labels: of its monitor: keys with their values.
    """

    is_open: bool | None = None
    monitor_id: str | None = None
    kind: IncidentKind | None = None
    severity: Severity | None = None
    since: datetime | None = None
    until: datetime | None = None
    labels: Collection[Label] = ()


def is_wanted_incident(wanted: IncidentFilter) -> ColumnElement[bool]:
    """Return the conditions that a row of `incidents` meets by itself, without its monitor's."""
    conditions: list[ColumnElement[bool] | TextClause] = [true()]
    if wanted.is_open is not None:
        conditions.append(_IS_OPEN if wanted.is_open else ~incidents.c.is_open)
    for name in ("monitor_id", "kind", "severity"):
        if value := getattr(wanted, name):
            conditions.append(incidents.c[name] == value)
    if wanted.since:
        conditions.append(incidents.c.started_at >= wanted.since)
    if wanted.until:
        conditions.append(incidents.c.started_at < wanted.until)
    return and_(*conditions)


def _has_health(health: Health) -> ColumnElement[bool]:
    is_of_monitor = monitor_stats.c.monitor_id == monitors.c.monitor_id
    if health is Health.UNKNOWN:  # also of those that never reported
        is_known = exists().where(is_of_monitor, monitor_stats.c.overall_health != health)
        return and_(IS_ACTIVE, ~is_known)
    return and_(IS_ACTIVE, exists().where(is_of_monitor, monitor_stats.c.overall_health == health))


def _contains(text: str) -> ColumnElement[bool]:
    columns = (monitors.c.name, monitors.c.title, monitors.c.stream_url)
    return or_(*(column.icontains(text, autoescape=True) for column in columns))
