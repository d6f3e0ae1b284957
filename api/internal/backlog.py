"""Events that a monitor's workflow leaves in the store while its receiver does not keep up."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from sqlalchemy import select

from activities.declarations import LoadResult
from api.auth import require_worker
from api.errors import MonitorNotFound
from api.gateway import Gateway, gateway_of
from api.store.database import Database
from api.store.tables import monitor_events, monitors
from monitors.events import StreamEvent
from monitors.ids import is_monitor_id

MAX_EVENTS: Final = 20
"""With the largest metadata they are 400 KB, of the 2 MB that Temporal takes as a result."""

MAX_SEQUENCE: Final = 2**31 - 1

router = APIRouter(
    prefix="/internal/v1", dependencies=[Depends(require_worker)], include_in_schema=False
)


@router.get("/monitors/{monitor_id}/events")
async def load_events(
    gateway: Annotated[Gateway, Depends(gateway_of)],
    monitor_id: str,
    from_sequence: Annotated[int, Query(ge=1, le=MAX_SEQUENCE)],
) -> LoadResult:
    """Return the oldest events of a monitor from a sequence number on, in their order."""
    if not is_monitor_id(monitor_id):
        raise MonitorNotFound(monitor_id)
    events = await find_events(gateway.store.database, monitor_id, from_sequence)
    if events is None:
        raise MonitorNotFound(monitor_id)
    return LoadResult(events=events)


async def find_events(
    database: Database, monitor_id: str, from_sequence: int
) -> list[StreamEvent] | None:
    """Return at most `MAX_EVENTS` events as they were reported; None: no such monitor."""
    query = (
        select(monitor_events.c.body)
        .where(
            monitor_events.c.monitor_id == monitor_id,
            monitor_events.c.sequence >= from_sequence,
        )
        .order_by(monitor_events.c.sequence)
        .limit(MAX_EVENTS)
    )
    known = select(monitors.c.monitor_id).where(monitors.c.monitor_id == monitor_id)
    async with database.read() as connection:
        if await connection.scalar(known) is None:
            return None
        bodies = (await connection.scalars(query)).all()
    return [StreamEvent.model_validate_json(body) for body in bodies]
