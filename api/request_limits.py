"""How many requests a client may make: a moving window of a minute, counted per key."""

import asyncio
import time
from collections import defaultdict, deque
from enum import StrEnum
from typing import Annotated, Final, cast

import structlog
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from prometheus_client import Counter

from api.errors import RateLimitExceeded
from api.injection import injected
from runtime.errors import StartError
from runtime.settings import GatewaySettings

SWEEP_SEC: Final = 60.0


class WindowMemory(MemoryStorage):
    """Keeps when each of a key's requests came."""

    STORAGE_SCHEME = ["async+windows"]

    def __init__(self) -> None:
        super().__init__()
        self.windows: defaultdict[str, deque[float]] = defaultdict(deque)
        self._swept_at = time.time()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.time()
        self._sweep(now, expiry)
        window = self.windows[key]
        while window and window[0] <= now - expiry:
            window.popleft()
        if len(window) + amount > limit:
            return False
        window.extend([now] * amount)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        since = time.time() - expiry
        window = [each for each in self.windows.get(key, ()) if each > since]
        return (window[0], len(window)) if window else (time.time(), 0)

    async def clear(self, key: str) -> None:
        self.windows.pop(key, None)

    def _sweep(self, now: float, expiry: int) -> None:
        """Drop idle clients; a clock set back only shifts the next sweep."""
        if abs(now - self._swept_at) < SWEEP_SEC:
            return
        self._swept_at = now
        for key in [each for each, window in self.windows.items() if window[-1] <= now - expiry]:
            del self.windows[key]


WRONG_KEYS_PER_MINUTE: Final = 30
STATUS_VIEWS_PER_MINUTE: Final = 300
PICTURES_A_READ: Final = 200  # a wall shows as many monitors, each with its picture
LOGINS_PER_MINUTE: Final = 20
PAGE_READS_PER_MINUTE: Final = 6_000
MEMORY: Final = "memory://"
STORAGE_LIMIT_SEC: Final = 1.0
STORAGE_PAUSE_SEC: Final = 5.0

_log = structlog.get_logger(__name__)


class Counted(StrEnum):
    """What is counted, each by itself."""

    CREATIONS = "creations"
    READS = "reads"
    PAGE_READS = "reads of a page"
    CHANGES = "changes"
    STOPS = "stops"
    REDELIVERIES = "redeliveries"
    PICTURES = "pictures"
    WRONG_KEYS = "wrong keys"
    STATUS_VIEWS = "views of status pages"
    LOGINS = "attempts to log in"


class RequestLimits:
    """The gateway's limits, counted in the storage that the settings name.

    While that does not answer, this process counts for itself: an outage of the storage neither
    stops the API nor opens it to everything.
    """

    def __init__(self, settings: GatewaySettings, failures: Counter) -> None:
        """Prepare to count; `failures` counts what the storage could not."""
        self._shared = _limiter(settings.rate_limit_storage)
        self._own = MovingWindowRateLimiter(WindowMemory())
        self._paused_until = 0.0
        self._failures = failures
        # Each is counted by itself: polling hinders nobody's stop.
        self._limits = dict.fromkeys(Counted, RateLimitItemPerMinute(settings.rate_limit_read)) | {
            Counted.CREATIONS: RateLimitItemPerMinute(settings.rate_limit_create),
            Counted.PICTURES: RateLimitItemPerMinute(PICTURES_A_READ * settings.rate_limit_read),
            Counted.PAGE_READS: RateLimitItemPerMinute(PAGE_READS_PER_MINUTE),
            Counted.STATUS_VIEWS: RateLimitItemPerMinute(STATUS_VIEWS_PER_MINUTE),
            Counted.WRONG_KEYS: RateLimitItemPerMinute(WRONG_KEYS_PER_MINUTE),
            Counted.LOGINS: RateLimitItemPerMinute(LOGINS_PER_MINUTE),
        }

    async def close(self) -> None:
        storage = self._shared.storage
        if isinstance(storage, RedisStorage) and isinstance(storage.bridge, RedispyBridge):
            await storage.bridge.storage.aclose()

    async def count(self, what: Counted, who: str) -> None:
        """Count a request of `who`, a client or an address; raises RateLimitExceeded."""
        limit = self._limits[what]
        wait_sec = await self._wait_sec(limit, what, who)
        if wait_sec is not None:
            raise RateLimitExceeded(f"More than {limit.amount} {what} in a minute", wait_sec)

    async def _wait_sec(self, limit: RateLimitItem, what: str, client: str) -> float | None:
        if time.monotonic() >= self._paused_until:
            try:
                async with asyncio.timeout(STORAGE_LIMIT_SEC):
                    return await _hit(self._shared, limit, what, client)
            except (StorageError, OSError, TimeoutError) as error:
                # Not asked again for a while: every request would wait for the same outage.
                self._paused_until = time.monotonic() + STORAGE_PAUSE_SEC
                _log.warning("rate limit storage unavailable", error=repr(error.__cause__ or error))
        self._failures.inc()
        return await _hit(self._own, limit, what, client)


Limits = Annotated[RequestLimits, injected(RequestLimits)]


async def _hit(
    limiter: MovingWindowRateLimiter, limit: RateLimitItem, what: str, client: str
) -> float | None:
    """Count one; return None when it may be, else after how many seconds one may be again."""
    if await limiter.hit(limit, what, client):
        return None
    window = await limiter.get_window_stats(limit, what, client)
    wait_sec = window.reset_time - time.time()
    if wait_sec <= limit.get_expiry() + 1:
        return wait_sec
    # The clock was set back: nobody is to wait for what was counted in the future.
    await limiter.clear(limit, what, client)
    return None


def _limiter(uri: str) -> MovingWindowRateLimiter:
    if uri == MEMORY:
        return MovingWindowRateLimiter(WindowMemory())
    # The package `redis` is the client that most people know; limits would take `coredis`.
    client = {"implementation": "redispy"} if uri.startswith("redis") else {}
    try:
        storage = storage_from_string(f"async+{uri}", wrap_exceptions=True, **client)
        return MovingWindowRateLimiter(cast(Storage, storage))
    except (ConfigurationError, NotImplementedError) as error:
        reason = str(error).replace(uri, "it")  # it may carry a password
        raise StartError(f"RATE_LIMIT_STORAGE: {reason}") from None
    except (ValueError, TypeError):  # whose text repeats what it stumbled over
        raise StartError("RATE_LIMIT_STORAGE: is not the URL of a storage") from None
