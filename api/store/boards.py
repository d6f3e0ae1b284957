"""What waits for a destination and what it was told, as rows to judge."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, and_, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.deliveries import told_together
from api.store.delivery_records import Board, NotificationStatus, QueuedRow, deliveries
from api.store.silences import silences_since
from api.store.tables import IS_OPEN, incidents, monitors
from monitors.events import kind_of
from notifications.notification import NotificationState

_TOLD = (NotificationStatus.SENT, NotificationStatus.FAILED)
_OPENING = deliveries.alias("opening")


@dataclass(frozen=True)
class Scope:
    """How much of a board is read.

    Attributes:
        limit: of pending rows, and of openings to remind of.
        has_reminders: whether the destination wants to be reminded.
        most_silenced: of openings that silences held back, the oldest; None: all.
        leaves_out_held: whether recoveries are left out whose group goes on. Looking for these
            takes a while; without it, many of them would hide what is due.
    """

    limit: int
    has_reminders: bool
    most_silenced: int | None = None
    leaves_out_held: bool = False


async def load_board(
    connection: AsyncConnection, destination_id: str, scope: Scope, *, now: datetime
) -> Board:
    pending = await _read(
        connection,
        _rows()
        .where(
            deliveries.c.destination_id == destination_id,
            deliveries.c.status == NotificationStatus.PENDING,
            ~_is_held(destination_id) if scope.leaves_out_held else true(),
        )
        .order_by(deliveries.c.delivery_id)
        .limit(scope.limit),
    )
    silenced = await _read(
        connection,
        _rows()
        .where(_is_open(destination_id, [NotificationStatus.SILENCED]))
        .order_by(deliveries.c.delivery_id)
        .limit(scope.most_silenced),
    )
    told = await _told(connection, destination_id, scope.limit) if scope.has_reminders else []
    waiting = sorted([*pending, *silenced], key=lambda row: row.delivery_id)
    beginnings = [row.opening for row in waiting if row.opening]
    groups = {opening.told_with for opening in beginnings if opening.told_with}
    oldest = min((row.happened_at for row in [*waiting, *beginnings, *told]), default=now)
    return Board(
        waiting=waiting,
        told=told,
        open_in_group=await _open_in_group(connection, groups),
        silences=await silences_since(connection, min(oldest, now)),
        is_all_waiting=len(pending) < scope.limit and len(silenced) != scope.most_silenced,
        is_all_told=len(told) < scope.limit,
    )


async def to_remind(
    connection: AsyncConnection, destination_id: str, incident_id: str, now: datetime
) -> list[QueuedRow]:
    """Return the openings that were told together with that of an incident and go on.

    Not those that somebody acknowledged, nor those that a silence holds back now.
    """
    told = _rows().where(
        told_together(destination_id, incident_id), _is_open(destination_id, _TOLD)
    )
    silences = await silences_since(connection, now)
    rows = await _read(connection, told)
    return [row for row in rows if row.silenced_until(silences, now) is None]


async def _told(connection: AsyncConnection, destination_id: str, limit: int) -> list[QueuedRow]:
    """Those first that were told the longest ago."""
    first_told = (deliveries.c.told_at, deliveries.c.delivery_id)
    first = (
        select(deliveries.c.delivery_id)
        .join(incidents, incidents.c.incident_id == deliveries.c.incident_id)
        .where(_is_open(destination_id, _TOLD))
        .order_by(*first_told)
        .limit(limit)
    )
    query = _rows().where(deliveries.c.delivery_id.in_(first)).order_by(*first_told)
    return await _read(connection, query)


def _is_open(destination_id: str, statuses: Collection[NotificationStatus]) -> ColumnElement[bool]:
    """Match the openings of open incidents that nobody acknowledged."""
    return and_(
        IS_OPEN,
        incidents.c.acknowledged_at.is_(None),
        deliveries.c.destination_id == destination_id,
        deliveries.c.state == NotificationState.OPENED,
        deliveries.c.status.in_(statuses),
    )


def _is_held(destination_id: str) -> ColumnElement[bool]:
    """Match the recoveries that were told in a group of which something is open."""
    told, at_it = deliveries.alias(), incidents.alias()
    open_groups = (
        select(told.c.told_with)
        .join(at_it, at_it.c.incident_id == told.c.incident_id)
        .where(
            at_it.c.is_open,
            told.c.destination_id == destination_id,
            told.c.state == NotificationState.OPENED,
            told.c.told_with.is_not(None),
        )
    )
    return and_(
        deliveries.c.state == NotificationState.CLOSED,
        _OPENING.c.told_with.is_not(None),
        _OPENING.c.told_with.in_(open_groups),
    )


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
        (deliveries.c.sequence > monitors.c.recorded_through).label("is_early"),
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
    known = row._mapping  # made anew each time that it is asked for
    opening = _part(known, "opening") if known["opening_delivery_id"] else None
    return replace(_part(known, "row"), opening=opening, is_early=bool(row.is_early))


def _part(known: Mapping[Any, Any], prefix: str) -> QueuedRow:
    values = {name: known[f"{prefix}_{name}"] for name in _FIELDS}
    event_type = values.pop("event_type")
    return QueuedRow(
        **values,
        kind=kind_of(event_type) if event_type else None,
        labels=known["labels"] or {},
        ended_at=known["ended_at"],
    )
