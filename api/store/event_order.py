"""Keeps what destinations are told of a monitor in the order of its events.

A monitor's workflow reports its events on two paths, so that a later one may be recorded first:
after an outage, or while the receiver of an earlier one hangs. `recorded_through` of a monitor is
the sequence up to which all is recorded; what lies beyond it waits, see `api.destinations.due`.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.deliveries import requeue_later
from api.store.destination_records import LOST_AFTER
from api.store.tables import monitor_events, monitors
from monitors.events import StreamEvent


async def keep_order(
    connection: AsyncConnection, event: StreamEvent, *, recorded_through: int, now: datetime
) -> list[str]:
    """Put what waits of later events behind a new one; return the destinations it waits for.

    The event is recorded and queued; `recorded_through` is its monitor's until now.
    """
    query = (
        select(monitor_events.c.sequence, monitor_events.c.created_at)
        .where(
            monitor_events.c.monitor_id == event.monitor_id,
            monitor_events.c.sequence > min(recorded_through, event.sequence),
        )
        .order_by(monitor_events.c.sequence)
    )
    recorded = [(row.sequence, row.created_at) for row in await connection.execute(query)]
    through = advanced(recorded_through, recorded, now)
    if through != recorded_through:
        await connection.execute(
            update(monitors)
            .where(monitors.c.monitor_id == event.monitor_id)
            .values(recorded_through=through)
        )
    later = [created_at for sequence, created_at in recorded if sequence > event.sequence]
    if not later:
        return []
    return await requeue_later(connection, event.monitor_id, event.sequence, since=min(later))


def advanced(recorded_through: int, recorded: Iterable[tuple[int, datetime]], now: datetime) -> int:
    """Return up to which sequence all is recorded, or taken as lost.

    `recorded` are sequences with the times of their recording, in their order.
    """
    for sequence, created_at in recorded:
        # A time that is ahead of the present is of a clock that was set back.
        if sequence > recorded_through + 1 and abs(now - created_at) < LOST_AFTER:
            break
        recorded_through = max(recorded_through, sequence)
    return recorded_through
