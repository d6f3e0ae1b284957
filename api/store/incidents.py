"""Incidents in the database."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    func,
    insert,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart
from api.store.filters import IncidentFilter, Label, has_labels, is_wanted_incident
from api.store.queueing import queue_without_event
from api.store.tables import incidents, monitors
from monitors.events import IncidentUpdate, StreamEvent, incident_update
from monitors.status import IncidentKind, Severity
from notifications.notification import NotificationState


@dataclass(frozen=True)
class IncidentRecord:
    """An incident as the store knows it.

    Attributes:
        detected_at: when it was told; None where its first event never came.
        ended_at: the first good moment, or when its monitor ended; None while it is open.
        track: the audio track, where all of them are measured; else empty.
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


MOST_COUNTED: Final = 10_000
MOST_SORTED: Final = 3000
FEW_MONITORS: Final = 100


async def apply_event(
    connection: AsyncConnection, event: StreamEvent, monitor: Row[*tuple[Any, ...]]
) -> None:
    """Open or close the incident that an event tells of, when the event is recorded first.

    Either event may be the first one that is recorded: late, or after the monitor's end.
    """
    told = incident_update(event)
    if told is None:
        return
    of_incident = incidents.c.incident_id == told.incident_id
    known = (await connection.execute(select(incidents).where(of_incident))).one_or_none()
    if known is None:
        row = _new_row(monitor, told)
        if told.ended_at is None and monitor.finished_at:
            row |= _closed(told.started_at, monitor.finished_at)
        await connection.execute(insert(incidents).values(row))
    elif known.monitor_id == event.monitor_id:
        await connection.execute(update(incidents).where(of_incident).values(_news(told)))


async def close_incidents(connection: AsyncConnection, monitor_id: str, at: datetime) -> None:
    """Close what is open of a monitor that ended at `at`: nobody sees any more when it ends."""
    query = select(incidents.c.incident_id, incidents.c.started_at).where(
        incidents.c.monitor_id == monitor_id, incidents.c.is_open
    )
    for incident_id, started_at in (await connection.execute(query)).all():
        await connection.execute(
            update(incidents)
            .where(incidents.c.incident_id == incident_id)
            .values(_closed(started_at, at))
        )
        await queue_without_event(connection, incident_id, NotificationState.CLOSED, at)


def _new_row(monitor: Row[*tuple[Any, ...]], told: IncidentUpdate) -> dict[str, Any]:
    return {
        **told.model_dump(),
        "monitor_id": monitor.monitor_id,
        "is_open": told.ended_at is None,
        "silenced": False,
        "opened_name": monitor.name or monitor.title or monitor.monitor_id,
        "opened_labels": monitor.labels,
    }


def _closed(started_at: datetime, at: datetime) -> dict[str, Any]:
    ended_at = max(at, started_at)
    duration_sec = round((ended_at - started_at).total_seconds(), 3)
    return {"is_open": False, "ended_at": ended_at, "duration_sec": duration_sec}


def _news(told: IncidentUpdate) -> dict[str, Any]:
    """Return what an event changes of an incident that is known by the other one."""
    if told.ended_at is None:
        return {"detected_at": told.detected_at, "reason": told.reason}
    return {"is_open": False, "ended_at": told.ended_at, "duration_sec": told.duration_sec}


async def _labelled(connection: AsyncConnection, labels: Collection[Label]) -> ColumnElement[bool]:
    if not labels:
        return true()
    labelled = select(monitors.c.monitor_id).where(has_labels(monitors.c.monitor_id, labels))
    few = (await connection.scalars(labelled.limit(FEW_MONITORS + 1))).all()
    monitor_id = incidents.c.monitor_id
    return monitor_id.in_(few) if len(few) <= FEW_MONITORS else has_labels(monitor_id, labels)


async def _count(connection: AsyncConnection, condition: ColumnElement[bool]) -> int:
    found = select(literal_column("1", Integer)).select_from(incidents).where(condition)
    counted = found.limit(MOST_COUNTED).subquery()
    return await connection.scalar(select(func.count()).select_from(counted)) or 0


class IncidentStore(StorePart):
    async def page(
        self, wanted: IncidentFilter, *, limit: int, offset: int
    ) -> tuple[list[IncidentRecord], int]:
        """Counting stops at `MOST_COUNTED`: it costs more than the page."""
        async with self._database.read() as connection:
            labelled = await _labelled(connection, wanted.labels)
            by_monitors = bool(wanted.labels) and not wanted.is_open
            condition = is_wanted_incident(wanted, labelled, by_monitors=by_monitors)
            total = await _count(connection, condition)
            # Many are not sorted: the newest of all are looked through, and some are among them.
            by_monitors &= total < MOST_SORTED
            condition = is_wanted_incident(wanted, labelled, by_monitors=by_monitors)
            newest_first = (incidents.c.started_at.desc(), incidents.c.incident_id.desc())
            page = select(incidents).where(condition).order_by(*newest_first)
            rows = (await connection.execute(page.limit(limit).offset(offset))).all()
        return [IncidentRecord(**row._mapping) for row in rows], total

    async def acknowledge(self, incident_id: str, note: str | None, at: datetime) -> bool:
        """Note that somebody takes care. False: somebody does already, or there is no such one."""
        change = (
            update(incidents)
            .where(incidents.c.incident_id == incident_id, incidents.c.acknowledged_at.is_(None))
            .values(acknowledged_at=at, note=note)
        )
        async with self._database.write() as connection:
            is_open = await connection.scalar(change.returning(incidents.c.is_open))
            if is_open:  # of what is over, nobody is told
                await queue_without_event(
                    connection, incident_id, NotificationState.ACKNOWLEDGED, at
                )
        return is_open is not None

    async def newest_of(
        self, monitor_ids: Collection[str], since: datetime, *, limit: int
    ) -> list[IncidentRecord]:
        """Return incidents of a few monitors since then, open ones first, the newest first."""
        query = (
            select(incidents)
            .where(
                incidents.c.monitor_id.in_(monitor_ids),
                or_(incidents.c.is_open, incidents.c.started_at >= since),
            )
            .order_by(incidents.c.is_open.desc(), incidents.c.started_at.desc())
            .limit(limit)
        )
        return [IncidentRecord(**row._mapping) for row in await self._database.rows(query)]

    async def by_ids(self, incident_ids: Collection[str]) -> list[IncidentRecord]:
        """Return those of these incidents that exist, in any order."""
        query, incident_id = select(incidents), incidents.c.incident_id
        rows = await self._database.rows_among(query, incident_id, incident_ids)
        return [IncidentRecord(**row._mapping) for row in rows]
