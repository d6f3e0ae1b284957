"""The database: its form, its URL, and the rules by which reports change it."""

import asyncio
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from api.store import StoreUnavailable, open_store
from api.store.database import Database, configured_url
from api.store.engines import InvalidDatabaseUrl
from api.store.events import Delivery, after_report
from api.store.monitor_records import MonitorRecord, with_report
from api.store.tables import metadata
from monitors.config import MonitorConfig
from monitors.reports import Statistics, StatusReport
from monitors.status import DeliveryStatus, MonitorStatus, StreamStatus
from runtime.errors import StartError
from tests.testkit.gateway import gateway_settings
from tests.testkit.monitor_rows import insert_monitor

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RECORD = MonitorRecord(
    monitor_id="mon-1",
    stream_url="https://h/x.m3u8",
    stream_key="url:h/x.m3u8",
    callback_url="https://h/",
    config=MonitorConfig(),
    metadata={},
    status=MonitorStatus.INITIALIZING,
    stream_status=StreamStatus.UNKNOWN,
    created_at=NOW,
    workflow_started_at=NOW,
)

reports = st.builds(
    StatusReport,
    status=st.sampled_from(MonitorStatus),
    stream_status=st.sampled_from(StreamStatus),
    statistics=st.builds(Statistics, total_segments_analyzed=st.integers(0, 99)),
    as_of=st.integers(-1000, 1000).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)


@given(st.lists(reports, max_size=12))
def test_a_final_status_is_final_and_measurements_only_grow_newer(
    told: list[StatusReport],
) -> None:
    record = RECORD
    for report in told:
        after = with_report(record, report, NOW)
        if not record.status.is_active:
            assert replace(after, last_report=None) == replace(record, last_report=None)
        if record.last_report:
            assert after.last_report
            assert after.last_report.as_of >= record.last_report.as_of
        assert (after.finished_at is None) == after.status.is_active
        record = after
    assert record.status.is_active == all(report.status.is_active for report in told)


def test_a_clock_that_was_set_back_does_not_silence_reports() -> None:
    def report(as_of: datetime) -> StatusReport:
        return StatusReport(
            status=MonitorStatus.MONITORING, stream_status=StreamStatus.LIVE, as_of=as_of
        )

    ahead = NOW + timedelta(hours=1)
    before = with_report(RECORD, report(ahead), ahead)
    after = with_report(before, report(NOW), NOW)
    assert after.reported_at == NOW
    assert after.last_report
    assert after.last_report.as_of == NOW


deliveries = st.builds(
    Delivery,
    webhook_status=st.sampled_from(DeliveryStatus),
    webhook_attempts=st.integers(0, 9),
    webhook_last_error=st.none() | st.just("no answer"),
    sent_at=st.none(),
).map(lambda one: replace(one, sent_at=NOW if one.webhook_status is DeliveryStatus.SENT else None))


@given(st.lists(deliveries, min_size=1, max_size=9))
def test_what_was_sent_once_stays_sent(told: list[Delivery]) -> None:
    known = told[0]
    for report in told[1:]:
        known = after_report(known, report)
    was_sent = any(one.webhook_status is DeliveryStatus.SENT for one in told)
    assert (known.webhook_status is DeliveryStatus.SENT) == was_sent
    assert (known.sent_at is not None) == was_sent


SENT = Delivery(DeliveryStatus.SENT, 2, None, NOW)
FAILED = Delivery(DeliveryStatus.FAILED, 4, "no answer", None)
PENDING = Delivery(DeliveryStatus.PENDING, 0, None, None)
SENT_AGAIN = Delivery(DeliveryStatus.SENT, 3, None, NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("known", "told", "expected"),
    [
        pytest.param(PENDING, FAILED, FAILED, id="news"),
        pytest.param(FAILED, PENDING, FAILED, id="late"),
        pytest.param(SENT, replace(FAILED, webhook_attempts=1), SENT, id="older failure"),
        pytest.param(SENT, SENT_AGAIN, SENT_AGAIN, id="sent again"),
        pytest.param(
            SENT,
            replace(FAILED, webhook_attempts=6),
            replace(SENT, webhook_attempts=6, webhook_last_error="no answer"),
            id="sent again in vain",
        ),
        pytest.param(
            replace(FAILED, webhook_status=DeliveryStatus.PENDING),
            replace(SENT, webhook_attempts=5),
            replace(SENT, webhook_attempts=5),
            id="failed, then sent",
        ),
    ],
)
def test_a_report_of_a_delivery_adds_to_what_is_known(
    known: Delivery, told: Delivery, expected: Delivery
) -> None:
    assert after_report(known, told) == expected


async def test_a_new_database_has_what_the_code_expects(empty_database_url: str) -> None:
    async with open_store(empty_database_url) as store, store.database.read() as connection:
        assert await connection.run_sync(_differences) == []


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found = list(compare_metadata(context, metadata))
    return [one for one in found if not (isinstance(one, tuple) and one[0] == "remove_table")]


async def test_opening_again_keeps_what_is_there(empty_database_url: str) -> None:
    for expected in ({}, {MonitorStatus.INITIALIZING: 1}):
        async with open_store(empty_database_url) as store:
            assert await store.monitors.count_by_status() == expected
            if not expected:
                await store.insertion.add(RECORD, max_active=1, key=None)


