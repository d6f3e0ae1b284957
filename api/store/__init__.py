"""What the gateway remembers, in one database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from api.store.changes import ChangeStore
from api.store.coverage import CoverageStore
from api.store.database import Database, StoreUnavailable
from api.store.deliveries import DeliveryStore
from api.store.destinations import DestinationStore
from api.store.events import EventStore
from api.store.evidence import EvidenceStore
from api.store.incidents import IncidentStore
from api.store.insertion import InsertionStore
from api.store.latest_pictures import LatestPictureStore
from api.store.monitors import MonitorStore
from api.store.reconciliation import ReconciliationStore
from api.store.sessions import SessionStore
from api.store.silences import SilenceStore
from api.store.slates import SlateStore
from api.store.status_pages import StatusPageStore
from api.store.tables import deployment, metadata
from api.store.told import ToldStore
from api.store.triggers import create_triggers

SCRIPTS: Final = Path(__file__).parent / "migrations"


class Store:
    """The tables of one database, by what they are about.

    `deployment_id` names the database among others that share a Temporal namespace with it.
    """

    def __init__(self, database: Database, deployment_id: str) -> None:
        self.database = database
        self.deployment_id = deployment_id
        self.insertion = InsertionStore(database)
        self.monitors = MonitorStore(database)
        self.events = EventStore(database)
        self.coverage = CoverageStore(database)
        self.incidents = IncidentStore(database)
        self.reconciliation = ReconciliationStore(database)
        self.changes = ChangeStore(database)
        self.slates = SlateStore(database)
        self.destinations = DestinationStore(database)
        self.silences = SilenceStore(database)
        self.deliveries = DeliveryStore(database)
        self.told = ToldStore(database)
        self.evidence = EvidenceStore(database)
        self.latest_pictures = LatestPictureStore(database)
        self.status_pages = StatusPageStore(database)
        self.sessions = SessionStore(database)


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Open the database at `url`, brought to the newest form, and close it at the end."""
    database = Database(url)
    try:
        await upgrade_database(database)
        async with database.read() as connection:
            found = await connection.scalars(select(deployment.c.deployment_id))
        yield Store(database, found.one())
    finally:
        await database.close()


async def upgrade_database(database: Database, scripts: Path = SCRIPTS) -> None:
    """Create the tables of a new database; migrate those of an older one by the folder `scripts`.

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
    with nullcontext() if connection.in_transaction() else connection.begin():
        if is_new := not inspect(connection).has_table("alembic_version"):
            _create(connection, ScriptDirectory.from_config(config))
    if not is_new:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _create(connection: Connection, scripts: ScriptDirectory) -> None:
    metadata.create_all(connection, checkfirst=False)
    create_triggers(connection)
    connection.execute(insert(deployment).values(deployment_id=str(uuid4())))
    MigrationContext.configure(connection).stamp(scripts, "head")


__all__ = ["Store", "StoreUnavailable", "open_store", "upgrade_database"]
