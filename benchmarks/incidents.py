"""How long lists of incidents take, with each filter, among very many."""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, text

from api.store import Store, open_store
from api.store.filters import IncidentFilter
from api.store.monitor_records import MonitorRecord, new_row
from api.store.tables import monitors
from benchmarks.coverage import databases
from benchmarks.machine import machine
from monitors.config import MonitorConfig
from monitors.status import IncidentKind, MonitorStatus, Severity, StreamStatus

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLDEST_SEC = 90 * 86_400
CHUNK = 50_000
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
        "label of half and kind": IncidentFilter(labels=[("half", "1")], kind=IncidentKind.FREEZE),
        "label of half and severity": IncidentFilter(
            labels=[("half", "1")], severity=Severity.CRITICAL
        ),
        "label of 200": IncidentFilter(labels=[("rack", "7")]),
        "label of 200 and kind": IncidentFilter(labels=[("rack", "7")], kind=IncidentKind.FREEZE),
        "label of 1000": IncidentFilter(labels=[("tenth", "7")]),
        "label of 1000 and kind": IncidentFilter(labels=[("tenth", "7")], kind=IncidentKind.FREEZE),
        "label of 1000 and severity": IncidentFilter(
            labels=[("tenth", "7")], severity=Severity.WARNING
        ),
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
    """Fill the tables, incidents in the order in which they happened; return the monitors' ids."""
    ids = [f"mon-{number:036}" for number in range(monitor_count)]
    rows = [new_row(_monitor(each, number)) for number, each in enumerate(ids)]
    async with store.database.write() as connection:
        await connection.execute(insert(monitors), rows)
    add = text(
        _ADD.format(**_DIALECTS[store.database.is_postgres], kinds=_kinds(), kind_count=len(KINDS))
    )
    known = {
        "monitors": monitor_count,
        "oldest_sec": NOW.timestamp() - OLDEST_SEC,
        "step_sec": OLDEST_SEC / incident_count,
    }
    for first in range(0, incident_count, CHUNK):
        end = min(first + CHUNK, incident_count)
        async with store.database.write() as connection:
            await connection.execute(add, known | {"first": first, "end": end})
    if store.database.is_postgres:  # as its autovacuum does; on SQLite nobody does
        async with store.database.write() as connection:
            await connection.execute(text("ANALYZE"))
    return ids


def _monitor(monitor_id: str, number: int) -> MonitorRecord:
    return MonitorRecord(
        monitor_id=monitor_id,
        stream_url=f"https://media.example/{number}.m3u8",
        stream_key=f"url:media.example/{number}.m3u8",
        callback_url="https://receiver.example/hook",
        labels={
            "host": str(number // 10),
            "rack": str(number % 50),
            "tenth": str(number % 10),
            "half": str(number % 2),
        },
        config=MonitorConfig(),
        metadata={},
        status=MonitorStatus.MONITORING,
        stream_status=StreamStatus.LIVE,
        created_at=NOW,
    )


# Numbers that have no divisor in common mix monitors, kinds and open ones.
_ADD = """
    INSERT INTO incidents (
        incident_id, monitor_id, kind, severity, is_open, started_at, detected_at, ended_at,
        track, is_flapping, silenced, opened_name, opened_labels
    )
    WITH RECURSIVE numbers(number) AS (
        SELECT CAST(:first AS INTEGER)
        UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < CAST(:end AS INTEGER)
    ),
    kinds(place, kind, severity) AS ({kinds}),
    incident AS (
        SELECT number, {moment} AS moment, number % 499 = 0 AS is_open,
            CAST(number AS BIGINT) * 7919 % CAST(:monitors AS INTEGER) AS of
        FROM numbers
    )
    SELECT {incident_id}, {monitor_id}, kind, severity, is_open, moment, moment,
        CASE WHEN is_open THEN NULL ELSE moment END, '', false, false, '', '{{}}'
    FROM incident JOIN kinds ON place = number % {kind_count}"""
_SECOND = "CAST(:oldest_sec AS DOUBLE PRECISION) + number * CAST(:step_sec AS DOUBLE PRECISION)"
_DIALECTS: dict[bool, dict[str, str]] = {
    True: {
        "incident_id": "'inc-' || gen_random_uuid()",
        "monitor_id": "'mon-' || lpad(CAST(of AS TEXT), 36, '0')",
        "moment": f"to_timestamp({_SECOND})",
    },
    False: {
        "incident_id": "'inc-' || lower(hex(randomblob(18)))",
        "monitor_id": "printf('mon-%036d', of)",
        "moment": f"strftime('%Y-%m-%d %H:%M:%S.000000', {_SECOND}, 'unixepoch')",
    },
}
"""What PostgreSQL and SQLite write in ways of their own."""


def _kinds() -> str:
    rows = (
        f"SELECT {place} AS place, '{kind}' AS kind, '{kind.severity}' AS severity"
        for place, kind in enumerate(KINDS)
    )
    return " UNION ALL ".join(rows)


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
