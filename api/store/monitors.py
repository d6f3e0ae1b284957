"""Monitors and their last reports in the database."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Update,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import Database
from api.store.records import LastReport, MonitorRecord, MonitorSummary, with_report
from api.store.tables import monitor_stats, monitors
from monitors.config import MonitorConfig
from monitors.reports import HealthReport, OpenIncident, Statistics, StatusReport
from monitors.status import ACTIVE_STATUSES, MonitorStatus, StreamStatus
from workflows.messages import ChangeResult

IDS_A_QUERY: Final = 500
# Literally as the partial index has it: with bound values SQLite would not see that it fits.
IS_ACTIVE = monitors.c.status.in_(
    [literal_column(f"'{status}'") for status in sorted(ACTIVE_STATUSES)]
)
NEW_COLUMNS: Final = (
    *("monitor_id", "stream_url", "stream_key", "callback_url", "name", "config"),
    *("metadata", "request_headers", "changes", "status", "stream_status", "created_at"),
)
"""What a new monitor has a value in."""

_CONFIRM_STARTED = (
    update(monitors)
    .where(monitors.c.monitor_id == bindparam("confirmed"), IS_ACTIVE)
    .values(
        workflow_started_at=func.coalesce(
            monitors.c.workflow_started_at, bindparam("at", type_=monitors.c.created_at.type)
        )
    )
)
_TAKE_MEASUREMENTS = (
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
        as_of=bindparam("at", type_=monitor_stats.c.as_of.type),
    )
)
_MONITORS_WITH_STATS = monitors.outerjoin(
    monitor_stats, monitors.c.monitor_id == monitor_stats.c.monitor_id
)


class MonitorStore:
    """Finds and changes monitors that exist; `CreationStore` makes them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, monitor_id: str) -> MonitorRecord | None:
        """Return a monitor with its last report, or None."""
        async with self._database.read() as connection:
            return await _find(connection, monitor_id)

    async def page(
        self, *, status: MonitorStatus | None, limit: int, offset: int
    ) -> tuple[list[MonitorSummary], int]:
        """Return up to `limit` monitors, newest first, and how many there are in all."""
        wanted = monitors.c.status == status if status else monitors.c.monitor_id.is_not(None)
        counting = select(func.count()).select_from(monitors).where(wanted)
        async with self._database.read() as connection:
            total = await connection.scalar(counting) or 0
            page = _page(wanted, total=total, limit=limit, offset=offset)
            rows = (await connection.execute(page)).all()
        return [_summary(row) for row in rows], total

    async def count_by_status(self) -> dict[MonitorStatus, int]:
        """Return how many monitors there are of each status that occurs."""
        query = select(monitors.c.status, func.count()).group_by(monitors.c.status)
        async with self._database.read_aside() as connection:
            rows = (await connection.execute(query)).all()
        return {MonitorStatus(status): count for status, count in rows}

    async def unstarted(self, *, created_before: datetime, limit: int) -> list[MonitorRecord]:
        """Return active monitors whose workflow nobody confirmed, oldest first."""
        query = (
            _with_last_report()
            .where(
                IS_ACTIVE,
                monitors.c.workflow_started_at.is_(None),
                monitors.c.created_at < created_before,
            )
            .order_by(monitors.c.created_at)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_record(row) for row in (await connection.execute(query)).all()]

    async def quiet(self, *, since: datetime) -> list[str]:
        """Return the ids of active monitors with a workflow that reported nothing since."""
        last_word = func.coalesce(
            monitor_stats.c.as_of, monitors.c.reported_at, monitors.c.workflow_started_at
        )
        query = (
            select(monitors.c.monitor_id)
            .select_from(_MONITORS_WITH_STATS)
            .where(IS_ACTIVE, monitors.c.workflow_started_at.is_not(None), last_word < since)
        )
        async with self._database.read() as connection:
            return list((await connection.scalars(query)).all())

    async def unknown(self, monitor_ids: Iterable[str]) -> list[str]:
        """Return those of `monitor_ids` that belong to no monitor, active or ended."""
        missing = set(monitor_ids)
        async with self._database.read() as connection:
            for chunk in _chunks(sorted(missing)):
                query = select(monitors.c.monitor_id).where(monitors.c.monitor_id.in_(chunk))
                missing.difference_update((await connection.scalars(query)).all())
        return sorted(missing)

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

    async def set_request_headers(self, monitor_id: str, sealed: str | None) -> None:
        """Keep other request headers of an active monitor, sealed."""
        await self._database.write_one(_set_headers(monitor_id, sealed))

    async def restore_request_headers(
        self, monitor_id: str, former: str | None, *, instead_of: str | None
    ) -> None:
        """Take `instead_of` back, unless another change has replaced it meanwhile."""
        is_unchanged = monitors.c.request_headers == instead_of
        await self._database.write_one(_set_headers(monitor_id, former).where(is_unchanged))

    async def confirm_started(self, monitor_id: str, at: datetime) -> bool:
        """Note that Temporal has the workflow. False: the monitor is gone or no longer active."""
        return (
            await self._database.write_one(_CONFIRM_STARTED, {"confirmed": monitor_id, "at": at})
            == 1
        )

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
            await connection.execute(change)
            return await _find(connection, monitor_id)

    async def apply_report(
        self, monitor_id: str, report: StatusReport, now: datetime
    ) -> MonitorStatus | None:
        """Change a monitor by a worker's report and return its status; None: no such monitor.

        See `with_report`. Nearly all reports tell new measurements and nothing else: one statement.
        """
        if report.status.is_active and await self._take_measurements(monitor_id, report, now):
            return report.status
        async with self._database.write() as connection:
            await _lock(connection, monitor_id)
            before = await _find(connection, monitor_id)
            if before is None:
                return None
            after = with_report(before, report, now)
            await _save(connection, before, after)
            return after.status

    async def _take_measurements(
        self, monitor_id: str, report: StatusReport, now: datetime
    ) -> bool:
        """Keep new measurements of a monitor of which the report tells nothing else new."""
        parameters = {
            "measured": monitor_id,
            "is_now": report.status,
            "stream_is_now": report.stream_status,
            "told_title": report.title,
            "at": min(report.as_of, now),
            **_measurements(report),
        }
        return await self._database.write_one(_TAKE_MEASUREMENTS, parameters) == 1


