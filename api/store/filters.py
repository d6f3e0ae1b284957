"""Which monitors and incidents a list shows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    TextClause,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    true,
)

from api.store.monitor_records import IS_ACTIVE
from api.store.tables import IS_OPEN, incidents, monitor_labels, monitor_stats, monitors
from monitors.status import Health, IncidentKind, MonitorStatus, Severity

Label = tuple[str, str]


@dataclass(frozen=True)
class MonitorFilter:
    """All of these must hold.

    Attributes:
        health: of active monitors; those that have ended have none.
        text: is in the name, the title or the URL, in whichever case.
    """

    status: MonitorStatus | None = None
    health: Health | None = None
    labels: Collection[Label] = ()
    text: str | None = None


def is_wanted(wanted: MonitorFilter) -> ColumnElement[bool]:
    conditions = [has_labels(monitors.c.monitor_id, wanted.labels)]
    if wanted.status:
        conditions.append(monitors.c.status == wanted.status)
    if wanted.health:
        conditions.append(_has_health(wanted.health))
    if wanted.text:
        conditions.append(_contains(wanted.text))
    return and_(*conditions)


def has_labels(monitor_id: ColumnElement[str], labels: Collection[Label]) -> ColumnElement[bool]:
    return and_(true(), *(monitor_id.in_(with_label(label)) for label in labels))


def with_label(label: Label) -> Select[tuple[str]]:
    key, value = label
    return select(monitor_labels.c.monitor_id).where(
        monitor_labels.c.key == key, monitor_labels.c.value == value
    )


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


def is_wanted_incident(
    wanted: IncidentFilter, labelled: ColumnElement[bool], *, by_monitors: bool
) -> ColumnElement[bool]:
    """Return the conditions of the incidents that are wanted.

    Databases guess badly which of them few rows meet, so only that one may be found by its index:
    the incidents of monitors (of a kind), else the open ones, else those of a kind, of a severity,
    of a time.

    `labelled` says whether an incident's monitor has the labels; `by_monitors`: incidents are found
    by the monitors that have them.
    """
    conditions: list[ColumnElement[bool] | TextClause] = [true()]
    if wanted.labels:
        conditions.append(labelled if by_monitors else _row_by_row(labelled))
    if wanted.monitor_id:
        conditions.append(incidents.c.monitor_id == wanted.monitor_id)
    if wanted.is_open is not None:
        conditions.append(IS_OPEN if wanted.is_open else ~incidents.c.is_open)
    conditions.append(_is_of_sort(wanted, of_monitors=by_monitors or bool(wanted.monitor_id)))
    if wanted.since:
        conditions.append(incidents.c.started_at >= wanted.since)
    if wanted.until:
        conditions.append(incidents.c.started_at < wanted.until)
    return and_(*conditions)


def _is_of_sort(wanted: IncidentFilter, *, of_monitors: bool) -> ColumnElement[bool]:
    kind, severity = wanted.kind, wanted.severity
    if kind is None and severity is None:
        return true()
    if kind and severity and kind.severity is not severity:
        return false()
    condition = incidents.c.kind == kind if kind else incidents.c.severity == severity
    # The incidents of a monitor have an index by kind, none by severity.
    is_narrow = wanted.is_open or (of_monitors and not kind)
    return _row_by_row(condition) if is_narrow else condition


def _row_by_row(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the same condition, for which no index is used."""
    return func.coalesce(condition, false())


def _has_health(health: Health) -> ColumnElement[bool]:
    is_of_monitor = monitor_stats.c.monitor_id == monitors.c.monitor_id
    if health is Health.UNKNOWN:  # also of those that never reported
        is_known = exists().where(is_of_monitor, monitor_stats.c.overall_health != health)
        return and_(IS_ACTIVE, ~is_known)
    return and_(IS_ACTIVE, exists().where(is_of_monitor, monitor_stats.c.overall_health == health))


def _contains(text: str) -> ColumnElement[bool]:
    columns = (monitors.c.name, monitors.c.title, monitors.c.stream_url)
    return or_(*(column.icontains(text, autoescape=True) for column in columns))
