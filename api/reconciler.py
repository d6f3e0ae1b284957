"""Repairs what a crash or an outage left between the store and Temporal, and removes what is old.

Temporal's schedule asks one of the gateways for a round every few minutes. Besides, each gateway
does one when it starts. Every `QUICK_ROUND_SEC` it also does what somebody waits for: it starts
monitors whose start nobody confirmed, wakes destinations that have work, and gives up
evidence that never came. Every step may be done twice at once, so gateways need not know of each
other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from activities.declarations import ReconciliationReport
from api.background import attempt
from api.destinations.waker import DestinationWaker
from api.evidence.retention import EvidenceCleanup
from api.metrics import GatewayMetrics
from api.monitor_engine import MonitorEngine
from api.monitors.creation import LAUNCH_LIMIT
from api.monitors.launcher import Launcher
from api.store import Store
from api.store.reconciliation import (
    COVERAGE,
    DELIVERIES,
    EVENTS,
    IDEMPOTENCY_KEYS,
    INCIDENTS,
    MONITORS,
    QUIET_SPANS,
    SILENCES,
    Removable,
)
from monitors.random_ids import is_monitor_id

QUICK_ROUND_SEC: Final = 15
STALE_AFTER: Final = timedelta(minutes=2)
IDEMPOTENCY_KEYS_KEPT: Final = timedelta(days=1)
MAX_LAUNCHES: Final = 500
REMOVAL_BATCH: Final = 500
MAX_REMOVAL_BATCHES: Final = 20
INTERRUPTED: Final = "reconciling interrupted"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciler:
    store: Store
    engine: MonitorEngine
    launcher: Launcher
    waker: DestinationWaker
    evidence: EvidenceCleanup
    metrics: GatewayMetrics
    _: KW_ONLY
    retention: timedelta
    now: Callable[[], datetime]

    async def run_round(self) -> ReconciliationReport:
        """Compare everything and return what was repaired.

        Raises:
            EngineUnavailable, StoreUnavailable: one of them does not answer; what is repaired
                stays so, the next round goes on.
        """
        report = ReconciliationReport(
            started=await self.start_unconfirmed(),
            ended=await self._end_closed(),
            stopped=await self._stop_orphans(),
            forgotten_monitors=await self._remove(MONITORS),
            forgotten_events=await self._remove(EVENTS),
        )
        await self.evidence.remove_old()
        for old in (INCIDENTS, COVERAGE, QUIET_SPANS, DELIVERIES, SILENCES):
            await self._remove(old)
        await self._remove(IDEMPOTENCY_KEYS, kept=IDEMPOTENCY_KEYS_KEPT)
        await self.waker.start_missing()
        self.metrics.reconciled(report, self.now())
        _log.info("reconciled", **report.model_dump())
        return report

    async def start_unconfirmed(self) -> int:
        """Start monitors whose workflow nobody confirmed; return how many."""
        pending = await self.store.reconciliation.unconfirmed(
            created_before=self.now() - LAUNCH_LIMIT, limit=MAX_LAUNCHES
        )
        for record in pending:
            _log.info("starting again", monitor_id=record.monitor_id)
            await self.launcher.launch(record)
        return len(pending)

    async def work(self) -> None:
        await self._retry(self.engine.schedule_reconciliation)
        await self._retry(self.run_round)
        while True:
            await asyncio.sleep(QUICK_ROUND_SEC)
            await attempt(self.start_unconfirmed(), INTERRUPTED)
            await attempt(self.waker.wake_waiting(), INTERRUPTED)
            await attempt(self.evidence.fail_lost(), INTERRUPTED)

    async def _retry(self, step: Callable[[], Awaitable[object]]) -> None:
        while not await attempt(step(), INTERRUPTED):
            await asyncio.sleep(QUICK_ROUND_SEC)

    async def _end_closed(self) -> int:
        """Give monitors the end of their workflow, so that they do not count as active.

        A workflow reports its end before it closes: a closed one with an active row never will.
        """
        stale = await self.store.reconciliation.stale(since=self.now() - STALE_AFTER)
        running = await self.engine.running() if stale else set()
        ends = [await self._adopt_end(one) for one in stale if one not in running]
        return sum(ends)

    async def _adopt_end(self, monitor_id: str) -> bool:
        end = await self.engine.outcome(monitor_id)
        if end is None:  # the list of those that run is a little behind
            return False
        _log.warning("workflow ended without a report", monitor_id=monitor_id, status=end.status)
        await self.store.monitors.finish(
            monitor_id,
            end.status,
            self.now(),
            error=(end.error_reason, end.error_message),
        )
        await self.waker.wake_about(monitor_id)
        return True

    async def _stop_orphans(self) -> int:
        """Stop workflows without a row, of those that were started for this database.

        A row is written before its workflow starts. So the workflows are listed first: those that
        another gateway starts meanwhile have their row by the time the rows are read.
        """
        running = {one for one in await self.engine.running_of_ours() if is_monitor_id(one)}
        orphans = await self.store.reconciliation.missing_ids(running)
        for monitor_id in orphans:
            _log.warning("workflow without a monitor", monitor_id=monitor_id)
            await self.engine.cancel(monitor_id)
        return len(orphans)

    async def _remove(self, old: Removable, *, kept: timedelta | None = None) -> int:
        """Remove what is past its time; what does not fit into one round is left for the next."""
        before = self.now() - (kept or self.retention)
        total = 0
        for _ in range(MAX_REMOVAL_BATCHES):
            removed = await self.store.reconciliation.remove(old, before, REMOVAL_BATCH)
            total += removed
            if removed < REMOVAL_BATCH:
                break
            await asyncio.sleep(0)
        return total
