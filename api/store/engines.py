"""Pools of connections to SQLite and PostgreSQL."""

import math
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Connection, Dialect, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

TRUSTED_SEC: Final = 1
LOCK_WAIT_SEC: Final = 30
CONNECT_LIMIT_SEC: Final = 5

_POSTGRES = ("postgres", "postgresql", "postgresql+asyncpg")
_SQLITE = ("sqlite", "sqlite+aiosqlite")


class InvalidDatabaseUrl(ValueError):
    """No URL of a PostgreSQL or SQLite database; the message repeats no part of it."""


def make_engine(url: str, size: int, statement_limit_sec: float | None) -> AsyncEngine:
    """Return a pool of up to `size` connections; raises InvalidDatabaseUrl."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidDatabaseUrl("is not a URL") from None
    if parsed.drivername in _POSTGRES:
        return _postgres_engine(parsed, size, statement_limit_sec)
    if parsed.drivername in _SQLITE:
        return _sqlite_engine(parsed, size)
    raise InvalidDatabaseUrl("must start with postgresql:// or sqlite:///")


def _postgres_engine(url: URL, size: int, statement_limit_sec: float | None) -> AsyncEngine:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def connect() -> Any:
        # asyncpg reads the DSN itself, so that libpq's parameters (sslmode, ...) work in it.
        return await asyncpg.connect(
            dsn, timeout=CONNECT_LIMIT_SEC, command_timeout=statement_limit_sec
        )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        isolation_level="READ COMMITTED",
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "checkin", _record_use)
    event.listen(engine.sync_engine, "checkout", partial(_check_idle, engine.dialect))
    return engine


def autocommitting(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine that puts no BEGIN and COMMIT around a statement."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    return engine.execution_options(sqlite_begin=None)


def _record_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _check_idle(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _use: Any) -> None:
    """Ping a connection that was idle; SQLAlchemy replaces a dead one.

    One that was just in use is not pinged: that would double the cost of a statement.
    """
    if time.monotonic() - record.info.get("used_at", -math.inf) < TRUSTED_SEC:
        return
    try:
        alive = dialect.do_ping(connection)
    except Exception as error:
        if not dialect.is_disconnect(error, connection, None):  # type: ignore[arg-type]
            raise
        alive = False
    if not alive:
        raise DisconnectionError


def _sqlite_engine(url: URL, size: int) -> AsyncEngine:
    if not url.database or url.database == ":memory:":
        raise InvalidDatabaseUrl("must name a file: sqlite:///path/to/file")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidDatabaseUrl(f"its folder cannot be made: {error.strerror}") from None
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        # The driver begins transactions too late and never around DDL: `_begin_sqlite` does it.
        connect_args={"timeout": LOCK_WAIT_SEC, "isolation_level": None},
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # With WAL a killed process loses nothing that was committed, and a lost machine corrupts
    # nothing; waiting for the disk with each commit would be FULL.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    if kind:
        connection.exec_driver_sql(f"BEGIN {kind}")
