"""How often the gateway's database is written to for what workers report."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from api.store import open_store
from api.store.database import Database
from api.store.monitor_records import MonitorRecord
from monitors.reports import EventReport, StatusReport
from monitors.status import MonitorStatus, StreamStatus
from tests.testkit.monitor_rows import insert_monitor
from workflows.messages import MonitorInput

WRITING = ("INSERT", "UPDATE", "DELETE")


@dataclass
class Writes:
    """Statements so far that change rows."""

    count: int = 0


async def writes_of(
    order: MonitorInput, statuses: Sequence[StatusReport], events: Sequence[EventReport]
) -> int:
    """Apply what is reported of a monitor to a new store and return how many statements write.

    They are the same on SQLite, which this takes, and on PostgreSQL.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with open_store(f"sqlite:///{folder}/gateway.db") as store:
            async with store.database.write() as connection:
                await insert_monitor(connection, _started(order))
            with counted(store.database) as writes:
                for status in sorted(statuses, key=lambda report: report.as_of):
                    await store.monitors.apply_report(order.monitor_id, status, status.as_of)
                    await store.coverage.record(order.monitor_id, status.coverage)
                for each in events:
                    await store.events.record(order.monitor_id, each, each.event.timestamp)
    return writes.count


@contextmanager
def counted(database: Database) -> Iterator[Writes]:
    """Count the statements that write while the context is open."""
    writes = Writes()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        writes.count += statement.lstrip().upper().startswith(WRITING)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield writes
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


def _started(order: MonitorInput) -> MonitorRecord:
    return MonitorRecord(
        monitor_id=order.monitor_id,
        stream_url=order.stream_url,
        stream_key=order.stream_key,
        callback_url=order.callback_url,
        config=order.config,
        metadata=order.metadata,
        status=MonitorStatus.MONITORING,
        stream_status=StreamStatus.LIVE,
        created_at=order.created_at,
        workflow_started_at=order.created_at,
        reported_at=order.created_at,
    )
