"""A dead man's switch: calls an address of the operator every minute while all is well.

A service outside raises the alarm when the calls stop, so it does so even when nothing here runs.
Each gateway calls: the calls go on while one of them lives.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from api.health import READY, HealthChecks
from api.metrics import GatewayMetrics
from api.store import Store, StoreUnavailable

PING_EVERY_SEC: Final = 60.0
UNWATCHED_AFTER: Final = timedelta(minutes=2)
"""A watch reports at least once a minute, unless its checks are rarer, and a new worker takes a
lost one over within seconds."""

Ping = Callable[[], Awaitable[None]]  # calls the address; raises `PingFailed`
_log = structlog.get_logger(__name__)


class PingFailed(Exception):
    """The address did not answer with a success. It is a secret, so the message lacks it."""


@dataclass(frozen=True)
class HeartbeatPing:
    """Decides each minute whether to call; without an address there is no `ping`."""

    ping: Ping | None
    store: Store
    health: HealthChecks
    metrics: GatewayMetrics
    now: Callable[[], datetime]
    _: KW_ONLY
    every_sec: float = PING_EVERY_SEC

    async def work(self) -> None:
        while self.ping:
            await asyncio.sleep(self.every_sec)
            try:
                outcome = await self._outcome(self.ping)
            except Exception:  # a defect must not stop the calls for good
                _log.exception("heartbeat ping failed")
                outcome = "failed"
            self.metrics.heartbeat_pings.labels(outcome).inc()

    async def _outcome(self, ping: Ping) -> str:
        """Call the address if all is well; return `sent`, `withheld` or `failed`."""
        if problem := await self._problem():
            _log.warning("heartbeat ping withheld", problem=problem)
            return "withheld"
        try:
            await ping()
        except PingFailed as error:
            _log.warning("heartbeat ping failed", error=str(error))
            return "failed"
        return "sent"

    async def _problem(self) -> str | None:
        readiness = await self.health.readiness.get()
        if readiness.status != READY:
            return ", ".join(f"{part}: {said}" for part, said in readiness.checks.items())
        try:
            unwatched = await self.store.reconciliation.unwatched(self.now(), after=UNWATCHED_AFTER)
        except StoreUnavailable:
            return "database: not reachable"
        return f"live streams that nobody watches: {len(unwatched)}" if unwatched else None
