"""A connection to SQLite that goes to its thread once a statement.

aiosqlite runs a connection in a thread of its own. SQLAlchemy asks it for a cursor, has that
execute, fetches and closes it: four ways there and back, each dearer than the statement itself. So
here a statement is executed and fetched by one call of `execute_fetchall`, whose only row is all
that SQLAlchemy wants to know of it.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, cast
from weakref import WeakSet

import aiosqlite


@dataclass(frozen=True, slots=True)
class Executed:
    """What a statement gave."""

    rows: list[Any]
    description: Any
    rowcount: int
    lastrowid: int | None


class WholeCursor(sqlite3.Cursor):
    """A cursor that ends with its statement."""

    def fetchall(self) -> list[Any]:
        """Return one `Executed`, and close."""
        rows = super().fetchall()
        done = Executed(rows, self.description, self.rowcount, self.lastrowid)
        self.close()
        return [done]


class WholeConnection(sqlite3.Connection):
    """A connection of the driver whose statements have a `WholeCursor`."""

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Execute one statement."""
        return self.cursor(WholeCursor).execute(sql, parameters)


class OneWayCursor:
    """A cursor as SQLAlchemy uses one: everything is fetched when it has executed."""

    def __init__(self, connection: "OneWayConnection") -> None:
        self._connection = connection
        self._executed = Executed([], None, -1, None)
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, parameters: Iterable[Any] = ()) -> Self:
        """Execute and fetch in one go."""
        answer: Iterable[Any] = await self._connection.execute_fetchall(statement, parameters)
        (self._executed,) = answer
        return self

    async def executemany(self, statement: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """Execute once for each of `parameters`."""
        async with self._connection.executemany(statement, parameters) as cursor:
            self._executed = Executed([], None, cursor.rowcount, cursor.lastrowid)
        return self

    async def fetchall(self) -> list[Any]:
        """Return all rows."""
        return self._executed.rows

    async def close(self) -> None:
        """Do nothing: it was closed when it had executed."""

    @property
    def description(self) -> Any:
        """The columns, None of a statement that returns no rows."""
        return self._executed.description

    @property
    def rowcount(self) -> int:
        """How many rows were changed, -1 when that is not known."""
        return self._executed.rowcount

    @property
    def lastrowid(self) -> int | None:
        """The number of the row that was added last."""
        return self._executed.lastrowid


class OneWayConnection(aiosqlite.Connection):
    """A connection whose statements each take one way to its thread."""

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


class SqliteFile:
    """Opens connections to one file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened: WeakSet[OneWayConnection] = WeakSet()

    async def connect(self) -> OneWayConnection:
        """Open the file; its transactions are begun by whoever uses the connection."""
        connection = OneWayConnection(self._open, iter_chunk_size=64)
        self._opened.add(connection)
        return cast(OneWayConnection, await connection)

    def stop(self) -> None:
        """Stop the threads of connections that nobody closed: they would keep the process."""
        for connection in list(self._opened):
            connection.stop()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, factory=WholeConnection
        )
