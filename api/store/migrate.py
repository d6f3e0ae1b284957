"""Brings a database to the newest form. Of several gateways that start at once one does it."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.store.database import MIGRATION_LOCK, Database
from api.store.outage import StoreUnavailable

SCRIPTS: Final = Path(__file__).parent / "migrations"


async def upgrade_database(database: Database) -> None:
    """Apply all migrations that are missing, in one transaction: all of them or none.

    Raises:
        StoreUnavailable: the database does not answer, or is none of ours.
    """
    try:
        async with database.exclusive_write(MIGRATION_LOCK) as connection:
            await connection.run_sync(_upgrade)
    except (DBAPIError, CommandError) as error:  # no database file, or of a newer version
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise StoreUnavailable(str(reason)) from error


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
