"""Incidents in the database."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import Database
from api.store.queueing import queue_without_event
from api.store.records import IncidentRecord
from api.store.rows import chunks
from api.store.tables import incidents
from monitors.events import StreamEvent
from monitors.incident_updates import IncidentUpdate, incident_update
from notifications.notification import NotificationState


async def apply_event(
    connection: AsyncConnection, event: StreamEvent, *, monitor_ended_at: datetime | None
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
        row = _new_row(event.monitor_id, told) | _closed_by_end(told, monitor_ended_at)
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


def _new_row(monitor_id: str, told: IncidentUpdate) -> dict[str, Any]:
    return {
        **told.model_dump(),
        "monitor_id": monitor_id,
        "is_open": told.ended_at is None,
        "silenced": False,
    }


def _closed_by_end(told: IncidentUpdate, monitor_ended_at: datetime | None) -> dict[str, Any]:
    if told.ended_at or monitor_ended_at is None:
        return {}
    return _closed(told.started_at, monitor_ended_at)


def _closed(started_at: datetime, at: datetime) -> dict[str, Any]:
    ended_at = max(at, started_at)
    duration_sec = round((ended_at - started_at).total_seconds(), 3)
    return {"is_open": False, "ended_at": ended_at, "duration_sec": duration_sec}


def _news(told: IncidentUpdate) -> dict[str, Any]:
    """Return what an event changes of an incident that is known by the other one."""
    if told.ended_at is None:
        return {"detected_at": told.detected_at, "reason": told.reason}
    return {"is_open": False, "ended_at": told.ended_at, "duration_sec": told.duration_sec}


class IncidentStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, incident_id: str) -> IncidentRecord | None:
        query = select(incidents).where(incidents.c.incident_id == incident_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return IncidentRecord(**row._mapping) if row else None

    async def by_ids(self, incident_ids: Collection[str]) -> list[IncidentRecord]:
        """Return those of these incidents that exist, in any order."""
        found = []
        async with self._database.read() as connection:
            for chunk in chunks(incident_ids):
                query = select(incidents).where(incidents.c.incident_id.in_(chunk))
                rows = (await connection.execute(query)).all()
                found += [IncidentRecord(**row._mapping) for row in rows]
        return found
