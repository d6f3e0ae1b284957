"""Which monitors and incidents changed, in order.

Triggers of the database keep one row a monitor and an incident, with a number that grows with every
change of it, so no writer has to think of it.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select

from api.store.database import StorePart
from api.store.tables import changes


class ChangeSubject(StrEnum):
    MONITOR = "monitor"
    INCIDENT = "incident"


@dataclass(frozen=True)
class Change:
    """The latest change of one monitor or incident."""

    number: int
    subject: ChangeSubject
    subject_id: str


class ChangeStore(StorePart):
    async def newest(self) -> int:
        """Return the highest number there is, 0 when nothing has ever changed."""
        return await self._database.scalar(select(func.max(changes.c.number))) or 0

    async def after(self, number: int, *, limit: int | None = None) -> list[Change]:
        """Return the changes with higher numbers, lowest first.

        On PostgreSQL a change may become visible after one with a higher number: the transaction
        that took its number first may end last.
        """
        query = select(changes).where(changes.c.number > number).order_by(changes.c.number)
        rows = await self._database.rows(query.limit(limit))
        return [Change(row.number, ChangeSubject(row.subject), row.subject_id) for row in rows]
