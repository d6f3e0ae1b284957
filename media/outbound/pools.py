"""Pools of connections, one for each origin.

httpcore's pool looks at all of its connections when a request begins and again when it ends, and
for each one that is idle it counts them all. Streams on 100 hosts made that 7 ms of CPU a request,
200 made it 27 ms. A pool that knows only one origin holds a few connections.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import httpcore

MAX_ORIGINS = 500
"""Each keeps a connection or more: streams that name a new host with each segment must not use up
what the process may open."""

Origin = tuple[bytes, bytes, int | None]


@dataclass
class _Used:
    """A pool, and when it was last asked for something, by the event loop's clock."""

    pool: httpcore.AsyncConnectionPool
    at: float

    @property
    def is_busy(self) -> bool:
        return not all(each.is_idle() or each.is_closed() for each in self.pool.connections)


class PoolPerOrigin(httpcore.AsyncConnectionPool):
    """To its client one pool; it opens no connections itself.

    Args:
        open_pool: makes the pool of one origin.
        idle_sec: an idle connection is closed after this.
        max_origins: beyond it, the least recently used one is forgotten.
    """

    def __init__(
        self,
        open_pool: Callable[[], httpcore.AsyncConnectionPool],
        *,
        idle_sec: float,
        max_origins: int = MAX_ORIGINS,
    ) -> None:
        super().__init__()
        self._open_pool = open_pool
        self._idle_sec = idle_sec
        self._max_origins = max_origins
        self._used: OrderedDict[Origin, _Used] = OrderedDict()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        await self._close_unused()
        url = request.url
        return await self._pool_of((url.scheme, url.host, url.port)).handle_async_request(request)

    @property
    def connections(self) -> list[httpcore.AsyncConnectionInterface]:
        return [each for used in self._used.values() for each in used.pool.connections]

    async def aclose(self) -> None:
        while self._used:
            _, used = self._used.popitem()
            await used.pool.aclose()

    def _pool_of(self, origin: Origin) -> httpcore.AsyncConnectionPool:
        now = asyncio.get_running_loop().time()
        used = self._used.get(origin)
        if used is None:
            used = self._used[origin] = _Used(self._open_pool(), now)
        used.at = now
        self._used.move_to_end(origin)
        return used.pool

    async def _close_unused(self) -> None:
        """Look at the two that were asked least recently: more than one request can add."""
        due = asyncio.get_running_loop().time() - self._idle_sec
        for origin, used in list(islice(self._used.items(), 2)):
            if used.at > due and len(self._used) < self._max_origins:
                return
            if used.is_busy:
                self._used.move_to_end(origin)
            else:
                del self._used[origin]
                await used.pool.aclose()
