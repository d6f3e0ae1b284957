"""How many requests a client may make: a moving window of a minute, counted per key."""

import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from api.errors import RateLimitExceeded
from runtime.settings import GatewaySettings

AUTH_FAILURES_PER_MINUTE = 30


class RequestLimits:
    """The gateway's limits. They are counted in this process: each replica has its own."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._create = RateLimitItemPerMinute(settings.rate_limit_create)
        self._read = RateLimitItemPerMinute(settings.rate_limit_read)
        self._auth_failure = RateLimitItemPerMinute(AUTH_FAILURES_PER_MINUTE)

    async def count_creation(self, client: str) -> None:
        """Count an attempt to create a monitor.

        Raises:
            RateLimitExceeded: it is one too many.
        """
        await self._count(self._create, "creations", client)

    async def count_read(self, client: str) -> None:
        """Count a read; raises as `count_creation`."""
        await self._count(self._read, "reads", client)

    async def count_stop(self, client: str) -> None:
        """Count a stop: as many as reads, but apart from them, so that polling hinders none."""
        await self._count(self._read, "stops", client)

    async def count_auth_failure(self, address: str) -> None:
        """Count a wrong key from an address; raises as `count_creation`."""
        await self._count(self._auth_failure, "wrong keys", address)

    async def _count(self, limit: RateLimitItem, what: str, client: str) -> None:
        if await self._limiter.hit(limit, what, client):
            return
        window = await self._limiter.get_window_stats(limit, what, client)
        raise RateLimitExceeded(
            f"More than {limit.amount} {what} in a minute", window.reset_time - time.time()
        )
