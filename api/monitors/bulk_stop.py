"""Stopping all monitors that have certain labels."""

import asyncio
from collections.abc import Sequence
from typing import Final

from api.errors import ConfirmationRequired, EngineNotAvailable, MonitorNotFound
from api.monitors.schemas import StoppedMonitors
from api.monitors.service import MonitorService
from api.store import Store
from api.store.filters import Label
from monitors.status import MonitorStatus

STOPS_AT_ONCE: Final = 20


class BulkStop:
    """Stops monitors by label, when the client knows how many."""

    def __init__(self, store: Store, monitors: MonitorService) -> None:
        self._store = store
        self._monitors = monitors
        self._slots = asyncio.Semaphore(STOPS_AT_ONCE)

    async def stop(self, labels: Sequence[Label], confirmed: int | None) -> StoppedMonitors:
        """Stop the active monitors with all of these labels; return those that it stopped.

        Raises:
            ConfirmationRequired: `confirmed` is not how many there are; none was stopped.
            EngineNotAvailable: Temporal cannot be reached; some may have been stopped.
        """
        wanted = await self._store.monitors.active_ids(labels)
        if confirmed != len(wanted):
            raise ConfirmationRequired(len(wanted))
        outcomes = await asyncio.gather(*map(self._stop, wanted))
        stopped = [each for each, is_stopped in zip(wanted, outcomes, strict=True) if is_stopped]
        if None in outcomes:
            raise EngineNotAvailable(
                f"Temporal cannot be reached, {len(stopped)} of {len(wanted)} monitors were "
                "stopped; try again later"
            )
        return StoppedMonitors(stopped=stopped)

    async def _stop(self, monitor_id: str) -> bool | None:
        """Return whether the monitor is stopped now, None when Temporal cannot be reached."""
        try:
            async with self._slots:
                record = await self._monitors.end(monitor_id)
        except EngineNotAvailable:
            return None
        except MonitorNotFound:  # it was removed meanwhile
            return False
        return record.status is MonitorStatus.STOPPED
