"""Wakes the workflows of destinations when there is something for them to do."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from api.background import attempt
from api.monitor_engine import MonitorEngine
from api.store import Store, StoreUnavailable

PAUSE_SEC: Final = 0.2
"""Between two signals to one destination: what happens meanwhile is one signal."""

_log = structlog.get_logger(__name__)


class DestinationWaker:
    """Sends signals beside the requests that cause them.

    A lost one costs seconds: every gateway looks for destinations with something that waits.
    """

    def __init__(self, store: Store, engine: MonitorEngine) -> None:
        self._store = store
        self._engine = engine
        self._wanted: dict[str, bool] = {}
        self._wakers: dict[str, asyncio.Task[None]] = {}

    def wake(self, destination_ids: Iterable[str]) -> None:
        """Have destinations ask what is due, unless they are busy and will ask anyway."""
        for destination_id in destination_ids:
            self._want(destination_id, interrupt=False)

    def interrupt(self, destination_id: str) -> None:
        """Have a destination stop what it tries, and ask what is due."""
        self._want(destination_id, interrupt=True)

    async def wake_waiting(self) -> int:
        """Wake the destinations for which something waits; return how many that are."""
        waiting = await self._store.deliveries.waiting_destinations()
        self.wake(waiting)
        return len(waiting)

    async def wake_about(self, monitor_id: str) -> None:
        """Wake the destinations for which something of this monitor waits, if that can be known."""
        try:
            self.wake(await self._store.deliveries.waiting_destinations(monitor_id=monitor_id))
        except StoreUnavailable as error:
            _log.warning("destinations not woken", monitor_id=monitor_id, error=str(error))

    async def start_missing(self) -> None:
        """Have a workflow for each destination: somebody may have terminated one."""
        for destination_id in await self._store.destinations.ids():
            await self._engine.start_destination(destination_id)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Send no more signals after the context."""
        try:
            yield
        finally:
            tasks = list(self._wakers.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _want(self, destination_id: str, *, interrupt: bool) -> None:
        self._wanted[destination_id] = interrupt or self._wanted.get(destination_id, False)
        if destination_id not in self._wakers:
            self._wakers[destination_id] = asyncio.create_task(self._run(destination_id))

    async def _run(self, destination_id: str) -> None:
        try:
            while destination_id in self._wanted:
                interrupt = self._wanted.pop(destination_id)
                signalling = self._signal(destination_id, interrupt=interrupt)
                await attempt(signalling, "destination not woken", destination_id=destination_id)
                await asyncio.sleep(PAUSE_SEC)
        finally:
            del self._wakers[destination_id]

    async def _signal(self, destination_id: str, *, interrupt: bool) -> None:
        # Asked after the rows were committed: who is busy now reads them when it asks again.
        if interrupt or await self._store.deliveries.is_idle(destination_id):
            await self._engine.wake_destination(destination_id, interrupt=interrupt)
        else:
            await self._engine.start_destination(destination_id)