def _chunks(ids: list[str]) -> list[list[str]]:
    return [ids[at : at + IDS_A_QUERY] for at in range(0, len(ids), IDS_A_QUERY)]


def new_row(record: MonitorRecord) -> dict[str, Any]:
    """Return the columns of a new monitor; its last report, if any, is not among them."""
    config = record.config.model_dump(mode="json")
    return {name: getattr(record, name) for name in NEW_COLUMNS} | {"config": config}


async def insert_monitor(connection: AsyncConnection, record: MonitorRecord) -> None:
    """Add a new monitor without a look at others; its last report, if any, is not saved."""
    await connection.execute(insert(monitors).values(new_row(record)))


async def _lock(connection: AsyncConnection, monitor_id: str) -> None:
    """Make changes of one monitor follow each other; SQLite has one writer anyway."""
    await connection.execute(
        select(monitors.c.monitor_id).where(monitors.c.monitor_id == monitor_id).with_for_update()
    )


async def _find(connection: AsyncConnection, monitor_id: str) -> MonitorRecord | None:
    query = _with_last_report().where(monitors.c.monitor_id == monitor_id)
    row = (await connection.execute(query)).one_or_none()
    return _record(row) if row else None


async def _save(connection: AsyncConnection, before: MonitorRecord, after: MonitorRecord) -> None:
    if after.last_report is not None and after.last_report is not before.last_report:
        await connection.execute(_save_report(connection, after.monitor_id, after.last_report))
    changed = (after.status, after.reported_at) != (before.status, before.reported_at)
    if changed:
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


def _save_report(connection: AsyncConnection, monitor_id: str, report: LastReport) -> Any:
    values = {**_measurements(report), "as_of": report.as_of}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(monitor_stats).values(monitor_id=monitor_id, **values)
    return statement.on_conflict_do_update(index_elements=["monitor_id"], set_=values)


