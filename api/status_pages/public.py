"""What strangers see of a status page: states, days and incidents, and nothing internal.

No URL, no label, no reason and no note of an incident is in it: each may tell where a stream comes
from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from api.monitors.service import shown_name
from api.store.coverage import CoverageSubject
from api.store.incidents import IncidentRecord
from api.store.status_pages import ShownMonitor, StatusPageRecord
from monitors.availability import PeriodTotals, TimeResolution, Totals, periods
from monitors.coverage import CoverageCondition, CoverageInterval
from monitors.status import IncidentKind, Severity


class PublicState(StrEnum):
    """How a stream is now; the first is the worst."""

    FAULTY = "faulty"
    WARNING = "warning"
    UNKNOWN = "unknown"
    OK = "ok"
    OFF_AIR = "off_air"


STATES = tuple(PublicState)


@dataclass(frozen=True)
class PublicIncident:
    name: str
    kind: IncidentKind
    severity: Severity
    started_at: datetime
    ended_at: datetime | None
    is_announced: bool


@dataclass(frozen=True)
class PublicMonitor:
    """A stream; `days` are those of UTC that its monitor existed, oldest first."""

    name: str
    state: PublicState
    kinds: tuple[IncidentKind, ...]
    days: Sequence[PeriodTotals]
    totals: Totals


@dataclass(frozen=True)
class PublicPage:
    """A status page as it was at `as_of`."""

    title: str
    note: str | None
    as_of: datetime
    monitors: Sequence[PublicMonitor]
    incidents: Sequence[PublicIncident]

    @property
    def state(self) -> PublicState:
        """The worst state of a stream."""
        states = {each.state for each in self.monitors}
        return next((each for each in STATES if each in states), PublicState.OFF_AIR)

    def count(self, state: PublicState) -> int:
        return sum(each.state is state for each in self.monitors)


@dataclass(frozen=True)
class Seen:
    """What is known of a monitor: its timeline, and its incidents, newest first."""

    subject: CoverageSubject
    intervals: Sequence[CoverageInterval]
    incidents: Sequence[IncidentRecord]


def public_page(
    record: StatusPageRecord, seen: dict[str, Seen], as_of: datetime, *, most_incidents: int
) -> PublicPage:
    """Lay out a page; a monitor that is forgotten is left out."""
    shown = [(each, seen[each.monitor_id]) for each in record.monitors if each.monitor_id in seen]
    incidents = [
        _incident(_name(each, known.subject, number), incident)
        for number, (each, known) in enumerate(shown, 1)
        for incident in known.incidents
    ]
    incidents.sort(key=lambda each: (each.ended_at is None, each.started_at), reverse=True)
    return PublicPage(
        title=record.title,
        note=record.note,
        as_of=as_of,
        monitors=[_monitor(each, known, number) for number, (each, known) in enumerate(shown, 1)],
        incidents=incidents[:most_incidents],
    )


def _monitor(shown: ShownMonitor, known: Seen, number: int) -> PublicMonitor:
    open_ones = [each for each in known.incidents if each.is_open]
    return PublicMonitor(
        name=_name(shown, known.subject, number),
        state=_state(known.intervals, open_ones),
        kinds=tuple(dict.fromkeys(each.kind for each in open_ones)),
        days=periods(known.intervals, TimeResolution.DAY),
        totals=Totals.of(known.intervals),
    )


def _state(
    intervals: Sequence[CoverageInterval], open_ones: Sequence[IncidentRecord]
) -> PublicState:
    if any(each.severity is Severity.CRITICAL for each in open_ones):
        return PublicState.FAULTY
    if open_ones:
        return PublicState.WARNING
    last = intervals[-1].condition if intervals else CoverageCondition.NOT_LIVE
    return _STATES.get(last, PublicState.UNKNOWN)


_STATES = {
    CoverageCondition.OK: PublicState.OK,
    CoverageCondition.NOT_LIVE: PublicState.OFF_AIR,
    CoverageCondition.FAULTY: PublicState.OK,  # a fault that ended with what is known
}


def _incident(name: str, known: IncidentRecord) -> PublicIncident:
    return PublicIncident(
        name=name,
        kind=known.kind,
        severity=known.severity,
        started_at=known.started_at,
        ended_at=known.ended_at,
        is_announced=known.silenced,
    )


def _name(shown: ShownMonitor, subject: CoverageSubject, number: int) -> str:
    """Return what the page calls a stream; never its URL."""
    return shown.name or shown_name(subject.name, subject.title) or f"#{number}"
