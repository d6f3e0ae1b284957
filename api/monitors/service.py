"""Showing and stopping monitors."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

import structlog

from api.destinations.waker import DestinationWaker
from api.errors import ConfirmationRequired, EngineNotAvailable, MonitorNotActive, MonitorNotFound
from api.injection import injected
from api.monitor_engine import EngineUnavailable, MonitorEngine
from api.monitors.schemas import (
    MAX_NAME_LENGTH,
    ListedMonitor,
    MonitorDetails,
    MonitorList,
    MonitorSettings,
    StoppedMonitor,
    StoppedMonitors,
)
from api.parameters import Pagination
from api.store import Store
from api.store.filters import Label, MonitorFilter
from api.store.monitor_records import LastReport, MonitorRecord, MonitorSummary
from monitors.random_ids import is_monitor_id
from monitors.reports import HealthReport, MediaFacts, Statistics, is_newer
from monitors.status import MonitorStatus
from workflows.messages import ChangeResult, MonitorSnapshot

STOPS_AT_ONCE: Final = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MonitorService:
    store: Store
    engine: MonitorEngine
    waker: DestinationWaker
    now: Callable[[], datetime]
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STOPS_AT_ONCE))

    async def list_monitors(
        self, wanted: MonitorFilter, *, limit: int, offset: int, with_settings: bool = False
    ) -> MonitorList:
        found, total = await self.store.monitors.page(wanted, limit=limit, offset=offset)
        listed = [_listed(one) for one in found]
        if with_settings:
            ids = [one.monitor_id for one in found]
            records = await self.store.monitors.records(ids)
            named = await self.store.destinations.of_monitors(ids)
            for one in listed:
                if record := records.get(one.monitor_id):  # else removed since the page was read
                    destinations = named.get(one.monitor_id, [])
                    one.settings = MonitorSettings(**vars(record), destinations=destinations)
        return MonitorList(
            monitors=listed,
            pagination=Pagination(total=total, limit=limit, offset=offset),
        )

    async def by_ids(self, monitor_ids: Collection[str]) -> list[ListedMonitor]:
        """Return those of these monitors that exist, in any order."""
        return [_listed(one) for one in await self.store.monitors.summaries(monitor_ids)]

    async def on_wall(self, *, limit: int, failed_since: datetime) -> list[ListedMonitor]:
        """Return active monitors and those that have ended by an error since then."""
        found = await self.store.monitors.on_wall(limit=limit, failed_since=failed_since)
        return [_listed(one) for one in found]

    async def show(self, monitor_id: str) -> MonitorDetails:
        """Return a monitor's condition: its workflow's word, if there is one, else the store's."""
        record = await self.find(monitor_id)
        snapshot = await self.engine.snapshot(monitor_id) if record.status.is_active else None
        if snapshot:
            await self._save_change(record, snapshot)
        destinations = await self.store.destinations.of_monitor(monitor_id)
        return details(record, snapshot, destinations, self.now())

    async def _save_change(self, record: MonitorRecord, snapshot: MonitorSnapshot) -> None:
        """Save a change that the workflow made without its answer reaching the store."""
        if snapshot.changes > record.changes:
            known = ChangeResult(
                name=snapshot.name,
                config=snapshot.config,
                metadata=snapshot.metadata,
                changes=snapshot.changes,
            )
            await self.store.monitors.change(record.monitor_id, known)

    async def stop(self, monitor_id: str) -> StoppedMonitor:
        """Stop a monitor; one that is stopped already stays so, with the time of then.

        Raises:
            MonitorNotActive: it ended by itself, maybe just now.
            EngineNotAvailable: Temporal cannot be reached; nothing has changed.
        """
        record = await self.end(monitor_id)
        if record.status is not MonitorStatus.STOPPED or record.finished_at is None:
            raise MonitorNotActive(f"Monitor {monitor_id} has ended already: {record.status}")
        return StoppedMonitor(
            monitor_id=monitor_id, status=record.status, stopped_at=record.finished_at
        )

    async def end(self, monitor_id: str, reason: str | None = None) -> MonitorRecord:
        """Cancel a monitor's workflow and mark it stopped; return what is true afterwards.

        The workflow is cancelled first: a row that says `stopped` is never above a running one.

        Raises:
            EngineNotAvailable: Temporal cannot be reached; nothing has changed.
        """
        record = await self.find(monitor_id)
        if not record.status.is_active:
            return record
        await self.cancel_workflow(monitor_id)
        ended = await self.store.monitors.finish(
            monitor_id, MonitorStatus.STOPPED, self.now(), stop_reason=reason
        )
        if ended is None:
            raise MonitorNotFound(monitor_id)
        await self.waker.wake_about(monitor_id)
        _log.info("monitor stopped", monitor_id=monitor_id, status=ended.status, reason=reason)
        return ended

    async def stop_labelled(
        self, labels: Sequence[Label], confirmed: int | None
    ) -> StoppedMonitors:
        """Stop the active monitors with all of these labels; return those that it stopped.

        Raises:
            ConfirmationRequired: `confirmed` is not how many there are; none was stopped.
            EngineNotAvailable: Temporal cannot be reached; some may have been stopped.
        """
        wanted = await self.store.monitors.active_ids(labels)
        if confirmed != len(wanted):
            raise ConfirmationRequired(len(wanted))
        outcomes = await asyncio.gather(*map(self._is_stopped, wanted))
        stopped = [each for each, is_stopped in zip(wanted, outcomes, strict=True) if is_stopped]
        if None in outcomes:
            raise EngineNotAvailable(
                f"Temporal cannot be reached, {len(stopped)} of {len(wanted)} monitors were "
                "stopped; try again later"
            )
        return StoppedMonitors(stopped=stopped)

    async def _is_stopped(self, monitor_id: str) -> bool | None:
        """Stop a monitor if it is active; None: Temporal cannot be reached."""
        try:
            async with self._turns:
                record = await self.end(monitor_id)
        except EngineNotAvailable:
            return None
        except MonitorNotFound:  # it was removed meanwhile
            return False
        return record.status is MonitorStatus.STOPPED

    async def cancel_workflow(self, monitor_id: str) -> None:
        """Cancel a monitor's workflow, if it runs; raises EngineNotAvailable."""
        try:
            await self.engine.cancel(monitor_id)
        except EngineUnavailable as error:
            _log.error("engine unavailable", monitor_id=monitor_id, error=str(error))
            raise EngineNotAvailable(
                "Temporal cannot be reached, the monitor was not stopped; try again later"
            ) from None

    async def find(self, monitor_id: str) -> MonitorRecord:
        record = await self.store.monitors.find(monitor_id) if is_monitor_id(monitor_id) else None
        if record is None:
            raise MonitorNotFound(monitor_id)
        return record