def _measurements(report: StatusReport | LastReport) -> dict[str, Any]:
    return {
        "health": report.health.model_dump(mode="json"),
        "statistics": report.statistics.model_dump(mode="json"),
        "open_incidents": [one.model_dump(mode="json") for one in report.open_incidents],
    }


def _with_last_report() -> Select[Any]:
    measured = (column for column in monitor_stats.c if column is not monitor_stats.c.monitor_id)
    return select(monitors, *measured).select_from(_MONITORS_WITH_STATS)


def _page(wanted: ColumnElement[bool], *, total: int, limit: int, offset: int) -> Select[Any]:
    """Return the query of a page, newest first, of `total` monitors.

    A database counts its way to an offset, so that is counted from the end that is nearer.
    """
    newest_first = (monitors.c.created_at.desc(), monitors.c.monitor_id.desc())
    oldest_first = (monitors.c.created_at, monitors.c.monitor_id)
    limit = max(0, min(limit, total - offset))
    from_the_oldest = total - offset - limit
    # The index alone says which rows make the page; only those are read.
    here = select(monitors.c.monitor_id).where(wanted)
    if from_the_oldest < offset:
        here = here.order_by(*oldest_first).offset(max(0, from_the_oldest))
    else:
        here = here.order_by(*newest_first).offset(offset)
    return (
        select(
            monitors.c.monitor_id,
            monitors.c.stream_url,
            monitors.c.name,
            monitors.c.title,
            monitors.c.status,
            monitors.c.stream_status,
            monitors.c.created_at,
            monitor_stats.c.health,
            monitor_stats.c.open_incidents,
        )
        .select_from(_MONITORS_WITH_STATS)
        .where(monitors.c.monitor_id.in_(here.limit(limit)))
        .order_by(*newest_first)
    )


def _summary(row: Row[*tuple[Any, ...]]) -> MonitorSummary:
    return MonitorSummary(
        monitor_id=row.monitor_id,
        stream_url=row.stream_url,
        name=row.name,
        title=row.title,
        status=MonitorStatus(row.status),
        stream_status=StreamStatus(row.stream_status),
        health=HealthReport.model_validate(row.health or {}),
        open_incidents=_open_incidents(row.open_incidents or []),
        created_at=row.created_at,
    )


def _record(row: Row[*tuple[Any, ...]]) -> MonitorRecord:
    return MonitorRecord(
        monitor_id=row.monitor_id,
        stream_url=row.stream_url,
        stream_key=row.stream_key,
        callback_url=row.callback_url,
        name=row.name,
        title=row.title,
        config=MonitorConfig.model_validate(row.config),
        metadata=row.metadata,
        changes=row.changes,
        status=MonitorStatus(row.status),
        stream_status=StreamStatus(row.stream_status),
        created_at=row.created_at,
        workflow_started_at=row.workflow_started_at,
        reported_at=row.reported_at,
        finished_at=row.finished_at,
        stop_reason=row.stop_reason,
        error_reason=row.error_reason,
        error_message=row.error_message,
        last_report=_last_report(row),
        request_headers=row.request_headers,
    )


def _set_headers(monitor_id: str, sealed: str | None) -> Update:
    """Return what gives an active monitor these request headers."""
    is_it = monitors.c.monitor_id == monitor_id
    return update(monitors).where(is_it, IS_ACTIVE).values(request_headers=sealed)


def _last_report(row: Row[*tuple[Any, ...]]) -> LastReport | None:
    if row.as_of is None:
        return None
    return LastReport(
        health=HealthReport.model_validate(row.health),
        statistics=Statistics.model_validate(row.statistics),
        open_incidents=_open_incidents(row.open_incidents),
        as_of=row.as_of.astimezone(UTC),
    )


def _open_incidents(kept: list[dict[str, Any]]) -> list[OpenIncident]:
    return [OpenIncident.model_validate(one) for one in kept]
