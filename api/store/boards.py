"""What waits for a destination and what it was told, as rows to judge."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.destination_records import NotificationStatus, QueuedRow, SilenceRecord
from api.store.destination_tables import deliveries
from api.store.silences import silences_since
from api.store.tables import incidents, monitors
from monitors.events import EventType, kind_of
from notifications.notification import NotificationState

_TOLD = (NotificationStatus.SENT.value, NotificationStatus.FAILED.value)


@dataclass(frozen=True)
class Board:
    """What `api.destinations.due.judge` judges."""

    waiting: Sequence[QueuedRow]
    told: Sequence[QueuedRow]
    open_in_group: dict[int, int]
    silences: Sequence[SilenceRecord]


async def load_board(
    connection: AsyncConnection, destination_id: str, *, limit: int, now: datetime
) -> Board:
    """Read up to `limit` pending rows of a destination, and all that belongs to them."""
    pending = await _read(
        connection,
        _rows()
        .where(
            deliveries.c.destination_id == destination_id,
            deliveries.c.status == NotificationStatus.PENDING,
        )
        .order_by(deliveries.c.delivery_id)
        .limit(limit),
    )
    openings = await _open_openings(connection, destination_id)
    silenced = [row for row in openings if row.status is NotificationStatus.SILENCED]
    told = [row for row in openings if row.status.value in _TOLD]
    waiting = sorted([*pending, *silenced], key=lambda row: row.delivery_id)
    beginnings = [row.opening for row in waiting if row.opening]
    oldest = min((row.happened_at for row in [*waiting, *beginnings, *told]), default=now)
    return Board(
        waiting=waiting,
        told=told,
        open_in_group=await _open_in_group(connection, _groups(waiting)),
        silences=await silences_since(connection, min(oldest, now)),
    )


async def _open_openings(connection: AsyncConnection, destination_id: str) -> list[QueuedRow]:
    """Return the openings of open incidents that nobody acknowledged."""
    return await _read(
        connection,
        _rows()
        .where(
            incidents.c.is_open,
            incidents.c.acknowledged_at.is_(None),
            deliveries.c.destination_id == destination_id,
            deliveries.c.state == NotificationState.OPENED,
            deliveries.c.status.in_([*_TOLD, NotificationStatus.SILENCED.value]),
        )
        .order_by(deliveries.c.delivery_id),
    )


def _groups(rows: Iterable[QueuedRow]) -> set[int]:
    return {row.opening.told_with for row in rows if row.opening and row.opening.told_with}


async def _open_in_group(connection: AsyncConnection, groups: Collection[int]) -> dict[int, int]:
    """Return how many incidents are open of each group of several."""
    query = (
        select(
            deliveries.c.told_with,
            func.count().filter(incidents.c.is_open).label("open"),
        )
        .select_from(
            deliveries.outerjoin(incidents, incidents.c.incident_id == deliveries.c.incident_id)
        )
        .where(deliveries.c.told_with.in_(groups), deliveries.c.state == NotificationState.OPENED)
        .group_by(deliveries.c.told_with)
        .having(func.count() > 1)
    )
    rows = (await connection.execute(query)).all() if groups else []
    return {row.told_with: row.open for row in rows}


_OPENING = deliveries.alias("opening")
_FIELDS = (
    *("delivery_id", "state", "status", "happened_at", "created_at", "monitor_id", "event_type"),
    *("incident_id", "origin_host", "told_with", "told_at"),
)


def _rows() -> Select[Any]:
    return select(
        *_labelled(deliveries, "row"),
        *_labelled(_OPENING, "opening"),
        incidents.c.ended_at,
        monitors.c.labels,
    ).select_from(
        deliveries.outerjoin(incidents, incidents.c.incident_id == deliveries.c.incident_id)
        .outerjoin(monitors, monitors.c.monitor_id == deliveries.c.monitor_id)
        .outerjoin(
            _OPENING,
            (_OPENING.c.incident_id == deliveries.c.incident_id)
            & (_OPENING.c.destination_id == deliveries.c.destination_id)
            & (_OPENING.c.state == NotificationState.OPENED)
            & (deliveries.c.state != NotificationState.OPENED),
        )
    )


def _labelled(table: FromClause, prefix: str) -> list[Any]:
    return [table.c[name].label(f"{prefix}_{name}") for name in _FIELDS]


async def _read(connection: AsyncConnection, query: Select[Any]) -> list[QueuedRow]:
    return [_queued_row(row) for row in (await connection.execute(query)).all()]


def _queued_row(row: Row[*tuple[Any, ...]]) -> QueuedRow:
    known = row._mapping
    opening = _part(row, "opening", None) if known["opening_delivery_id"] else None
    return _part(row, "row", opening)


def _part(row: Row[*tuple[Any, ...]], prefix: str, opening: QueuedRow | None) -> QueuedRow:
    values = {name: row._mapping[f"{prefix}_{name}"] for name in _FIELDS}
    event_type = values.pop("event_type")
    return QueuedRow(
        **values
        | {
            "state": NotificationState(values["state"]),
            "status": NotificationStatus(values["status"]),
        },
        kind=kind_of(EventType(event_type)) if event_type else None,
        labels=row.labels or {},
        ended_at=row.ended_at,
        opening=opening,
    )
