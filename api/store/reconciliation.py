"""What the reconciler asks of the store, and what it removes, in small batches."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Column, ColumnElement, Table, delete, exists, false, func, select, tuple_

from api.store.database import StorePart
from api.store.delivery_records import deliveries
from api.store.monitor_records import (
    IS_ACTIVE,
    MONITORS_WITH_STATS,
    MonitorRecord,
    monitor_record,
    with_last_report,
)
from api.store.silences import silences
from api.store.tables import (
    coverage,
    idempotency_keys,
    incidents,
    monitor_events,
    monitor_stats,
    monitors,
    quiet_spans,
)
from monitors.coverage_log import longest_pause
from monitors.status import MonitorStatus


class Removable(NamedTuple):
    """Rows that are removed some time after they ended.

    Attributes:
        stays: matches those that stay, however old.
        began: the time by which they are found, where `ended` has no index.
    """

    table: Table
    ended: Column[datetime]
    stays: ColumnElement[bool] = false()
    began: Column[datetime] | None = None


MONITORS: Final = Removable(monitors, monitors.c.finished_at)  # with all that belongs to them
EVENTS: Final = Removable(monitor_events, monitor_events.c.created_at)
IDEMPOTENCY_KEYS: Final = Removable(idempotency_keys, idempotency_keys.c.created_at)
INCIDENTS: Final = Removable(
    incidents, incidents.c.ended_at, incidents.c.is_open, began=incidents.c.started_at
)
COVERAGE: Final = Removable(coverage, coverage.c.end_at)
QUIET_SPANS: Final = Removable(quiet_spans, quiet_spans.c.end_at)
SILENCES: Final = Removable(silences, silences.c.ends_at)
DELIVERIES: Final = Removable(
    deliveries,
    deliveries.c.created_at,
    exists().where(incidents.c.incident_id == deliveries.c.incident_id, incidents.c.is_open),
)
"""Beginnings of open incidents stay: their recoveries go to whoever has them."""


class ReconciliationStore(StorePart):
    """Finds monitors that may differ from Temporal, and removes old rows."""

    async def unconfirmed(self, *, created_before: datetime, limit: int) -> list[MonitorRecord]:
        """Return active monitors whose workflow nobody confirmed, oldest first."""
        query = (
            with_last_report()
            .where(
                IS_ACTIVE,
                monitors.c.workflow_started_at.is_(None),
                monitors.c.created_at < created_before,
            )
            .order_by(monitors.c.created_at)
            .limit(limit)
        )
        return [monitor_record(row) for row in await self._database.rows(query)]

    async def stale(self, *, since: datetime) -> list[str]:
        """Return the ids of active monitors with a workflow that reported nothing since."""
        last_report = func.coalesce(
            monitor_stats.c.as_of, monitors.c.reported_at, monitors.c.workflow_started_at
        )
        query = (
            select(monitors.c.monitor_id)
            .select_from(MONITORS_WITH_STATS)
            .where(IS_ACTIVE, monitors.c.workflow_started_at.is_not(None), last_report < since)
        )
        return await self._database.scalars(query)

    async def unwatched(self, now: datetime, *, after: timedelta) -> list[str]:
        """Return the ids of monitors whose stream is live and of which nothing came for so long.

        Of a stream that is checked more rarely, that is as long as its coverage allows.
        """
        heard_at = func.coalesce(
            monitor_stats.c.as_of, monitors.c.reported_at, type_=monitors.c.reported_at.type
        )
        interval_sec = monitors.c.config["check_interval_sec"].as_float()
        query = (
            select(monitors.c.monitor_id, heard_at, interval_sec)
            .select_from(MONITORS_WITH_STATS)
            .where(monitors.c.status == MonitorStatus.MONITORING, heard_at < now - after)
        )
        return [
            monitor_id
            for monitor_id, at, interval_sec in await self._database.rows(query)
            if now - at > max(after, longest_pause(interval_sec))
        ]

    async def missing_ids(self, monitor_ids: Iterable[str]) -> list[str]:
        """Return those of `monitor_ids` that belong to no monitor, active or ended."""
        monitor_id, wanted = monitors.c.monitor_id, set(monitor_ids)
        rows = await self._database.rows_among(select(monitor_id), monitor_id, wanted)
        return sorted(wanted.difference(row.monitor_id for row in rows))

    async def remove(self, old: Removable, before: datetime, limit: int) -> int:
        """Remove up to `limit` rows that ended before then, as one transaction; return how many."""
        # Who ended before then began before then: the index of beginnings finds them.
        began = old.ended if old.began is None else old.began
        key = old.table.primary_key.columns
        first = (
            select(*key)
            .where(began < before, old.ended < before, ~old.stays)
            .order_by(began)
            .limit(limit)
        )
        return await self._database.write_one(delete(old.table).where(tuple_(*key).in_(first)))
