"""Telling an outage of the database from a defect of ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import exc


class StoreUnavailable(Exception):
    """The database does not answer; whether it did what it was asked last is not known."""


@contextmanager
def translate_db_errors() -> Iterator[None]:
    """Turn what an outage of the database raises into `StoreUnavailable`."""
    try:
        yield
    except exc.DBAPIError as error:
        if not _is_outage(error):
            raise
        raise StoreUnavailable(str(error.orig)) from error
    # The pool has none free, the connection is refused, or PostgreSQL does not take it.
    except (exc.TimeoutError, OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise StoreUnavailable(str(error)) from error


def _is_outage(error: exc.DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError):
        return True
    # Connection lost, out of resources, shut down by an operator, system error.
    state = getattr(error.orig, "sqlstate", None) or ""
    return state[:2] in ("08", "53", "57", "58")
