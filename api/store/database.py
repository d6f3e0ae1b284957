"""Connections to SQLite and PostgreSQL, with the same promises on both.

A write transaction sees no other writer's half-done work: SQLite takes its write lock at the
beginning (`BEGIN IMMEDIATE`), PostgreSQL locks the rows, or with `exclusive_write` one advisory
lock for the whole transaction. After that lock each statement must see what the holder before
committed, so the isolation is READ COMMITTED whatever the database has for a default.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    Executable,
    Row,
    Select,
    Table,
    UpdateBase,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.engines import LOCK_WAIT_SEC, autocommitting, make_engine
from api.store.tables import deployment
from runtime.errors import StartError
from runtime.settings import GatewaySettings

POOL_SIZE: Final = 10
LOCK_POLL_SEC: Final = 0.2
IDS_A_QUERY: Final = 500
STATEMENT_LIMIT_SEC: Final = 30
CREATION_LOCK: Final = 0x5354_0001
MIGRATION_LOCK: Final = 0x5354_0002
DATABASE_FILE: Final = "stream-tracker.db"


class StoreUnavailable(Exception):
    """The database does not answer; the last statement may or may not have been executed."""


def configured_url(settings: GatewaySettings) -> str:
    """Return the database URL that the settings mean: SQLite in `data_dir` when none is given."""
    if settings.database_url:
        return settings.database_url
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"DATA_DIR: cannot use {settings.data_dir}: {error.strerror}") from None
    return f"sqlite:///{settings.data_dir.absolute() / DATABASE_FILE}"


class Database:
    """A pool of connections; opening it touches nothing yet."""

    def __init__(self, url: str, *, statement_limit_sec: float = STATEMENT_LIMIT_SEC) -> None:
        """Prepare a pool for `url`; raises InvalidDatabaseUrl."""
        self._url = url
        self._statement_limit_sec = statement_limit_sec
        self.engine = make_engine(url, POOL_SIZE, statement_limit_sec)
        # Health checks must not wait for a free connection.
        self.checking_engine = autocommitting(make_engine(url, 1, statement_limit_sec))
        self.is_postgres = self.engine.dialect.name == "postgresql"
        self._writing = self.engine.execution_options(sqlite_begin="IMMEDIATE")
        self._single = autocommitting(self.engine)
        # SQLite's own wait for the write lock polls and may starve a writer; within this process
        # the writers queue fairly instead.
        self._writer = asyncio.Lock()
        self._writes_fail = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection to read from; each statement sees what is committed by then.

        Raises:
            StoreUnavailable: the database does not answer; all that writes raises it too.
        """
        with translate_db_errors():
            async with self._single.connect() as connection:
                yield connection

    async def rows(self, query: Executable) -> Sequence[Row[*tuple[Any, ...]]]:
        async with self.read() as connection:
            return (await connection.execute(query)).all()

    async def rows_among(
        self, query: Select[Any], column: ColumnElement[str], ids: Collection[str]
    ) -> list[Row[*tuple[Any, ...]]]:
        """Return what a query finds of many ids, asked for as many at a time as a statement may."""
        remaining, found = iter(ids), list[Row[*tuple[Any, ...]]]()
        async with self.read() as connection:
            while chunk := list(islice(remaining, IDS_A_QUERY)):
                found += (await connection.execute(query.where(column.in_(chunk)))).all()
        return found

    async def row(self, query: Executable) -> Row[*tuple[Any, ...]] | None:
        async with self.read() as connection:
            return (await connection.execute(query)).one_or_none()

    async def scalar(self, query: Executable) -> Any:
        """Return the first column of the first row that a query finds; None: there is none."""
        async with self.read() as connection:
            return await connection.scalar(query)

    async def scalars(self, query: Executable) -> list[Any]:
        async with self.read() as connection:
            return list((await connection.scalars(query)).all())

    async def page(
        self, query: Select[Any], *, limit: int, offset: int
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
        """Return a part of what a query finds, and how much it finds in all."""
        counting = query.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
        async with self.read() as connection:
            total = await connection.scalar(counting) or 0
            found = await connection.execute(query.limit(limit).offset(offset))
            return found.all(), total

    @asynccontextmanager
    async def read_aside(self) -> AsyncIterator[AsyncConnection]:
        """Open the connection that is kept for health and metrics; raises as `read`."""
        with translate_db_errors():
            async with self.checking_engine.connect() as connection:
                yield connection

    async def write_one(
        self, statement: UpdateBase, parameters: Mapping[str, Any] | None = None
    ) -> int:
        """Execute one statement as a transaction of its own; return how many rows it changed."""
        with self._note_write_failures():
            async with self._write_lock(), self._single.begin() as connection:
                return (await connection.execute(statement, parameters)).rowcount

    async def put(self, key: Column[Any], values: Mapping[str, Any], *, most: int) -> bool:
        """Keep a row, instead of one with its key; False: there are `most` others."""
        table: Any = key.table
        async with self.exclusive_write() as connection:
            is_it = key == values[key.name]
            if (await connection.execute(update(table).where(is_it).values(values))).rowcount:
                return True
            count = await connection.scalar(select(func.count()).select_from(table)) or 0
            if count < most:
                await connection.execute(insert(table).values(values))
            return count < most

    def insert(self, table: Table) -> Any:
        """Return an insertion that can say what to do `on_conflict`."""
        return insert_for(self.engine.dialect, table)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that writes; it commits at the end, or not at all."""
        with self._note_write_failures():
            async with self._write_lock(), self._writing.begin() as connection:
                yield connection

    @asynccontextmanager
    async def exclusive_write(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that excludes all others of this kind, in every process."""
        async with self.write() as connection:
            if self.is_postgres:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": CREATION_LOCK}
                )
            yield connection

    @asynccontextmanager
    async def migrate(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection that changes tables; one process does that at a time.

        On PostgreSQL a statement may take as long as it needs, but waits for a lock no longer than
        other statements; each migration is a transaction. On SQLite all are one.
        """
        if not self.is_postgres:
            async with self.write() as connection:
                yield connection
            return
        engine = make_engine(self._url, 1, None)
        try:
            with translate_db_errors():
                async with engine.connect() as connection:
                    await self._become_migrator(connection)
                    yield connection
        finally:
            await engine.dispose()

    async def _become_migrator(self, connection: AsyncConnection) -> None:
        """Take the lock of the session, which ends with it."""
        # Waiting for it inside PostgreSQL would be a transaction, and CREATE INDEX CONCURRENTLY
        # of whoever holds it would wait for that.
        wanted = text("SELECT pg_try_advisory_lock(:lock)")
        while not await connection.scalar(wanted, {"lock": MIGRATION_LOCK}):
            await connection.rollback()
            await asyncio.sleep(LOCK_POLL_SEC)
        await connection.execute(text("SET statement_timeout = 0"))
        limit_ms = round(self._statement_limit_sec * 1000)
        await connection.execute(text(f"SET lock_timeout = {limit_ms}"))
        await connection.commit()

    async def check(self) -> None:
        """Check that the database answers; raises as `read`.

        After a failed write, a write that changes nothing must succeed first: reads still work on a
        full disk, or while somebody holds a lock.
        """
        async with self.read_aside() as connection:
            await connection.execute(text("SELECT 1"))
            if self._writes_fail:
                await connection.execute(
                    update(deployment).values(deployment_id=deployment.c.deployment_id)
                )
                self._writes_fail = False

    @asynccontextmanager
    async def _write_lock(self) -> AsyncIterator[None]:
        """Make this the only writer of the process, on SQLite.

        Raises:
            TimeoutError: another process holds the lock of the database.
        """
        if self.is_postgres:
            yield
            return
        async with asyncio.timeout(LOCK_WAIT_SEC):
            await self._writer.acquire()
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def _note_write_failures(self) -> Iterator[None]:
        try:
            with translate_db_errors():
                yield
        except StoreUnavailable:
            self._writes_fail = True
            raise
        self._writes_fail = False

    async def close(self) -> None:
        await self.checking_engine.dispose()
        await self.engine.dispose()


class StorePart:
    """What the store can do about one thing."""

    def __init__(self, database: Database) -> None:
        self._database = database


def insert_for(dialect: Dialect, table: Table) -> Any:
    """Return an insertion that can say what to do `on_conflict`, which is no standard SQL."""
    return (postgresql if dialect.name == "postgresql" else sqlite).insert(table)


@contextmanager
def translate_db_errors() -> Iterator[None]:
    """Translate errors of an outage into `StoreUnavailable`; defects pass."""
    try:
        yield
    except DBAPIError as error:
        if not _is_outage(error):
            raise
        raise StoreUnavailable(str(error.orig)) from error
    # The pool has none free, the connection is refused, or PostgreSQL does not take it.
    except (PoolTimeoutError, OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise StoreUnavailable(str(error)) from error


def _is_outage(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return True
    # Connection lost, rolled back (a deadlock), out of resources, shut down by an operator, system
    # error.
    state = getattr(error.orig, "sqlstate", None) or ""
    return state[:2] in ("08", "40", "53", "57", "58")
