"""Mends what a crash or an outage left between the store and Temporal.

Every gateway runs one; all of its steps may be done twice, so they need not know of each other.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.engine import EngineUnavailable, MonitorEngine
from api.monitors.creation import LAUNCH_LIMIT
from api.monitors.launch import Launcher
from api.store import Store
from monitors.status import MonitorStatus

ROUND_SEC: Final = 15
QUIET: Final = timedelta(minutes=2)
KEYS_KEPT: Final = timedelta(days=1)
BATCH: Final = 500

_log = structlog.get_logger(__name__)


class Reconciler:
    """Compares store and Temporal, round by round."""

    def __init__(
        self,
        store: Store,
        engine: MonitorEngine,
        launcher: Launcher,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._engine = engine
        self._launcher = launcher
        self._now = now

    async def run(self) -> None:
        """Do a round every `ROUND_SEC` until cancelled."""
        while True:
            try:
                await self.round()
            except (EngineUnavailable, OSError, SQLAlchemyError) as error:
                _log.warning("reconciling interrupted", error=str(error))
            except Exception:  # a defect met once must not end the mending for good
                _log.exception("reconciling failed")
            await asyncio.sleep(ROUND_SEC)

    async def round(self) -> None:
        """Start what was not started, end what is gone, forget old keys.

        Raises:
            EngineUnavailable: Temporal does not answer; the rest waits for the next round.
        """
        await self._store.creation.forget_keys(created_before=self._now() - KEYS_KEPT)
        await self._start_unstarted()
        await self._end_vanished()

    async def _start_unstarted(self) -> None:
        pending = await self._store.monitors.unstarted(
            created_before=self._now() - LAUNCH_LIMIT, limit=BATCH
        )
        for record in pending:
            _log.info("starting again", monitor_id=record.monitor_id)
            await self._launcher.launch(record)

    async def _end_vanished(self) -> None:
        """Mark monitors whose workflow was terminated or failed, so that they hold no place.

        A workflow reports its end before it closes: a closed one with an active row never will.
        """
        for record in await self._store.monitors.quiet(since=self._now() - QUIET, limit=BATCH):
            if await self._engine.is_over(record.monitor_id):
                _log.warning("workflow vanished", monitor_id=record.monitor_id)
                await self._store.monitors.finish(
                    record.monitor_id,
                    MonitorStatus.ERROR,
                    self._now(),
                    error=("workflow_gone", "Its workflow ended without a report"),
                )
