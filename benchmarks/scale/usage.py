"""What each process of the service has used, and what its databases hold."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import psutil
from temporalio.client import Client

Processes = Mapping[str, Sequence[psutil.Process]]
"""By the part of the service that they are, with all that they started."""

_COUNTS = """
select xact_commit, tup_inserted + tup_updated + tup_deleted, pg_current_wal_lsn() - '0/0'::pg_lsn
from pg_stat_database where datname = current_database()
"""
_WATCHED = """
select count(*) from monitor_stats where (statistics ->> 'total_segments_analyzed')::int > 0
"""
_SILENT = "select count(*) from monitor_stats where as_of < now() - make_interval(secs => $1)"


@dataclass(frozen=True)
class Sample:
    """Totals at one moment.

    Attributes:
        at: seconds of a monotonic clock.
        cpu_sec: of each part.
        busy_sec: CPU of this machine, whoever used it.
        memory_mib: of each part, what is theirs alone and their share of the rest (PSS).
        temporal_bytes: of the dev server's database file.
    """

    at: float
    cpu_sec: dict[str, float]
    busy_sec: float
    memory_mib: dict[str, float]
    transactions: int
    rows: int
    wal_bytes: int
    temporal_bytes: int


@dataclass(frozen=True)
class History:
    """Mean of some monitors: events and bytes of the history, and attempts of the watch."""

    events: float
    size_bytes: float
    attempts: float


class Gauge:
    """Takes samples.

    Args:
        processes: of each part.
        postgres: a connection to the gateway's database.
        temporal_file: the dev server's database.
    """

    def __init__(
        self, processes: Processes, postgres: asyncpg.Connection, temporal_file: Path
    ) -> None:
        self._processes = processes
        self._postgres = postgres
        self._temporal_file = temporal_file

    async def sample(self) -> Sample:
        """Return the totals now."""
        transactions, rows, wal_bytes = await self._postgres.fetchrow(_COUNTS)
        families = {part: _with_children(each) for part, each in self._processes.items()}
        return Sample(
            at=time.monotonic(),
            cpu_sec={part: sum(map(_cpu_sec, family)) for part, family in families.items()},
            busy_sec=_busy_sec(),
            memory_mib={part: sum(map(_memory_mib, family)) for part, family in families.items()},
            transactions=transactions,
            rows=rows,
            wal_bytes=int(wal_bytes),
            temporal_bytes=self._temporal_file.stat().st_size,
        )

    async def watched(self) -> int:
        """Return of how many monitors the store has counters."""
        return int(await self._postgres.fetchval(_WATCHED))

    async def silent(self, since_sec: float) -> int:
        """Return of how many monitors the store has heard nothing for so long."""
        return int(await self._postgres.fetchval(_SILENT, since_sec))


async def postmaster(connection: asyncpg.Connection) -> psutil.Process:
    """Return the process that all of PostgreSQL's are children of."""
    backend = psutil.Process(await connection.fetchval("select pg_backend_pid()"))
    return psutil.Process(backend.ppid())


async def history_of(client: Client, monitor_ids: Sequence[str]) -> History:
    """Return what the histories of these monitors hold now."""
    events, size_bytes, attempts = 0, 0, 0
    for monitor_id in monitor_ids:
        described = (await client.get_workflow_handle(monitor_id).describe()).raw_description
        events += described.workflow_execution_info.history_length
        size_bytes += described.workflow_execution_info.history_size_bytes
        attempts += max((each.attempt for each in described.pending_activities), default=0)
    count = len(monitor_ids)
    return History(events / count, size_bytes / count, attempts / count)


def _with_children(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    children = [child for each in processes for child in each.children(recursive=True)]
    return [*processes, *children]


def _busy_sec() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def _cpu_sec(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _memory_mib(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0
