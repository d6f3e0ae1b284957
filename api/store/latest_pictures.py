"""The latest picture of each monitor in the database."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, String, Table, delete, or_, select

from api.store.database import StorePart
from api.store.tables import UtcTime, belongs_to_monitor, metadata

latest_pictures = Table(
    "latest_pictures",
    metadata,
    belongs_to_monitor(primary_key=True),
    Column("taken_at", UtcTime),
    Column("looked_at", UtcTime),
    Column("sha256", String(64)),
    Column("picture", LargeBinary),
    Index(None, "looked_at"),
)
"""The latest picture of each monitor, and when somebody looked at it last."""


@dataclass(frozen=True)
class PictureRecord:
    """A JPEG and when it was so."""

    taken_at: datetime
    sha256: str
    picture: bytes = field(repr=False)


_COLUMNS = [latest_pictures.c[name] for name in ("looked_at", "taken_at", "sha256", "picture")]


class LatestPictureStore(StorePart):
    async def put(self, monitor_id: str, picture: bytes, sha256: str, taken_at: datetime) -> None:
        """Keep a picture, unless a newer one is known."""
        values = {"taken_at": taken_at, "sha256": sha256, "picture": picture}
        known_at = latest_pictures.c.taken_at
        statement = (
            self._database.insert(latest_pictures)
            .values(monitor_id=monitor_id, **values)
            .on_conflict_do_update(
                index_elements=["monitor_id"],
                set_=values,
                where=or_(known_at.is_(None), known_at < taken_at),
            )
        )
        await self._database.write_one(statement)

    async def find(self, monitor_id: str) -> tuple[PictureRecord | None, datetime | None]:
        """Return the picture, and when somebody looked last, maybe in vain."""
        query = select(*_COLUMNS).where(latest_pictures.c.monitor_id == monitor_id)
        row = await self._database.row(query)
        if row is None:
            return None, None
        looked_at, *picture = row
        return None if row.picture is None else PictureRecord(*picture), looked_at

    async def note_look(self, monitor_id: str, at: datetime) -> None:
        """Note that somebody looks, also where there is no picture yet."""
        row = {"monitor_id": monitor_id, "looked_at": at}
        statement = self._database.insert(latest_pictures).values(row)
        await self._database.write_one(
            statement.on_conflict_do_update(index_elements=["monitor_id"], set_={"looked_at": at})
        )

    async def looked_at_since(self, moment: datetime) -> set[str]:
        query = select(latest_pictures.c.monitor_id).where(latest_pictures.c.looked_at > moment)
        return set(await self._database.scalars(query))

    async def remove_before(self, moment: datetime) -> None:
        is_old = latest_pictures.c.taken_at < moment
        await self._database.write_one(delete(latest_pictures).where(is_old))
