"""What the reconciler asks of the store, and what it removes, in small batches."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from api.store.database import StorePart
from api.store.records import MonitorRecord
from api.store.rows import IS_ACTIVE, MONITORS_WITH_STATS, monitor_record, with_last_report
from api.store.tables import idempotency_keys, monitor_events, monitor_stats, monitors
from monitors.coverage_log import longest_pause
from monitors.status import MonitorStatus


class ReconciliationStore(StorePart):
    """Finds monitors that may differ from Temporal, and removes old rows.

    Each removal is one transaction and returns how many rows it removed.
    """

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

    async def remove_keys(self, before: datetime, limit: int) -> int:
        """Remove up to `limit` idempotency keys from before then."""
        at = idempotency_keys.c.created_at
        return await self._database.remove_first(idempotency_keys, at < before, by=at, limit=limit)

    async def remove_monitors(self, before: datetime, limit: int) -> int:
        """Remove up to `limit` monitors that ended before then, with all that belongs to them."""
        at = monitors.c.finished_at
        return await self._database.remove_first(monitors, at < before, by=at, limit=limit)

    async def remove_events(self, before: datetime, limit: int) -> int:
        """Remove up to `limit` events from before then, of active monitors too."""
        at = monitor_events.c.created_at
        return await self._database.remove_first(monitor_events, at < before, by=at, limit=limit)
