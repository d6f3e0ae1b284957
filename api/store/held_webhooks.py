"""Webhooks to `callback_url` that silences hold back."""

from datetime import datetime
from functools import partial

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart
from api.store.destination_records import last_end
from api.store.destination_tables import silences
from api.store.silences import silences_since
from api.store.tables import incidents, monitor_events, monitors
from monitors.events import StreamEvent, is_opening, kind_of
from monitors.incident_updates import incident_id_of
from monitors.status import DeliveryStatus


class HeldWebhookStore(StorePart):
    async def due(self, now: datetime) -> dict[str, str]:
        """Return the held events, with their monitors, that no silence holds back any more.

        The incidents are open: of one that ended, its monitor knows what to tell.
        """
        query = (
            select(
                *(monitor_events.c[name] for name in ("event_id", "event_type", "monitor_id")),
                monitors.c.labels,
            )
            .select_from(incidents)
            .join(monitor_events, monitor_events.c.incident_id == incidents.c.incident_id)
            .join(monitors, monitors.c.monitor_id == monitor_events.c.monitor_id)
            .where(
                text("incidents.is_open"),  # as the partial index has it
                monitor_events.c.webhook_status == DeliveryStatus.SILENCED,
            )
        )
        async with self._database.read() as connection:
            held = (await connection.execute(query)).all()
            known = await silences_since(connection, now) if held else []
        return {
            row.event_id: row.monitor_id
            for row in held
            if not last_end(known, row.monitor_id, row.labels, kind_of(row.event_type), now)
        }

    async def next_end(self, now: datetime) -> datetime | None:
        """Return when the next silence ends; None: there is none."""
        query = select(func.min(silences.c.ends_at)).where(silences.c.ends_at > now)
        async with self._database.read() as connection:
            found: datetime | None = await connection.scalar(query)
        return found


async def silenced_until(
    connection: AsyncConnection, event: StreamEvent, labels: dict[str, str], now: datetime
) -> datetime | None:
    """Return until when a silence holds back an event; None: none does.

    As for destinations, it holds back the beginning of an incident that began in a silence and
    goes on in one, or has ended in one.
    """
    incident_id = incident_id_of(event) if is_opening(event.event_type) else None
    if incident_id is None:
        return None
    known = await silences_since(connection, event.timestamp)
    kind = kind_of(event.event_type)
    holding_at = partial(last_end, known, event.monitor_id, labels, kind)
    held_first = holding_at(event.timestamp)
    if held_first is None:
        return None
    ended_at = await connection.scalar(
        select(incidents.c.ended_at).where(incidents.c.incident_id == incident_id)
    )
    return held_first if ended_at and holding_at(ended_at) else holding_at(now)
