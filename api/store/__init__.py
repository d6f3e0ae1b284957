"""What the gateway remembers: monitors, their last reports, their events, idempotency keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from api.store.changes import ChangeStore
from api.store.coverage import CoverageStore
from api.store.database import Database, StoreUnavailable
from api.store.deliveries import DeliveryStore
from api.store.destinations import DestinationStore
from api.store.events import EventStore
from api.store.evidence import EvidenceStore
from api.store.held_webhooks import HeldWebhookStore
from api.store.incident_deliveries import IncidentDeliveryStore
from api.store.incidents import IncidentStore
from api.store.insertion import InsertionStore
from api.store.latest_pictures import LatestPictureStore
from api.store.monitors import MonitorStore
from api.store.reconciliation import ReconciliationStore
from api.store.sessions import SessionStore
from api.store.silences import SilenceStore
from api.store.slates import SlateStore
from api.store.status_pages import StatusPageStore
from api.store.tables import deployment
from api.store.told import ToldStore

SCRIPTS: Final = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Store:
    """The tables of one database, by what they are about.

    Attributes:
        deployment_id: names the database, among others that share a Temporal namespace with it.
    """

    deployment_id: str
    database: Database
    insertion: InsertionStore
    monitors: MonitorStore
    events: EventStore
    coverage: CoverageStore
    incidents: IncidentStore
    reconciliation: ReconciliationStore
    changes: ChangeStore
    slates: SlateStore
    destinations: DestinationStore
    silences: SilenceStore
    deliveries: DeliveryStore
    held_webhooks: HeldWebhookStore
    told: ToldStore
    evidence: EvidenceStore
    latest_pictures: LatestPictureStore
    incident_deliveries: IncidentDeliveryStore
    status_pages: StatusPageStore
    sessions: SessionStore


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Open the database at `url`, brought to the newest form, and close it at the end.

    Raises:
        InvalidDatabaseUrl: no PostgreSQL or SQLite URL.
        StoreUnavailable: the database does not answer.
    """
    database = Database(url)
    try:
        await upgrade_database(database)
        yield Store(
            deployment_id=await _deployment_id(database),
            database=database,
            insertion=InsertionStore(database),
            monitors=MonitorStore(database),
            events=EventStore(database),
            coverage=CoverageStore(database),
            incidents=IncidentStore(database),
            reconciliation=ReconciliationStore(database),
            changes=ChangeStore(database),
            slates=SlateStore(database),
            destinations=DestinationStore(database),
            silences=SilenceStore(database),
            deliveries=DeliveryStore(database),
            held_webhooks=HeldWebhookStore(database),
            told=ToldStore(database),
            evidence=EvidenceStore(database),
            latest_pictures=LatestPictureStore(database),
            incident_deliveries=IncidentDeliveryStore(database),
            status_pages=StatusPageStore(database),
            sessions=SessionStore(database),
        )
    finally:
        await database.close()


async def _deployment_id(database: Database) -> str:
    async with database.read() as connection:
        found: str = (await connection.scalars(select(deployment.c.deployment_id))).one()
    return found


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


__all__ = ["Store", "StoreUnavailable", "open_store", "upgrade_database"]
