"""Brings a database to the newest form. Of several gateways that start at once one does it."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from api.store.database import MIGRATION_LOCK, Database

SCRIPTS: Final = Path(__file__).parent / "migrations"


async def upgrade_database(database: Database) -> None:
    """Apply all migrations that are missing, in one transaction: all of them or none."""
    async with database.exclusive_write(MIGRATION_LOCK) as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
