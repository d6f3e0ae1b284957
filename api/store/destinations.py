"""Destinations in the database, and which monitors name them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.destination_declarations import Retry
from api.store.database import StorePart
from api.store.tables import Json, UtcTime, belongs_to_monitor, choice, metadata
from monitors.status import Severity
from notifications.notification import DestinationType, Language


def belongs_to_destination(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "destination_id",
        String(64),
        ForeignKey("destinations.destination_id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
    )


destinations = Table(
    "destinations",
    metadata,
    Column("destination_id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("type", choice(DestinationType, 16), nullable=False),
    Column("shown_url", Text, nullable=False),
    Column("secrets", Text, nullable=False),
    Column("public_key", Text),
    Column("events", Json, nullable=False),
    Column("min_severity", choice(Severity, 16)),
    Column("remind_every_sec", Integer),
    Column("group_window_sec", Integer, nullable=False),
    Column("retry", choice(Retry, 8), nullable=False),
    Column("language", choice(Language, 2), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("applied_by", String(63)),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "created_at", "destination_id"),
)
"""`secrets` (the URL and signing keys) are sealed by `api.secrets`; `shown_url` has none."""

monitor_destinations = Table(
    "monitor_destinations",
    metadata,
    belongs_to_monitor(primary_key=True),
    belongs_to_destination(primary_key=True),
    Index(None, "destination_id"),
)
"""The destinations that a monitor names."""


@dataclass(frozen=True)
class DestinationRecord:
    """A destination as the store knows it.

    Attributes:
        shown_url: the URL with its secrets masked.
        secrets: the URL and signing keys, sealed by `api.secrets`.
        public_key: with which Ed25519 signatures are verified, base64; None without them.
        events: patterns of event types, as of `fnmatch`.
        remind_every_sec: None: no reminders.
        group_window_sec: 0: no groups.
    """

    destination_id: str
    name: str
    type: DestinationType
    shown_url: str
    secrets: str = field(repr=False)
    public_key: str | None
    events: list[str]
    min_severity: Severity | None
    remind_every_sec: int | None
    group_window_sec: int
    retry: Retry
    language: Language
    enabled: bool
    created_at: datetime
    applied_by: str | None = None


class DestinationStore(StorePart):
    async def add(self, record: DestinationRecord) -> None:
        await self._database.write_one(insert(destinations).values(vars(record)))

    async def find(self, destination_id: str) -> DestinationRecord | None:
        async with self._database.read() as connection:
            return await find_destination(connection, destination_id)

    async def page(self, *, limit: int, offset: int) -> tuple[list[DestinationRecord], int]:
        newest_first = (destinations.c.created_at.desc(), destinations.c.destination_id.desc())
        query = select(destinations).order_by(*newest_first)
        rows, total = await self._database.page(query, limit=limit, offset=offset)
        return [DestinationRecord(**row._mapping) for row in rows], total

    async def change(self, destination_id: str, values: dict[str, Any]) -> bool:
        """Change columns. False: there is no such destination."""
        change = update(destinations).where(destinations.c.destination_id == destination_id)
        return await self._database.write_one(change.values(values)) == 1

    async def remove(self, destination_id: str) -> None:
        removal = delete(destinations).where(destinations.c.destination_id == destination_id)
        await self._database.write_one(removal)

    async def ids(self) -> list[str]:
        return await self._database.scalars(select(destinations.c.destination_id))

    async def missing(self, destination_ids: Collection[str]) -> list[str]:
        query = select(destinations.c.destination_id).where(
            destinations.c.destination_id.in_(destination_ids)
        )
        known = set(await self._database.scalars(query))
        return [one for one in destination_ids if one not in known]

    async def of_monitor(self, monitor_id: str) -> list[str]:
        return (await self.of_monitors([monitor_id])).get(monitor_id, [])

    async def of_monitors(self, monitor_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the ids of the destinations that some monitors name; none: left out."""
        query = (
            select(monitor_destinations)
            .where(monitor_destinations.c.monitor_id.in_(monitor_ids))
            .order_by(monitor_destinations.c.destination_id)
        )
        found: dict[str, list[str]] = {}
        for row in await self._database.rows(query):
            found.setdefault(row.monitor_id, []).append(row.destination_id)
        return found

    async def set_of_monitor(self, monitor_id: str, destination_ids: Collection[str]) -> None:
        """Replace the destinations that a monitor names."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(monitor_destinations).where(monitor_destinations.c.monitor_id == monitor_id)
            )
            await name_destinations(connection, monitor_id, destination_ids)


async def name_destinations(
    connection: AsyncConnection, monitor_id: str, destination_ids: Collection[str]
) -> None:
    """Have a monitor name destinations; one that was removed just now is passed over."""
    if destination_ids:
        known = select(literal(monitor_id), destinations.c.destination_id).where(
            destinations.c.destination_id.in_(destination_ids)
        )
        await connection.execute(
            insert(monitor_destinations).from_select(["monitor_id", "destination_id"], known)
        )


async def find_destination(
    connection: AsyncConnection, destination_id: str, *, for_update: bool = False
) -> DestinationRecord | None:
    query = select(destinations).where(destinations.c.destination_id == destination_id)
    if for_update:
        # Rows that name it may be added meanwhile.
        query = query.with_for_update(key_share=True)
    row = (await connection.execute(query)).one_or_none()
    return DestinationRecord(**row._mapping) if row else None


async def wanting_destinations(
    connection: AsyncConnection, monitor_id: str
) -> list[DestinationRecord]:
    query = (
        select(destinations)
        .join(
            monitor_destinations,
            monitor_destinations.c.destination_id == destinations.c.destination_id,
        )
        .where(monitor_destinations.c.monitor_id == monitor_id, destinations.c.enabled)
    )
    return [DestinationRecord(**row._mapping) for row in (await connection.execute(query)).all()]
