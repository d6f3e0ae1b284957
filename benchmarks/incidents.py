"""How long lists of incidents take, with each filter, among very many."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from sqlalchemy import insert, text

from api.store import Store, open_store
from api.store.filters import IncidentFilter
from api.store.records import MonitorRecord
from api.store.rows import new_row
from api.store.tables import incidents, monitors
from benchmarks.coverage import databases
from benchmarks.machine import machine
from monitors.config import MonitorConfig
from monitors.ids import new_monitor_id
from monitors.incidents import IncidentRef
from monitors.status import IncidentKind, MonitorStatus, Severity, StreamStatus

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLDEST_SEC = 90 * 86_400
CHUNK = 20_000
TIMES = 40
TARGET_MS = 50.0
KINDS = list(IncidentKind)


def filters(monitor_id: str) -> dict[str, IncidentFilter]:
    week = NOW - timedelta(days=60)
    return {
        "none": IncidentFilter(),
        "open": IncidentFilter(is_open=True),
        "closed": IncidentFilter(is_open=False),
        "monitor": IncidentFilter(monitor_id=monitor_id),
        "kind": IncidentFilter(kind=IncidentKind.FREEZE),
        "severity": IncidentFilter(severity=Severity.WARNING),
        "kind and open": IncidentFilter(kind=IncidentKind.FREEZE, is_open=True),
        "kind and other severity": IncidentFilter(
            kind=IncidentKind.FREEZE, severity=Severity.WARNING
        ),
        "a week": IncidentFilter(since=week, until=week + timedelta(days=7)),
        "label of 10": IncidentFilter(labels=[("host", "7")]),
        "label of half": IncidentFilter(labels=[("half", "1")]),
        "label of half and open": IncidentFilter(labels=[("half", "1")], is_open=True),
        "label of none": IncidentFilter(labels=[("host", "none")]),
    }


async def measure(url: str, monitor_count: int, incident_count: int) -> dict[str, float]:
    """Return the 95th percentile of each filter, in milliseconds."""
    async with open_store(url) as store:
        ids = await _fill(store, monitor_count, incident_count)
        return {name: await _p95_ms(store, wanted) for name, wanted in filters(ids[7]).items()}


async def _p95_ms(store: Store, wanted: IncidentFilter) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await store.incidents.page(wanted, limit=50, offset=0)
        taken.append(time.perf_counter() - began)
    return 1000 * sorted(taken)[int(0.95 * TIMES) - 1]


async def _fill(store: Store, monitor_count: int, incident_count: int) -> list[str]:
    ids = [new_monitor_id() for _ in range(monitor_count)]
    rows = [new_row(_monitor(each, number)) for number, each in enumerate(ids)]
    async with store.database.write() as connection:
        await connection.execute(insert(monitors), rows)
    found = _incidents(ids, incident_count)
    while chunk := list(islice(found, CHUNK)):
        async with store.database.write() as connection:
            await connection.execute(insert(incidents), chunk)
    async with store.database.write() as connection:
        await connection.execute(text("ANALYZE"))
    return ids


def _monitor(monitor_id: str, number: int) -> MonitorRecord:
    return MonitorRecord(
        monitor_id=monitor_id,
        stream_url=f"https://media.example/{number}.m3u8",
        stream_key=f"url:media.example/{number}.m3u8",
        callback_url="https://receiver.example/hook",
        labels={"host": str(number // 10), "half": str(number % 2)},
        config=MonitorConfig(),
        metadata={},
        status=MonitorStatus.MONITORING,
        stream_status=StreamStatus.LIVE,
        created_at=NOW,
    )


def _incidents(ids: list[str], count: int) -> Iterator[dict[str, Any]]:
    chance = Random(1)  # noqa: S311  # no secret
    for number in range(count):
        ref = IncidentRef(
            kind=KINDS[number % len(KINDS)],
            started_at=NOW - timedelta(seconds=chance.uniform(0, OLDEST_SEC)),
        )
        monitor_id, is_open = ids[number % len(ids)], number % 1000 == 0
        yield {
            "incident_id": ref.id_in(monitor_id),
            "monitor_id": monitor_id,
            "kind": ref.kind,
            "severity": ref.kind.severity,
            "is_open": is_open,
            "started_at": ref.started_at,
            "detected_at": ref.started_at,
            "ended_at": None if is_open else ref.started_at + timedelta(seconds=60),
            "track": "",
            "is_flapping": False,
            "silenced": False,
        }


def main() -> int:
    """Return 0 when the target is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks incidents", description=__doc__)
    parser.add_argument("--monitors", type=int, default=10_000)
    parser.add_argument("--incidents", type=int, default=1_000_000)
    args = parser.parse_args()
    print(machine())
    is_met = True
    with databases() as found:
        for name, url in found:
            for wanted, p95_ms in asyncio.run(measure(url, args.monitors, args.incidents)).items():
                print(f"{name}, filter {wanted}: p95 {p95_ms:.1f} ms (target {TARGET_MS:g} ms)")
                is_met &= p95_ms < TARGET_MS
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
