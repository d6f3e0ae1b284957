"""What destinations are told, in the database: the audit, and what becomes of notifications."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart
from api.store.delivery_records import DeliveryRecord, NotificationStatus, deliveries
from api.store.destinations import destinations
from notifications.notification import NotificationState


class DeliveryStore(StorePart):
    async def page(
        self, destination_id: str, *, limit: int, offset: int
    ) -> tuple[list[DeliveryRecord], int]:
        query = select(deliveries).where(deliveries.c.destination_id == destination_id)
        newest_first = query.order_by(deliveries.c.delivery_id.desc())
        rows, total = await self._database.page(newest_first, limit=limit, offset=offset)
        return [DeliveryRecord(**row._mapping) for row in rows], total

    async def newest_of(self, destination_ids: Collection[str]) -> list[DeliveryRecord]:
        """Return the newest delivery of each of a few destinations, tests included."""
        newest = (
            select(func.max(deliveries.c.delivery_id))
            .where(deliveries.c.destination_id.in_(destination_ids))
            .group_by(deliveries.c.destination_id)
        )
        query = select(deliveries).where(deliveries.c.delivery_id.in_(newest))
        return [DeliveryRecord(**row._mapping) for row in await self._database.rows(query)]

    async def told_with(self, destination_id: str, delivery_id: int) -> list[DeliveryRecord]:
        query = select(deliveries).where(_told_with(destination_id, delivery_id))
        in_order = query.order_by(deliveries.c.delivery_id)
        return [DeliveryRecord(**row._mapping) for row in await self._database.rows(in_order)]

    async def add_test(self, destination_id: str, now: datetime) -> int:
        async with self._database.write() as connection:
            return await add_row(
                connection,
                destination_id=destination_id,
                state=NotificationState.TEST,
                happened_at=now,
                created_at=now,
            )

    async def note_attempt(
        self, destination_id: str, delivery_id: int, *, attempts: int, error: str
    ) -> None:
        """Keep that an attempt failed and that others follow; a late word changes nothing."""
        change = update(deliveries).where(
            _told_with(destination_id, delivery_id),
            deliveries.c.status == NotificationStatus.SENDING,
            deliveries.c.attempts < attempts,
        )
        await self._database.write_one(change.values(attempts=attempts, last_error=error))

    async def settle(
        self, destination_id: str, delivery_id: int, values: dict[str, Any], *, now: datetime
    ) -> int:
        """Keep what became of a notification, once; return how many rows told it.

        `delivery_id` is its first row, `values` are status, attempts and error.
        """
        sending = (
            _told_with(destination_id, delivery_id),
            deliveries.c.status == NotificationStatus.SENDING,
        )
        is_reminder = deliveries.c.state == NotificationState.REMINDER
        async with self._database.write() as connection:
            reminder = await connection.scalar(
                select(deliveries.c.incident_id).where(*sending, is_reminder)
            )
            changed = await connection.execute(
                update(deliveries).where(*sending).values(**values, told_at=now)
            )
            if reminder is not None:  # tells all of its group again
                again = update(deliveries).where(told_together(destination_id, reminder))
                await connection.execute(again.values(told_at=now))
            return changed.rowcount

    async def hand_back(self, destination_id: str) -> None:
        """Have what was handed out wait again, as it did before; a reminder is made again."""
        is_sending = (
            deliveries.c.destination_id == destination_id,
            deliveries.c.status == NotificationStatus.SENDING,
        )
        is_reminder = deliveries.c.state == NotificationState.REMINDER
        async with self._database.write() as connection:
            await connection.execute(delete(deliveries).where(*is_sending, is_reminder))
            await connection.execute(
                update(deliveries)
                .where(*is_sending)
                .values(status=NotificationStatus.PENDING, told_with=None)
            )

    async def is_idle(self, destination_id: str) -> bool:
        async with self._database.read() as connection:
            return await in_flight(connection, destination_id) is None

    async def waiting_destinations(self, *, monitor_id: str | None = None) -> list[str]:
        """Return the enabled destinations for which something waits; of one monitor, or of any."""
        waits = exists().where(
            deliveries.c.destination_id == destinations.c.destination_id,
            deliveries.c.status == NotificationStatus.PENDING,
        )
        if monitor_id is not None:
            waits = waits.where(deliveries.c.monitor_id == monitor_id)
        query = select(destinations.c.destination_id).where(destinations.c.enabled, waits)
        return await self._database.scalars(query)

    async def oldest_waiting(self) -> datetime | None:
        query = (
            select(func.min(deliveries.c.created_at))
            .join(destinations, destinations.c.destination_id == deliveries.c.destination_id)
            .where(
                destinations.c.enabled,
                deliveries.c.status.in_([NotificationStatus.PENDING, NotificationStatus.SENDING]),
            )
        )
        async with self._database.read_aside() as connection:
            found: datetime | None = await connection.scalar(query)
        return found


async def add_row(connection: AsyncConnection, **values: Any) -> int:
    """Add a row that waits; return its id."""
    row = {"status": NotificationStatus.PENDING, "attempts": 0, **values}
    added = await connection.execute(
        insert(deliveries).values(row).returning(deliveries.c.delivery_id)
    )
    return int(added.scalar_one())


async def in_flight(connection: AsyncConnection, destination_id: str) -> int | None:
    """Return the notification that a destination is being sent, by its first row."""
    found: int | None = await connection.scalar(
        select(func.min(deliveries.c.told_with)).where(
            deliveries.c.destination_id == destination_id,
            deliveries.c.status == NotificationStatus.SENDING,
        )
    )
    return found


async def reminded_incident(connection: AsyncConnection, delivery_id: int) -> str | None:
    """Return the incident that a row reminds of; None: it is no reminder."""
    found: str | None = await connection.scalar(
        select(deliveries.c.incident_id).where(
            deliveries.c.delivery_id == delivery_id,
            deliveries.c.state == NotificationState.REMINDER,
        )
    )
    return found


async def silence_rows(connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
    if delivery_ids:
        await connection.execute(
            update(deliveries)
            .where(deliveries.c.delivery_id.in_(delivery_ids))
            .values(status=NotificationStatus.SILENCED)
        )


async def hand_out(connection: AsyncConnection, delivery_ids: Sequence[int]) -> int:
    """Mark the rows of one notification as being sent; return the first one's id."""
    first = min(delivery_ids)
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.delivery_id.in_(delivery_ids))
        .values(status=NotificationStatus.SENDING, told_with=first)
    )
    return first


def told_together(destination_id: str, incident_id: str | None) -> ColumnElement[bool]:
    """Match the openings that a destination was told together with that of an incident."""
    opening = deliveries.alias()
    group = (
        select(opening.c.told_with)
        .where(
            opening.c.destination_id == destination_id,
            opening.c.incident_id == incident_id,
            opening.c.state == NotificationState.OPENED,
        )
        .limit(1)
        .scalar_subquery()
    )
    return and_(
        deliveries.c.told_with == group,
        deliveries.c.destination_id == destination_id,
        deliveries.c.state == NotificationState.OPENED,
    )


def _told_with(destination_id: str, delivery_id: int) -> Any:
    return (deliveries.c.told_with == delivery_id) & (deliveries.c.destination_id == destination_id)
