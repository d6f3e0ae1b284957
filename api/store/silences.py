"""Silences in the database, and the webhooks to `callback_url` that they hold back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Column, Index, String, Table, Text, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart
from api.store.tables import IS_OPEN, Json, UtcTime, incidents, metadata, monitor_events, monitors
from monitors.events import StreamEvent, incident_id_of, is_opening, kind_of
from monitors.status import DeliveryStatus, IncidentKind

silences = Table(
    "silences",
    metadata,
    Column("silence_id", String(64), primary_key=True),
    Column("monitor_ids", Json),
    Column("labels", Json),
    Column("kinds", Json),
    Column("starts_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("note", Text),
    Column("applied_by", String(63)),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "ends_at"),
)
"""Null in `monitor_ids` and `labels`: all monitors. Null in `kinds`: all kinds."""


@dataclass(frozen=True)
class SilenceRecord:
    """A time in which incidents notify nobody.

    Attributes:
        monitor_ids, labels: which monitors; both None: all.
        kinds: None: all.
    """

    silence_id: str
    monitor_ids: list[str] | None
    labels: dict[str, str] | None
    kinds: list[IncidentKind] | None
    starts_at: datetime
    ends_at: datetime
    note: str | None
    created_at: datetime
    applied_by: str | None = None

    def covers(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at

    def matches(self, monitor_id: str, labels: dict[str, str], kind: IncidentKind) -> bool:
        """Return whether it is about incidents of this kind of this monitor."""
        if self.kinds is not None and kind not in self.kinds:
            return False
        if self.monitor_ids is not None:
            return monitor_id in self.monitor_ids
        return all(labels.get(key) == value for key, value in (self.labels or {}).items())


def last_end(
    silences: Iterable[SilenceRecord],
    monitor_id: str | None,
    labels: dict[str, str],
    kind: IncidentKind | None,
    moment: datetime,
) -> datetime | None:
    """Return when the last silence ends that holds back such an incident at a moment."""
    if monitor_id is None or kind is None:
        return None
    holding = (one for one in silences if one.covers(moment))
    ends = (one.ends_at for one in holding if one.matches(monitor_id, labels, kind))
    return max(ends, default=None)


class SilenceStore(StorePart):
    async def add(self, record: SilenceRecord) -> None:
        await self._database.write_one(insert(silences).values(vars(record)))

    async def find(self, silence_id: str) -> SilenceRecord | None:
        query = select(silences).where(silences.c.silence_id == silence_id)
        row = await self._database.row(query)
        return SilenceRecord(**row._mapping) if row else None

    async def page(
        self, *, since: datetime, limit: int, offset: int
    ) -> tuple[list[SilenceRecord], int]:
        """Return silences that end after `since`, the first to end first, and how many."""
        query = select(silences).where(silences.c.ends_at > since)
        in_order = query.order_by(silences.c.ends_at, silences.c.silence_id)
        rows, total = await self._database.page(in_order, limit=limit, offset=offset)
        return [SilenceRecord(**row._mapping) for row in rows], total

    async def end(self, silence_id: str, at: datetime) -> None:
        """End a silence; one that has not begun is removed, one that has ended stays."""
        is_it = silences.c.silence_id == silence_id
        async with self._database.write() as connection:
            await connection.execute(delete(silences).where(is_it, silences.c.starts_at >= at))
            await connection.execute(
                update(silences).where(is_it, silences.c.ends_at > at).values(ends_at=at)
            )

    async def webhooks_due(self, now: datetime) -> dict[str, str]:
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
                IS_OPEN,
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
        query = select(func.min(silences.c.ends_at)).where(silences.c.ends_at > now)
        found: datetime | None = await self._database.scalar(query)
        return found


async def silences_since(connection: AsyncConnection, moment: datetime) -> list[SilenceRecord]:
    query = select(silences).where(silences.c.ends_at > moment)
    return [SilenceRecord(**row._mapping) for row in (await connection.execute(query)).all()]


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
