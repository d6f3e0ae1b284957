"""Brings a database to the newest form. Of several gateways that start at once one does it."""

from functools import partial
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from api.store.database import Database
from api.store.outage import StoreUnavailable

SCRIPTS: Final = Path(__file__).parent / "migrations"


async def upgrade_database(database: Database, scripts: Path = SCRIPTS) -> None:
    """Apply all migrations of the folder `scripts` that are missing.

    Raises:
        StoreUnavailable: the database does not answer, is none of ours, or somebody keeps a table.
    """
    try:
        async with database.migrate() as connection:
            await connection.run_sync(partial(_upgrade, scripts))
    except (DBAPIError, CommandError) as error:  # no database file, or of a newer version
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise StoreUnavailable(str(reason)) from error


def _upgrade(scripts: Path, connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
