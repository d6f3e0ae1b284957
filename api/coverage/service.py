"""Timelines and availability, from what is stored."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeVar

from api.coverage.schemas import ReportRow, report_row
from api.errors import MonitorNotFound, ValidationFailed
from api.injection import injected
from api.store import Store
from api.store.coverage import CoverageSubject
from api.store.filters import Label
from monitors.availability import Totals
from monitors.coverage import (
    CoverageInterval,
    IncidentSpan,
    LivePeriod,
    Observation,
    Stretch,
    merged,
    stretches,
)
from monitors.coverage_log import longest_pause
from monitors.random_ids import is_monitor_id

UNHEARD: Final = timedelta(minutes=2)
"""Nobody looks at a stream of which nothing is heard for longer, unless its checks are rare."""

MOST_ROWS: Final = 100_000
MONITORS_AT_ONCE: Final = 100

T = TypeVar("T")


@dataclass(frozen=True)
class CoverageRange:
    """The time that is asked for; `until` is exclusive."""

    since: datetime
    until: datetime


class CoverageService:
    """Lays what was observed, incidents and live periods over each other.

    Nothing is known of times before `retention`.
    """

    def __init__(self, store: Store, *, retention: timedelta, now: Callable[[], datetime]) -> None:
        self._coverage = store.coverage
        self._retention = retention
        self.now = now

    async def timeline(self, monitor_id: str, asked: CoverageRange) -> list[CoverageInterval]:
        """Return a monitor's timeline, as far as it is known."""
        subject = await self._coverage.subject(monitor_id) if is_monitor_id(monitor_id) else None
        if subject is None:
            raise MonitorNotFound(monitor_id)
        (intervals,) = await self.timelines([subject], asked)
        return intervals

    async def report(self, labels: Collection[Label], asked: CoverageRange) -> list[ReportRow]:
        """Return a row for each monitor with these labels that existed in that time."""
        rows: list[ReportRow] = []
        after = ""
        while True:
            subjects = await self.subjects(labels, asked, after=after, limit=MONITORS_AT_ONCE)
            if not subjects:
                return rows
            after = subjects[-1].monitor_id
            totals = await self._each(subjects, asked, Totals.of)
            rows += map(report_row, subjects, totals)

    async def subjects(
        self, labels: Collection[Label], asked: CoverageRange, *, after: str = "", limit: int
    ) -> list[CoverageSubject]:
        """Return the first monitors behind the id `after` that existed in that time."""
        return await self._coverage.subjects(
            labels, asked.since, asked.until, after=after, limit=limit
        )

    async def timelines(
        self, subjects: Sequence[CoverageSubject], asked: CoverageRange
    ) -> list[list[CoverageInterval]]:
        """Return the timelines of several monitors, as far as they are known."""
        return await self._each(subjects, asked, merged)

    async def _each(
        self,
        subjects: Sequence[CoverageSubject],
        asked: CoverageRange,
        make: Callable[[Iterable[Stretch]], T],
    ) -> list[T]:
        """Return what `make` makes of what is known of each of several monitors."""
        wanted = ([each.monitor_id for each in subjects], asked.since, asked.until)
        limit = MOST_ROWS * len(subjects)
        observed = await self._coverage.observed(*wanted, limit=limit)
        incidents = await self._coverage.incidents(*wanted, limit=limit)
        for found in (observed, incidents):
            if sum(map(len, found.values())) >= limit:
                raise ValidationFailed("from: too much happened since then, ask for less time")
        now = self.now()
        earliest = max(asked.since, now - self._retention)
        known = [
            _stretches(
                each,
                CoverageRange(max(earliest, each.created_at), min(asked.until, now)),
                observed.get(each.monitor_id, ()),
                incidents.get(each.monitor_id, ()),
                now,
            )
            for each in subjects
        ]
        return await asyncio.to_thread(lambda: [make(each) for each in known])


Coverage = Annotated[CoverageService, injected(CoverageService)]


def _stretches(
    subject: CoverageSubject,
    asked: CoverageRange,
    observed: Sequence[Observation],
    incidents: Sequence[IncidentSpan],
    now: datetime,
) -> Iterable[Stretch]:
    until = min(asked.until, _known_until(subject, now))
    if asked.since >= until:
        return ()
    live = LivePeriod(subject.live_since, _live_until(subject)) if subject.live_since else None
    return stretches(asked.since, until, live=live, observed=observed, incidents=incidents)


def _live_until(subject: CoverageSubject) -> datetime | None:
    ends = [each for each in (subject.live_until, subject.finished_at) if each]
    return min(ends, default=None)


def _known_until(subject: CoverageSubject, now: datetime) -> datetime:
    """Return how far a timeline goes: while a stream is watched, to what was told last."""
    if subject.finished_at:
        return subject.finished_at
    is_live = subject.live_since and not subject.live_until
    unheard = max(UNHEARD, longest_pause(subject.check_interval_sec))
    if is_live and subject.heard_at and now - subject.heard_at < unheard:
        return max(filter(None, (subject.seen_until, subject.live_since)))
    return now
