"""How long a month's availability of many monitors takes, and what their reports cost."""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Table, insert, text, update

from api.coverage.service import CoverageRange, CoverageService
from api.store import Store, open_store
from api.store.monitor_records import MonitorRecord
from api.store.tables import coverage, incidents, monitors
from benchmarks.machine import machine
from monitors.config import MonitorConfig
from monitors.coverage import ObservedSpan
from monitors.random_ids import new_monitor_id
from monitors.status import IncidentKind, MonitorStatus, Severity, StreamStatus
from tests.testkit.monitor_rows import insert_monitor
from tests.testkit.postgres import postgres_server

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAYS = 30
BEGIN = NOW - timedelta(days=DAYS)
INCIDENTS = 100
BLIND_SPOTS = 30
TIMES = 5
CHUNK = 5000
REPORTS = 1000
TARGET_SEC = 2.0


@dataclass(frozen=True)
class Figures:
    """Seconds of a report of all monitors (the slowest), of one timeline, of one status report.

    Attributes:
        cpu_sec: processor time of the report that took least: this process, not PostgreSQL.
    """

    database: str
    report_sec: float
    cpu_sec: float
    timeline_sec: float
    telling_sec: float


async def measure(name: str, url: str, count: int) -> Figures:
    """Measure one kind of database."""
    async with open_store(url) as store:
        ids = await _fill(store, count)
        service = CoverageService(store, retention=timedelta(days=90), now=lambda: NOW)
        asked = CoverageRange(BEGIN, NOW)
        gc.freeze()  # as the gateway does
        reports, cpu = [], []
        for _ in range(TIMES):
            began, cpu_began = time.perf_counter(), time.process_time()
            await service.report((), asked)
            reports.append(time.perf_counter() - began)
            cpu.append(time.process_time() - cpu_began)
        began = time.perf_counter()
        await service.timeline(ids[0], asked)
        timeline_sec = time.perf_counter() - began
        telling_sec = await _tell(store, ids)
    return Figures(name, max(reports), min(cpu), timeline_sec, telling_sec)


async def _tell(store: Store, ids: list[str]) -> float:
    """Return what it takes to have the last row of a monitor grow."""
    began = time.perf_counter()
    for number in range(REPORTS):
        start = NOW + timedelta(seconds=10 * (number // len(ids)))
        span = ObservedSpan(start=start, end=start + timedelta(seconds=10))
        await store.coverage.record(ids[number % len(ids)], [span])
    return (time.perf_counter() - began) / REPORTS


async def _fill(store: Store, count: int) -> list[str]:
    chance, ids = Random(1), [new_monitor_id() for _ in range(count)]  # noqa: S311  # no secret
    async with store.database.write() as connection:
        for number, monitor_id in enumerate(ids):
            await insert_monitor(connection, _monitor(monitor_id, number))
        await connection.execute(update(monitors).values(live_since=BEGIN))
    spans = [row for each in ids for row in _spans(each, chance)]
    faults = [row for each in ids for row in _incidents(each, chance)]
    for table, rows in ((coverage, spans), (incidents, faults)):
        await _insert(store, table, rows)
    if store.database.is_postgres:  # as its autovacuum does
        async with store.database.write() as connection:
            await connection.execute(text("ANALYZE"))
    return ids


async def _insert(store: Store, table: Table, rows: list[dict[str, Any]]) -> None:
    for first in range(0, len(rows), CHUNK):
        async with store.database.write() as connection:
            await connection.execute(insert(table), rows[first : first + CHUNK])


def _monitor(monitor_id: str, number: int) -> MonitorRecord:
    return MonitorRecord(
        monitor_id=monitor_id,
        stream_url=f"https://media.example/{number}.m3u8",
        stream_key=f"url:media.example/{number}.m3u8",
        callback_url="https://receiver.example/hook",
        config=MonitorConfig(),
        metadata={},
        status=MonitorStatus.MONITORING,
        stream_status=StreamStatus.LIVE,
        created_at=BEGIN,
    )


def _moments(chance: Random, count: int) -> list[datetime]:
    """Return moments as events tell them, in milliseconds."""
    return sorted(
        BEGIN + timedelta(milliseconds=chance.randrange(DAYS * 86_400_000)) for _ in range(count)
    )


def _spans(monitor_id: str, chance: Random) -> Iterator[dict[str, Any]]:
    start = BEGIN
    for at in _moments(chance, BLIND_SPOTS):
        blind_until = min(at + timedelta(milliseconds=chance.randrange(1_000, 60_000)), NOW)
        if at <= start:
            continue
        yield {"monitor_id": monitor_id, "start_at": start, "end_at": at, "reason": None}
        yield {"monitor_id": monitor_id, "start_at": at, "end_at": blind_until, "reason": "timeout"}
        start = blind_until
    yield {"monitor_id": monitor_id, "start_at": start, "end_at": NOW, "reason": None}


def _incidents(monitor_id: str, chance: Random) -> Iterator[dict[str, Any]]:
    for number, at in enumerate(_moments(chance, INCIDENTS)):
        yield {
            "incident_id": f"inc-{monitor_id[-22:]}-{number}",
            "monitor_id": monitor_id,
            "kind": chance.choice(list(IncidentKind)),
            "severity": Severity.CRITICAL,
            "is_open": False,
            "started_at": at,
            "ended_at": at + timedelta(milliseconds=chance.randrange(5_000, 300_000)),
            "track": "",
            "is_flapping": False,
            "silenced": False,
            "opened_name": "",
            "opened_labels": {},
        }


@contextmanager
def databases() -> Iterator[list[tuple[str, str]]]:
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        yield [
            ("SQLite", f"sqlite:///{folder}/gateway.db"),
            ("PostgreSQL", f"{server.url}/postgres"),
        ]


async def run(count: int) -> list[Figures]:
    with databases() as found:
        return [await measure(name, url, count) for name, url in found]


def main() -> int:
    """Return 0 when the target is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks coverage", description=__doc__)
    parser.add_argument("--monitors", type=int, default=1000)
    count = parser.parse_args().monitors
    print(machine())
    found = asyncio.run(run(count))
    for each in found:
        print(
            f"{each.database}: {DAYS} days of {count} monitors with {INCIDENTS} incidents each: "
            f"report {each.report_sec:.2f} s, {each.cpu_sec:.2f} s of CPU "
            f"(target {TARGET_SEC:g} s for 1,000), one timeline {1000 * each.timeline_sec:.0f} ms, "
            f"telling {1000 * each.telling_sec:.1f} ms"
        )
    limit_sec = TARGET_SEC * max(1, count / 1000)
    return 0 if all(each.report_sec < limit_sec for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
