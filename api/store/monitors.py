"""Monitors and their last reports in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart, insert_for
from api.store.filters import Label, MonitorFilter, has_labels, is_wanted
from api.store.incidents import close_incidents
from api.store.latest_pictures import latest_pictures
from api.store.monitor_records import (
    IS_ACTIVE,
    MONITORS_WITH_STATS,
    LastReport,
    MonitorRecord,
    MonitorSummary,
    lock_monitor,
    measurements,
    monitor_record,
    monitor_summary,
    with_last_report,
    with_report,
)
from api.store.tables import monitor_stats, monitors
from monitors.reports import StatusReport
from monitors.status import MonitorStatus
from workflows.messages import ChangeResult

_CONFIRM_STARTED = (
    update(monitors)
    .where(monitors.c.monitor_id == bindparam("confirmed"), IS_ACTIVE)
    .values(
        workflow_started_at=func.coalesce(
            monitors.c.workflow_started_at, bindparam("at", type_=monitors.c.created_at.type)
        )
    )
)
_SAVE_MEASUREMENTS = (
    update(monitor_stats)
    .where(
        monitor_stats.c.monitor_id == bindparam("measured"),
        monitor_stats.c.as_of <= bindparam("at", type_=monitor_stats.c.as_of.type),
        exists().where(
            monitors.c.monitor_id == bindparam("measured"),
            monitors.c.status == bindparam("is_now"),
            monitors.c.stream_status == bindparam("stream_is_now"),
            or_(
                bindparam("told_title", type_=monitors.c.title.type).is_(None),
                monitors.c.title == bindparam("told_title"),
            ),
        ),
    )
    .values(
        health=bindparam("health"),
        statistics=bindparam("statistics"),
        open_incidents=bindparam("open_incidents"),
        overall_health=bindparam("overall_health"),
        media=func.coalesce(
            bindparam("media", type_=monitor_stats.c.media.type), monitor_stats.c.media
        ),
        as_of=bindparam("at", type_=monitor_stats.c.as_of.type),
    )
)


class MonitorStore(StorePart):
    """Finds and changes monitors that exist; `InsertionStore` makes them."""

    async def find(self, monitor_id: str) -> MonitorRecord | None:
        async with self._database.read() as connection:
            return await _find(connection, monitor_id)

    async def page(
        self, wanted: MonitorFilter, *, limit: int, offset: int
    ) -> tuple[list[MonitorSummary], int]:
        matching = is_wanted(wanted)
        counting = select(func.count()).select_from(monitors).where(matching)
        async with self._database.read() as connection:
            total = await connection.scalar(counting) or 0
            rows = (await connection.execute(_page(matching, limit=limit, offset=offset))).all()
        return [monitor_summary(row) for row in rows], total

    async def summaries(self, monitor_ids: Collection[str]) -> list[MonitorSummary]:
        """Return those of these monitors that exist, in any order."""
        rows = await self._database.rows_among(_SUMMARY, monitors.c.monitor_id, monitor_ids)
        return [monitor_summary(row) for row in rows]

    async def records(self, monitor_ids: Collection[str]) -> dict[str, MonitorRecord]:
        """Return those of these monitors that exist, by their ids."""
        query, monitor_id = with_last_report(), monitors.c.monitor_id
        rows = await self._database.rows_among(query, monitor_id, monitor_ids)
        return {row.monitor_id: monitor_record(row) for row in rows}

    async def active(self, *, limit: int) -> list[MonitorSummary]:
        async with self._database.read_aside() as connection:
            query = _SUMMARY.where(IS_ACTIVE).order_by(monitors.c.created_at.desc()).limit(limit)
            return [monitor_summary(row) for row in (await connection.execute(query)).all()]

    async def on_wall(self, *, limit: int, failed_since: datetime) -> list[MonitorSummary]:
        has_failed = and_(
            monitors.c.status == MonitorStatus.ERROR, monitors.c.finished_at >= failed_since
        )
        query = _SUMMARY.where(or_(IS_ACTIVE, has_failed)).order_by(monitors.c.created_at.desc())
        return [monitor_summary(row) for row in await self._database.rows(query.limit(limit))]

    async def active_ids(self, labels: Sequence[Label]) -> list[str]:
        """Return the ids of the active monitors that have all of these labels, oldest first."""
        query = select(monitors.c.monitor_id).where(
            IS_ACTIVE, has_labels(monitors.c.monitor_id, labels)
        )
        return await self._database.scalars(query.order_by(monitors.c.monitor_id))

    async def count_by_status(self) -> dict[MonitorStatus, int]:
        query = select(monitors.c.status, func.count()).group_by(monitors.c.status)
        async with self._database.read_aside() as connection:
            rows = (await connection.execute(query)).all()
        return dict(rows)

    async def change(self, monitor_id: str, known: ChangeResult) -> None:
        """Keep a monitor's name, config and metadata, unless those of a later change are kept."""
        change = (
            update(monitors)
            .where(monitors.c.monitor_id == monitor_id, monitors.c.changes < known.changes)
            .values(
                name=known.name,
                config=known.config.model_dump(mode="json"),
                metadata=known.metadata,
                changes=known.changes,
            )
        )
        await self._database.write_one(change)

    async def set_fields(self, monitor_id: str, fields: Mapping[str, Any]) -> None:
        is_it = monitors.c.monitor_id == monitor_id
        await self._database.write_one(update(monitors).where(is_it).values(**fields))

    async def set_request_headers(self, monitor_id: str, sealed: str | None) -> None:
        await self._database.write_one(_set_headers(monitor_id, sealed))

    async def restore_request_headers(
        self, monitor_id: str, former: str | None, *, instead_of: str | None
    ) -> None:
        """Replace `instead_of` by the former headers, unless another change has replaced it."""
        is_unchanged = monitors.c.request_headers == instead_of
        await self._database.write_one(_set_headers(monitor_id, former).where(is_unchanged))

    async def confirm_started(self, monitor_id: str, at: datetime) -> bool:
        """Record that Temporal has the workflow. False: the monitor is gone or no longer active."""
        parameters = {"confirmed": monitor_id, "at": at}
        return await self._database.write_one(_CONFIRM_STARTED, parameters) == 1

    async def discard_unstarted(self, monitor_id: str) -> bool:
        """Remove a monitor that no workflow was started for. False: it has one, or has ended."""
        removal = delete(monitors).where(
            monitors.c.monitor_id == monitor_id,
            IS_ACTIVE,
            monitors.c.workflow_started_at.is_(None),
        )
        return await self._database.write_one(removal) == 1

    async def finish(
        self,
        monitor_id: str,
        status: MonitorStatus,
        at: datetime,
        *,
        stop_reason: str | None = None,
        error: tuple[str | None, str | None] = (None, None),
    ) -> MonitorRecord | None:
        """Give an active monitor its final status; return what is true afterwards.

        A monitor that ended already keeps its status, time and reason. `error` is its reason and
        message.
        """
        reason, message = error
        change = (
            update(monitors)
            .where(monitors.c.monitor_id == monitor_id, IS_ACTIVE)
            .values(
                status=status,
                finished_at=at,
                request_headers=None,
                stop_reason=stop_reason,
                error_reason=reason,
                error_message=message,
            )
        )
        async with self._database.write() as connection:
            if (await connection.execute(change)).rowcount:
                await close_incidents(connection, monitor_id, at)
            return await _find(connection, monitor_id)

    async def apply_report(
        self, monitor_id: str, report: StatusReport, now: datetime
    ) -> MonitorStatus | None:
        """Change a monitor by a worker's report and return its status; None: no such monitor.

        See `with_report`. Nearly all reports only bring new measurements: one statement.
        """
        if report.status.is_active and await self._save_measurements(monitor_id, report, now):
            return report.status
        async with self._database.write() as connection:
            await lock_monitor(connection, monitor_id)
            before = await _find(connection, monitor_id)
            if before is None:
                return None
            after = with_report(before, report, now)
            await _save(connection, before, after)
            return after.status

    async def _save_measurements(
        self, monitor_id: str, report: StatusReport, now: datetime
    ) -> bool:
        """Save measurements. False: the report brings something else new, too."""
        parameters = {
            "measured": monitor_id,
            "is_now": report.status,
            "stream_is_now": report.stream_status,
            "told_title": report.title,
            "at": min(report.as_of, now),
            **measurements(report),
        }
        return await self._database.write_one(_SAVE_MEASUREMENTS, parameters) == 1


