"""What was observed of streams, and when they were live."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart
from api.store.filters import Label, has_labels
from api.store.monitor_records import MONITORS_WITH_STATS, lock_monitor
from api.store.tables import coverage, incidents, monitor_stats, monitors, quiet_spans
from monitors.coverage import IncidentSpan, Observation, ObservedSpan, QuietSpan, join
from monitors.events import EventType, StreamEvent


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


_TIME = coverage.c.start_at.type
_later = coverage.alias()
_EXTEND = (
    update(coverage)
    .where(
        coverage.c.monitor_id == bindparam("of_monitor"),
        coverage.c.start_at <= bindparam("begins", type_=_TIME),
        coverage.c.end_at >= bindparam("begins", type_=_TIME),
        coverage.c.end_at < bindparam("ends", type_=_TIME),
        coverage.c.reason.is_not_distinct_from(
            bindparam("said_reason", type_=coverage.c.reason.type)
        ),
        ~exists().where(
            _later.c.monitor_id == bindparam("of_monitor"), _later.c.start_at > coverage.c.start_at
        ),
    )
    .values(end_at=bindparam("ends", type_=_TIME))
)
"""The last row grows. Two watches of one stream that tell at the same moment may leave an overlap,
which `join` resolves whenever rows are read."""

_LAST = coverage.alias()
_SUBJECTS = select(
    *(monitors.c[name] for name in ("monitor_id", "name", "title", "labels", "stream_url")),
    *(monitors.c[name] for name in ("created_at", "finished_at", "live_since", "live_until")),
    func.coalesce(
        monitor_stats.c.as_of, monitors.c.reported_at, type_=monitors.c.reported_at.type
    ).label("heard_at"),
    select(_LAST.c.end_at)
    .where(_LAST.c.monitor_id == monitors.c.monitor_id)
    .order_by(_LAST.c.start_at.desc())
    .limit(1)
    .scalar_subquery()
    .label("seen_until"),
    monitors.c.config["check_interval_sec"].as_float().label("check_interval_sec"),
).select_from(MONITORS_WITH_STATS)

_QUIET = (
    select(
        *(incidents.c[name] for name in ("incident_id", "monitor_id", "kind")),
        incidents.c.started_at,
        incidents.c.ended_at,
        quiet_spans.c.start_at,
        quiet_spans.c.end_at,
    )
    .join(incidents, incidents.c.incident_id == quiet_spans.c.incident_id)
    .order_by(quiet_spans.c.incident_id, quiet_spans.c.start_at)
)

_ENDS: Final = frozenset({EventType.STREAM_ENDED, EventType.MONITOR_ERROR})


class CoverageStore(StorePart):
    """Keeps the spans of each monitor joined: contiguous where nothing changes."""

    async def record(self, monitor_id: str, spans: Sequence[ObservedSpan]) -> None:
        """Add what was observed; nearly always the last row grows, which is one statement."""
        if not spans or (len(spans) == 1 and await self._extend(monitor_id, spans[0])):
            return
        async with self._database.write() as connection:
            # Locking the monitor keeps two reports from writing the same row.
            if await lock_monitor(connection, monitor_id):
                await _join(connection, monitor_id, spans)

    async def _extend(self, monitor_id: str, span: ObservedSpan) -> bool:
        parameters = {
            "of_monitor": monitor_id,
            "begins": span.start,
            "ends": span.end,
            "said_reason": span.reason,
        }
        return await self._database.write_one(_EXTEND, parameters) == 1

    async def end_live(self, monitor_id: str, at: datetime) -> None:
        """Note that a monitor ended at `at`, unless its stream ended before."""
        async with self._database.write() as connection:
            await _end_live(connection, monitor_id, at)

    async def observed(
        self, monitor_ids: Collection[str], since: datetime, until: datetime, *, limit: int
    ) -> dict[str, list[Observation]]:
        """Return the spans that touch a time, by monitor; at most `limit`."""
        query = (
            select(coverage.c.monitor_id, coverage.c.start_at, coverage.c.end_at, coverage.c.reason)
            .where(
                coverage.c.monitor_id.in_(monitor_ids),
                coverage.c.end_at > since,
                coverage.c.start_at < until,
            )
            .order_by(coverage.c.monitor_id, coverage.c.start_at)
            .limit(limit)
        )
        found: defaultdict[str, list[Observation]] = defaultdict(list)
        for monitor_id, start, end, reason in await self._database.rows(query):
            found[monitor_id].append(Observation(start, end, reason))
        return found

    async def subject(self, monitor_id: str) -> CoverageSubject | None:
        found = await self._subjects(monitors.c.monitor_id == monitor_id, limit=1)
        return found[0] if found else None

    async def subjects(
        self, labels: Collection[Label], since: datetime, until: datetime, *, after: str, limit: int
    ) -> list[CoverageSubject]:
        """Return the first monitors behind the id `after` that existed between two moments."""
        ended_at = monitors.c.finished_at
        existed = and_(
            monitors.c.created_at < until,
            or_(ended_at.is_(None), ended_at > since),
            monitors.c.monitor_id > after,
        )
        return await self._subjects(
            and_(existed, has_labels(monitors.c.monitor_id, labels)), limit=limit
        )

    async def subjects_of(self, monitor_ids: Collection[str]) -> list[CoverageSubject]:
        return await self._subjects(monitors.c.monitor_id.in_(monitor_ids), limit=len(monitor_ids))

    async def _subjects(self, wanted: ColumnElement[bool], *, limit: int) -> list[CoverageSubject]:
        query = _SUBJECTS.where(wanted).order_by(monitors.c.monitor_id).limit(limit)
        return [CoverageSubject(**row._mapping) for row in await self._database.rows(query)]

    async def incidents(
        self, monitor_ids: Collection[str], since: datetime, until: datetime, *, limit: int
    ) -> dict[str, list[IncidentSpan]]:
        """Return the incidents that touch a time, by monitor; at most `limit`.

        One whose fault came and went is there in parts.
        """
        query = (
            select(
                *(incidents.c[name] for name in ("monitor_id", "kind", "started_at", "ended_at"))
            )
            .where(
                incidents.c.monitor_id.in_(monitor_ids),
                incidents.c.started_at < until,
                or_(incidents.c.ended_at.is_(None), incidents.c.ended_at > since),
            )
            .limit(limit)
        )
        found: defaultdict[str, list[IncidentSpan]] = defaultdict(list)
        for monitor_id, kind, start, end in await self._database.rows(query):
            found[monitor_id].append(IncidentSpan(kind, start, end))
        quiet = _QUIET.where(
            quiet_spans.c.monitor_id.in_(monitor_ids),
            quiet_spans.c.end_at > since,
            quiet_spans.c.start_at < until,
        )
        _leave_out(found, await self._database.rows(quiet.limit(limit)))
        return found

    async def record_quiet(self, monitor_id: str, spans: Sequence[QuietSpan]) -> None:
        """Add good time between the faults of incidents; what is known already stays."""
        if not spans:
            return
        rows = [
            {
                "monitor_id": monitor_id,
                "incident_id": each.incident.id_in(monitor_id),
                "start_at": each.start,
                "end_at": each.end,
            }
            for each in spans
        ]
        adding = self._database.insert(quiet_spans).on_conflict_do_nothing()
        async with self._database.write() as connection:
            if await lock_monitor(connection, monitor_id):
                await connection.execute(adding, rows)


def _leave_out(
    found: Mapping[str, list[IncidentSpan]], quiet: Sequence[Row[*tuple[Any, ...]]]
) -> None:
    """Replace the incidents that have good time in between by their parts."""
    for _, rows in groupby(quiet, key=lambda row: row.incident_id):
        times = list(rows)
        one = times[0]
        whole = IncidentSpan(one.kind, one.started_at, one.ended_at)
        of_monitor = found[one.monitor_id]
        if whole in of_monitor:  # it may have ended just now
            of_monitor.remove(whole)
            of_monitor += whole.without((each.start_at, each.end_at) for each in times)


async def note_life(connection: AsyncConnection, event: StreamEvent) -> None:
    """Take from an event when its stream began or ended."""
    if event.event_type is EventType.STREAM_STARTED:
        await connection.execute(
            update(monitors)
            .where(monitors.c.monitor_id == event.monitor_id, monitors.c.live_since.is_(None))
            .values(live_since=event.timestamp)
        )
    elif event.event_type in _ENDS:
        await _end_live(connection, event.monitor_id, event.timestamp)


async def _end_live(connection: AsyncConnection, monitor_id: str, at: datetime) -> None:
    """The earliest end counts: the report of a monitor's end may come before that of its event."""
    known = monitors.c.live_until
    await connection.execute(
        update(monitors)
        .where(monitors.c.monitor_id == monitor_id, or_(known.is_(None), known > at))
        .values(live_until=at)
    )


async def _join(
    connection: AsyncConnection, monitor_id: str, spans: Sequence[ObservedSpan]
) -> None:
    of_monitor = coverage.c.monitor_id == monitor_id
    touched = select(coverage).where(
        of_monitor,
        coverage.c.end_at >= min(span.start for span in spans),
        coverage.c.start_at <= max(span.end for span in spans),
    )
    before = {_span(row) for row in (await connection.execute(touched)).all()}
    after = set(join([*before, *spans]))
    if gone := before - after:
        starts = [span.start for span in gone]
        await connection.execute(
            delete(coverage).where(of_monitor, coverage.c.start_at.in_(starts))
        )
    if new := after - before:
        await connection.execute(insert(coverage), [_row(monitor_id, span) for span in new])


def _row(monitor_id: str, span: ObservedSpan) -> dict[str, Any]:
    return {
        "monitor_id": monitor_id,
        "start_at": span.start,
        "end_at": span.end,
        "reason": span.reason,
    }


def _span(row: Any) -> ObservedSpan:
    return ObservedSpan.model_construct(start=row.start_at, end=row.end_at, reason=row.reason)