async def test_gateways_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from api.store import open_store\n"
        "async def main():\n"
        "    async with open_store(sys.argv[1]): pass\n"
        "asyncio.run(main())\n"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, empty_database_url, cwd=Path(__file__).parents[2]
        )
        for _ in range(4)
    ]
    assert [await process.wait() for process in processes] == [0] * 4


async def test_the_database_itself_refuses_a_second_active_monitor_of_a_stream(
    database_url: str,
) -> None:
    async with open_store(database_url) as store:
        await store.insertion.add(RECORD, max_active=9, key=None)
        second = replace(RECORD, monitor_id="mon-2")
        with pytest.raises(IntegrityError):
            async with store.database.write() as connection:
                await insert_monitor(connection, second)
        await store.monitors.finish(RECORD.monitor_id, MonitorStatus.STOPPED, NOW)
        async with store.database.write() as connection:
            await insert_monitor(connection, second)


MOSTLY_MONITORING = [
    *[MonitorStatus.MONITORING] * 8,
    *(MonitorStatus.WAITING, MonitorStatus.INITIALIZING, MonitorStatus.COMPLETED),
]


@pytest.mark.parametrize("seed", range(4))
async def test_reports_change_a_row_as_the_rules_say(database_url: str, seed: int) -> None:
    chance, record = random.Random(seed), replace(RECORD, workflow_started_at=None)
    async with open_store(database_url) as store:
        async with store.database.write() as connection:
            await insert_monitor(connection, record)
        for number in range(60):
            report = StatusReport(
                status=chance.choice(MOSTLY_MONITORING if number > 40 else MOSTLY_MONITORING[:-1]),
                stream_status=chance.choice([StreamStatus.LIVE] * 4 + [StreamStatus.UNKNOWN]),
                statistics=Statistics(total_segments_analyzed=number),
                as_of=NOW + timedelta(seconds=10 * number + chance.choice([0, 0, 0, -15, 4000])),
            )
            now = NOW + timedelta(seconds=10 * number)
            record = with_report(record, report, now)
            told = await store.monitors.apply_report(record.monitor_id, report, now)
            assert told == record.status
            kept = await store.monitors.find(record.monitor_id)
            assert kept
            # Reports that tell nothing but measurements are not noted as ones of the status.
            assert replace(kept, reported_at=None) == replace(record, reported_at=None)


async def test_a_report_of_a_monitor_that_is_unknown_changes_nothing(database_url: str) -> None:
    report = StatusReport(
        status=MonitorStatus.MONITORING, stream_status=StreamStatus.LIVE, as_of=NOW
    )
    async with open_store(database_url) as store:
        assert await store.monitors.apply_report("mon-2", report, NOW) is None


async def test_times_come_back_as_the_same_moment_with_their_zone(database_url: str) -> None:
    tokyo = datetime(2026, 1, 1, 3, 4, 5, 678901, timezone(timedelta(hours=9)))
    async with open_store(database_url) as store:
        await store.insertion.add(replace(RECORD, created_at=tokyo), max_active=9, key=None)
        stored = await store.monitors.find(RECORD.monitor_id)
    assert stored
    assert stored.created_at == tokyo
    assert stored.created_at.tzinfo is not None


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("mysql://h/d", id="other database"),
        pytest.param("nonsense", id="no URL"),
        pytest.param("", id="empty"),
        pytest.param("sqlite://", id="in memory"),
        pytest.param("sqlite:///:memory:", id="in memory by name"),
        pytest.param("postgresql://u:secret@h:port/d", id="bad port"),
    ],
)
def test_a_bad_database_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidDatabaseUrl) as refused:
        Database(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
async def test_all_usual_forms_of_a_postgresql_url_work(postgres_url: str, scheme: str) -> None:
    database = Database(f"{scheme}{postgres_url.removeprefix('postgresql')}?sslmode=disable")
    await database.check()
    await database.close()


def test_without_a_database_url_the_data_folder_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    url = configured_url(gateway_settings(data_dir=folder, database_url=None))
    assert url == f"sqlite:///{folder}/stream-tracker.db"
    assert folder.is_dir()


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"^DATA_DIR: "):
        configured_url(gateway_settings(data_dir=tmp_path / "file"))


def test_a_connection_that_nobody_gave_back_does_not_keep_the_process(sqlite_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from api.store.database import Database\n"
        "kept = []\n"
        "async def main():\n"
        "    database = Database(sys.argv[1])\n"
        "    kept.append(await database.engine.connect())\n"
        "    await database.close()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, sqlite_url]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], timeout=60, check=False)
    assert ended.returncode == 0


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database at all, for more than a page " * 200)
    with pytest.raises(StoreUnavailable, match="not a database"):
        async with open_store(f"sqlite:///{tmp_path}/text.db"):
            pass


async def test_a_database_of_a_newer_version_is_refused(sqlite_url: str) -> None:
    async with open_store(sqlite_url) as store, store.database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="9999"):
        async with open_store(sqlite_url):
            pass
