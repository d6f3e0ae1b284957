"""The database, whatever its settings are and whatever others do to it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text

from api.store import SCRIPTS, StoreUnavailable, open_store, upgrade_database
from api.store.database import MIGRATION_LOCK, POOL_SIZE, Database
from api.store.insertion import TooManyMonitors
from tests.api.test_store import RECORD
from tests.testkit.gateway import running_gateway

LIMIT_SEC = 0.5
"""Of a statement, in these tests."""

SLOW = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None

def upgrade():
    op.execute("CREATE TABLE slow (id integer)")
    op.execute("SELECT pg_sleep(1.5)")
"""
BESIDE_WRITERS = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None

def upgrade():
    with op.get_context().autocommit_block():
        op.create_index("ix_written_id", "written", ["id"], postgresql_concurrently=True)
"""
FAILS = """
revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None

def upgrade():
    raise AssertionError("the tables have it already")
"""
WAITS = """
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None

def upgrade():
    op.execute("ALTER TABLE written ADD COLUMN more integer")
"""


@asynccontextmanager
async def session(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url, statement_limit_sec=LIMIT_SEC)
    try:
        yield opened
    finally:
        await opened.close()


@contextmanager
def migration(folder: Path, script: str) -> Iterator[Path]:
    """Yield a folder of migrations: ours, and one more."""
    shutil.copytree(SCRIPTS, folder)
    (folder / "versions" / "0002_test.py").write_text(script)
    yield folder


async def test_never_more_monitors_than_may_be_whatever_the_database_calls_isolation(
    empty_postgres_url: str,
) -> None:
    name = empty_postgres_url.rpartition("/")[2]
    async with session(empty_postgres_url) as admin:
        await admin.execute(
            f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"
        )
    async with open_store(empty_postgres_url) as store:
        records = [
            replace(RECORD, monitor_id=f"mon-{number}", stream_key=f"url:{number}")
            for number in range(12)
        ]
        outcomes = await asyncio.gather(
            *(store.insertion.add(record, max_active=3, key=None) for record in records),
            return_exceptions=True,
        )
        assert outcomes.count(None) == 3
        assert all(isinstance(each, TooManyMonitors) for each in outcomes if each is not None)


async def test_the_victim_of_a_deadlock_may_try_again(empty_postgres_url: str) -> None:
    async with database(empty_postgres_url) as opened:
        both_hold_one = asyncio.Barrier(2)

        async def take(first: int, second: int) -> None:
            async with opened.write() as connection:
                await connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({first})"))
                await both_hold_one.wait()
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({second})"))

        outcomes = await asyncio.gather(take(1, 2), take(2, 1), return_exceptions=True)
    assert {type(each) for each in outcomes} == {type(None), StoreUnavailable}


async def test_a_gateway_waits_for_another_one_that_migrates(empty_postgres_url: str) -> None:
    async with session(empty_postgres_url) as other, database(empty_postgres_url) as opened:
        await other.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        upgrading = asyncio.create_task(upgrade_database(opened))
        await asyncio.sleep(3 * LIMIT_SEC)  # longer than a statement may take
        assert not upgrading.done()
        await other.execute(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})")
        await upgrading


async def test_a_new_database_needs_no_migration(empty_database_url: str, tmp_path: Path) -> None:
    with migration(tmp_path / "one_more", FAILS) as scripts:
        async with database(empty_database_url) as opened:
            for _ in range(2):
                await upgrade_database(opened, scripts)
            async with opened.read() as connection:
                version = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            assert version == "0002"


async def test_a_migration_may_take_longer_than_a_statement(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    with migration(tmp_path / "slow", SLOW) as scripts:
        async with database(empty_postgres_url) as opened:
            await upgrade_database(opened)
            await upgrade_database(opened, scripts)
            async with opened.read() as connection:
                assert await connection.scalar(text("SELECT count(*) FROM slow")) == 0


async def test_an_index_can_be_built_beside_writers_while_other_gateways_start(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    async with session(empty_postgres_url) as writer:
        await writer.execute("CREATE TABLE written (id integer)")
        transaction = writer.transaction()
        await transaction.start()
        await writer.execute("INSERT INTO written VALUES (1)")
        with migration(tmp_path / "index", BESIDE_WRITERS) as scripts:
            async with database(empty_postgres_url) as one, database(empty_postgres_url) as two:
                await upgrade_database(one)
                upgrading = asyncio.gather(
                    upgrade_database(one, scripts), upgrade_database(two, scripts)
                )
                async with session(empty_postgres_url) as other:
                    await _until_an_index_is_built(other)
                    await other.execute("INSERT INTO written VALUES (2)", timeout=10)
                await transaction.commit()
                await upgrading


async def _until_an_index_is_built(connection: asyncpg.Connection) -> None:
    query = "SELECT count(*) FROM pg_stat_progress_create_index"
    async with asyncio.timeout(30):
        while not await connection.fetchval(query):
            await asyncio.sleep(0.05)


async def test_a_migration_does_not_wait_for_a_table_without_end(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    async with session(empty_postgres_url) as reader:
        await reader.execute("CREATE TABLE written (id integer)")
        async with reader.transaction():
            await reader.execute("SELECT * FROM written")
            with migration(tmp_path / "waits", WAITS) as scripts:
                async with database(empty_postgres_url) as opened:
                    await upgrade_database(opened)
                    with pytest.raises(StoreUnavailable, match="lock timeout"):
                        await upgrade_database(opened, scripts)


async def test_health_and_metrics_answer_while_requests_use_all_connections(
    database_url: str,
) -> None:
    async with running_gateway(database_url) as gateway:
        connections = [gateway.store.database.read() for _ in range(POOL_SIZE)]
        for each in connections:
            await each.__aenter__()
        try:
            assert (await gateway.client.get("/readyz")).status_code == 200
            metrics = (await gateway.client.get("/metrics")).text
            assert 'stream_tracker_monitors{status="stopped"} 0.0' in metrics
        finally:
            for each in connections:
                await each.__aexit__(None, None, None)


async def test_health_and_metrics_ask_once_a_second_at_most(database_url: str) -> None:
    async with running_gateway(database_url) as gateway:
        for path in ("/readyz", "/metrics"):
            await asyncio.gather(*(gateway.client.get(path) for _ in range(50)))
        assert gateway.engine.checks <= 5