Monitors = Annotated[MonitorService, injected(MonitorService)]


def details(
    record: MonitorRecord,
    snapshot: MonitorSnapshot | None,
    destinations: list[str],
    now: datetime,
) -> MonitorDetails:
    """Join what the store and the workflow know.

    The probe reports its counters straight to the store, the workflow learns them only when
    something happens: measurements come from the newer of the two, all else from the workflow.
    """
    current = snapshot or record
    measured = _newest_measurements(record, snapshot, now)
    moments = [record.created_at, record.reported_at, record.finished_at, measured.as_of]
    title = (snapshot and snapshot.title) or record.title
    told = ("status", "stream_status", "config", "metadata", "error_reason", "error_message")
    media = record.last_report.media if record.last_report else None  # the workflow is not told
    return MonitorDetails(
        **vars(record)
        | {name: getattr(current, name) for name in told}
        | {"name": shown_name(current.name, title), "title": title},
        **vars(media or MediaFacts()),
        destinations=destinations,
        health=measured.health,
        statistics=measured.statistics,
        doing=snapshot.doing if snapshot else None,
        open_incidents=measured.open_incidents if current.status.is_active else [],
        source="workflow" if snapshot else "store",
        as_of=max(moment for moment in moments if moment is not None),
    )


def shown_name(name: str | None, title: str | None) -> str | None:
    return name or (title[:MAX_NAME_LENGTH] if title else None)


def _listed(monitor: MonitorSummary) -> ListedMonitor:
    shown = {
        "name": shown_name(monitor.name, monitor.title),
        "open_incidents": [one.kind for one in monitor.open_incidents if monitor.status.is_active],
        "levels": monitor.media.levels if monitor.media else None,
        "as_of": monitor.as_of or monitor.created_at,
    }
    return ListedMonitor(**vars(monitor) | shown)


def _newest_measurements(
    record: MonitorRecord, snapshot: MonitorSnapshot | None, now: datetime
) -> LastReport:
    reported = record.last_report
    if snapshot and is_newer(snapshot.as_of, reported.as_of if reported else None, now):
        return LastReport(
            snapshot.health, snapshot.statistics, snapshot.open_incidents, snapshot.as_of
        )
    return reported or LastReport(HealthReport(), Statistics(), [], record.created_at)