async def _find(connection: AsyncConnection, monitor_id: str) -> MonitorRecord | None:
    query = with_last_report().where(monitors.c.monitor_id == monitor_id)
    row = (await connection.execute(query)).one_or_none()
    return monitor_record(row) if row else None


async def _save(connection: AsyncConnection, before: MonitorRecord, after: MonitorRecord) -> None:
    if after.last_report is not None and after.last_report is not before.last_report:
        await connection.execute(_save_report(connection, after.monitor_id, after.last_report))
    known = (before.status, before.reported_at, before.title)
    if (after.status, after.reported_at, after.title) != known:
        await connection.execute(
            update(monitors)
            .where(monitors.c.monitor_id == after.monitor_id)
            .values(
                status=after.status,
                stream_status=after.stream_status,
                title=after.title,
                reported_at=after.reported_at,
                finished_at=after.finished_at,
                request_headers=None if after.finished_at else monitors.c.request_headers,
                error_reason=after.error_reason,
                error_message=after.error_message,
            )
        )
    if after.finished_at and not before.finished_at:
        await close_incidents(connection, after.monitor_id, after.finished_at)


def _save_report(connection: AsyncConnection, monitor_id: str, report: LastReport) -> Any:
    values = {**measurements(report), "as_of": report.as_of}
    statement = insert_for(connection.dialect, monitor_stats)
    statement = statement.values(monitor_id=monitor_id, **values)
    return statement.on_conflict_do_update(index_elements=["monitor_id"], set_=values)


_SUMMARY = select(
    *(monitors.c[name] for name in ("monitor_id", "stream_url", "name", "title", "labels")),
    *(monitors.c[name] for name in ("status", "stream_status", "created_at")),
    *(monitor_stats.c[name] for name in ("health", "open_incidents", "media", "as_of")),
    latest_pictures.c.taken_at.label("picture_at"),
).select_from(
    MONITORS_WITH_STATS.outerjoin(
        latest_pictures, monitors.c.monitor_id == latest_pictures.c.monitor_id
    )
)


def _page(wanted: ColumnElement[bool], *, limit: int, offset: int) -> Select[Any]:
    newest_first = (monitors.c.created_at.desc(), monitors.c.monitor_id.desc())
    # The index alone says which rows make the page; only those are read.
    here = select(monitors.c.monitor_id).where(wanted).order_by(*newest_first)
    is_here = monitors.c.monitor_id.in_(here.limit(limit).offset(offset))
    return _SUMMARY.where(is_here).order_by(*newest_first)


def _set_headers(monitor_id: str, sealed: str | None) -> Update:
    is_it = monitors.c.monitor_id == monitor_id
    return update(monitors).where(is_it, IS_ACTIVE).values(request_headers=sealed)
