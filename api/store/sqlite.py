"""A connection to SQLite that goes to its thread once a statement.

aiosqlite runs a connection in a thread of its own. SQLAlchemy asks it for a cursor, has that
execute, fetches and closes it: four ways there and back, each dearer than the statement itself.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any, Self

import aiosqlite


class OneWayCursor:
    """A cursor as SQLAlchemy uses one: everything is fetched when it has executed."""

    def __init__(self, connection: "OneWayConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> Self:
        """Execute and fetch in one go."""
        await self._connection.in_thread(self._execute, statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """Execute once for each of `parameters`."""
        await self._connection.in_thread(self._executemany, statement, parameters)
        return self

    async def fetchall(self) -> list[Any]:
        """Return all rows."""
        return self._rows

    async def close(self) -> None:
        """Do nothing: it was closed when it had executed."""

    def _execute(self, driver: sqlite3.Connection, statement: str, parameters: Any) -> None:
        self._keep(driver.execute(statement, parameters))

    def _executemany(self, driver: sqlite3.Connection, statement: str, parameters: Any) -> None:
        self._keep(driver.executemany(statement, parameters))

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        self._rows = cursor.fetchall()
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()


class OneWayConnection(aiosqlite.Connection):
    """A connection whose statements each take one way to its thread."""

    async def in_thread(self, call: Any, *arguments: Any) -> Any:
        """Call `call` with the driver's connection and `arguments` in the connection's thread."""
        return await self._execute(call, self._conn, *arguments)  # type: ignore[no-untyped-call]

    def cursor(self) -> OneWayCursor:  # type: ignore[override]
        """Return a new cursor."""
        return OneWayCursor(self)

    async def commit(self) -> None:
        """Commit the transaction, if there is one."""
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll the transaction back, if there is one."""
        if self.in_transaction:
            await super().rollback()


async def connect(path: str) -> OneWayConnection:
    """Open the database file at `path`; its transactions are begun by whoever uses it."""

    def open_file() -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    connection = OneWayConnection(open_file, iter_chunk_size=64)
    connection._thread.daemon = True  # one that nobody closed must not keep the process
    await connection
    return connection
