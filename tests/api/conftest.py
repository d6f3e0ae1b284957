"""Databases and gateways for the tests of the gateway."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from api.store import open_store
from api.store.tables import deployment, metadata
from tests.testkit.gateway import Running, running_gateway
from tests.testkit.postgres import postgres_server
from tests.testkit.temporal import temporal_server

DATABASE = "gateway"

LEAVE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
COUNT_ANEW = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
FROM pg_sequences WHERE schemaname = 'public'
"""

_names = (f"test_{number}" for number in count())


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server() as server:
        yield server.url


@pytest.fixture(scope="session")
def migrated_postgres(postgres: str) -> str:
    """The gateway's database, which its tests use one after the other."""
    asyncio.run(_create_database(postgres, DATABASE))
    asyncio.run(_migrate(f"{postgres}/{DATABASE}"))
    return f"{postgres}/{DATABASE}"


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "gateway.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def temporal_address() -> Iterator[str]:
    with temporal_server() as address:
        yield address


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_file: Path) -> str:
    shutil.copy(migrated_file, tmp_path / "gateway.db")
    return f"sqlite:///{tmp_path}/gateway.db"


@pytest.fixture
async def postgres_url(migrated_postgres: str) -> str:
    """An empty database: to empty it takes a fortieth of what a new one takes."""
    await _empty(migrated_postgres)
    return migrated_postgres


@pytest.fixture(params=["sqlite_url", "postgres_url"], ids=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/empty.db"


@pytest.fixture
async def empty_postgres_url(postgres: str) -> str:
    name = next(_names)
    await _create_database(postgres, name)
    return f"{postgres}/{name}"


@pytest.fixture(params=["empty_sqlite_url", "empty_postgres_url"], ids=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """A database that no gateway has seen yet."""
    url: str = request.getfixturevalue(request.param)
    return url


async def _create_database(server: str, name: str) -> None:
    connection = await asyncpg.connect(f"{server}/postgres")
    # Copying files is slower than writing their pages where a database is this small.
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY wal_log")
    await connection.close()


async def _empty(url: str) -> None:
    """Delete all rows but the one that names the database."""
    connection = await asyncpg.connect(url)
    await connection.execute(LEAVE)
    full = (each for each in reversed(metadata.sorted_tables) if each is not deployment)
    await connection.execute(";".join(f"DELETE FROM {each.name}" for each in full))
    await connection.execute(COUNT_ANEW)
    await connection.close()


async def _migrate(url: str) -> None:
    async with open_store(url):
        pass


@pytest.fixture
async def gateway(database_url: str) -> AsyncIterator[Running]:
    """A gateway on each kind of database."""
    async with running_gateway(database_url) as running:
        yield running


@pytest.fixture
async def light_gateway(sqlite_url: str) -> AsyncIterator[Running]:
    """A gateway for what no database decides."""
    async with running_gateway(sqlite_url) as running:
        yield running
