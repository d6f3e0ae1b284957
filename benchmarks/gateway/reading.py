"""Reading among many stored monitors."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from api.store import open_store
from api.store.monitor_records import MonitorRecord
from benchmarks.gateway.load import Latencies, LoadClient, at_rate
from monitors.config import MonitorConfig
from monitors.random_ids import new_monitor_id
from monitors.reports import StatusReport
from monitors.status import MonitorStatus, StreamStatus
from tests.testkit.monitor_rows import insert_monitor

REPORTED = 1_000


@dataclass(frozen=True)
class ReadTimes:
    """How long the reads took."""

    listing: Latencies
    last_page: Latencies
    single: Latencies


async def stored_monitors(database_url: str, count: int) -> list[str]:
    """Fill a new database with ended monitors, some of them with a last report; return their ids.

    Ended ones, because a read of an active monitor times its workflow too.
    """
    async with open_store(database_url) as store:
        ids = []
        async with store.database.write() as connection:
            async for record in _records(count):
                await insert_monitor(connection, record)
                ids.append(record.monitor_id)
        for monitor_id in ids[:REPORTED]:
            report = StatusReport(status=MonitorStatus.COMPLETED, as_of=datetime.now(UTC))
            await store.monitors.apply_report(monitor_id, report, datetime.now(UTC))
        async with store.database.write() as connection:
            await connection.execute(text("ANALYZE"))
    return ids


async def time_reads(
    client: LoadClient, ids: list[str], *, per_sec: float, seconds: float
) -> ReadTimes:
    """Time lists of 50, the first page and the last one, and reads of single monitors."""

    async def first_page(_: int) -> None:
        await client.send("GET", "/api/v1/monitors")

    async def last_page(_: int) -> None:
        await client.send("GET", f"/api/v1/monitors?offset={len(ids) - 50}")

    async def single(number: int) -> None:
        await client.send("GET", f"/api/v1/monitors/{ids[number * 97 % len(ids)]}")

    await at_rate(single, per_sec=per_sec, seconds=1)  # connections, statement caches
    return ReadTimes(
        listing=await at_rate(first_page, per_sec=per_sec, seconds=seconds),
        last_page=await at_rate(last_page, per_sec=per_sec, seconds=seconds),
        single=await at_rate(single, per_sec=per_sec, seconds=seconds),
    )


async def _records(count: int) -> AsyncIterator[MonitorRecord]:
    now = datetime.now(UTC)
    for number in range(count):
        at = now - timedelta(seconds=count - number)
        yield MonitorRecord(
            monitor_id=new_monitor_id(),
            stream_url=f"https://media.example/{number}/index.m3u8",
            stream_key=f"url:media.example/{number}/index.m3u8",
            callback_url="https://receiver.example/hook",
            config=MonitorConfig(),
            metadata={"channel": f"number {number}", "notes": "x" * 200},
            status=MonitorStatus.COMPLETED,
            stream_status=StreamStatus.ENDED,
            created_at=at,
            workflow_started_at=at,
            reported_at=at,
            finished_at=at,
        )
