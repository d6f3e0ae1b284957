"""Sessions of the page and links to log in with, in the database."""

from datetime import datetime

from sqlalchemy import Boolean, Column, Index, String, Table, delete, insert, select

from api.store.database import StorePart
from api.store.tables import UtcTime, metadata

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", String(64), primary_key=True),
    Column("client", String(12), nullable=False),
    Column("is_link", Boolean, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index(None, "expires_at"),
)
"""Sessions of the page, and links that begin one; see `api.sessions`."""


class SessionStore(StorePart):
    """Knows tokens by their digests alone."""

    async def add(
        self, digest: str, client: str, *, is_link: bool, now: datetime, expires_at: datetime
    ) -> None:
        """Keep a token, and forget those that have expired."""
        async with self._database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
            row = {"client": client, "is_link": is_link, "expires_at": expires_at}
            await connection.execute(insert(sessions).values(token_digest=digest, **row))

    async def client(self, digest: str, now: datetime) -> str | None:
        """Return whose session this is; None: there is none, or no longer."""
        query = select(sessions.c.client).where(
            sessions.c.token_digest == digest, ~sessions.c.is_link, sessions.c.expires_at > now
        )
        found: str | None = await self._database.scalar(query)
        return found

    async def take_link(self, digest: str, now: datetime) -> str | None:
        """Return whose link this is, for the first who asks; None for all others."""
        taking = (
            delete(sessions)
            .where(sessions.c.token_digest == digest, sessions.c.is_link)
            .returning(sessions.c.client, sessions.c.expires_at)
        )
        async with self._database.write() as connection:
            taken = (await connection.execute(taking)).one_or_none()
        return taken.client if taken and taken.expires_at > now else None

    async def remove(self, digest: str) -> None:
        await self._database.write_one(delete(sessions).where(sessions.c.token_digest == digest))
