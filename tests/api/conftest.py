"""Databases and gateways for the tests of the gateway."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from tests.api.postgres import running_postgres
from tests.api.running import Running, running_gateway

_names = (f"test_{number}" for number in count())


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/gateway.db"


@pytest.fixture
async def postgres_url(postgres: str) -> str:
    name = next(_names)
    connection = await asyncpg.connect(f"{postgres}/postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"{postgres}/{name}"


@pytest.fixture(params=["sqlite_url", "postgres_url"], ids=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


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
