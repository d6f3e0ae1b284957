"""The slates of the gateway, as the watches of this worker look for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import structlog

from activities.gateway_client import GatewayClient, ReportRefused
from monitors.measurement import ReferenceSlates

logger = structlog.get_logger(__name__)

REFRESH_SEC = 30.0
AGAIN_SEC = 2.0


class SlateBook:
    """Keeps the gateway's slates, while any stream is watched; none are known before its answer."""

    def __init__(self, gateway: GatewayClient, *, again_sec: float = AGAIN_SEC) -> None:
        self._gateway = gateway
        self._again_sec = again_sec
        self._refreshing: asyncio.Task[None] | None = None
        self._readers = 0
        self.current: ReferenceSlates | None = None

    @asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator[None]:
        """Keep asking while at least one watch is in this context."""
        self._readers += 1
        self._refreshing = self._refreshing or asyncio.create_task(self._refresh())
        try:
            yield
        finally:
            self._readers -= 1
            if not self._readers and self._refreshing:
                self._refreshing.cancel()
                self._refreshing = None

    async def _refresh(self) -> None:
        is_away = False
        while True:
            try:
                self.current = await self._gateway.load_slates()
                is_away = False
                await asyncio.sleep(REFRESH_SEC)
            except (httpx.HTTPError, ReportRefused, ValueError) as error:
                if not is_away:
                    logger.warning("no slates", error=type(error).__name__)
                is_away = True
                await asyncio.sleep(self._again_sec)
