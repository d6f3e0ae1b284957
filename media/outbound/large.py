"""Room for large bodies: how many of them, of all streams, are in memory at the same time.

A server that sends slowly, or stops in the middle, keeps no other stream waiting for long: a body
that has been coming for `FAIR_SEC` gives way to one that waits.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

AT_ONCE = 16
FAIR_SEC = 2.0
"""So long a body may come, however many wait: 8 MiB at 32 Mbit/s."""


class LargeBodies:
    """The room of a process, given in the order of arrival."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._coming: dict[asyncio.Timeout, float] = {}

    async def take(self) -> None:
        """Wait for room for one body."""
        self._waiting += 1
        try:
            self._make_way()
            await self._free.acquire()
        finally:
            self._waiting -= 1

    def give_back(self) -> None:
        self._free.release()

    @asynccontextmanager
    async def coming(self) -> AsyncIterator[None]:
        """Stop what is done here, by TimeoutError, when it must give way."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as limit:
            self._coming[limit] = loop.time() + FAIR_SEC
            timer = loop.call_at(self._coming[limit], self._make_way)
            try:
                yield
            finally:
                timer.cancel()
                del self._coming[limit]

    def _make_way(self) -> None:
        """Stop as many bodies as there are waiting, the oldest first, of those that had time."""
        if not self._free.locked():
            return
        now = asyncio.get_running_loop().time()
        leaving = sum(limit.when() is not None for limit in self._coming)
        late = [it for it, until in self._coming.items() if until <= now and it.when() is None]
        for limit in late[: max(0, self._waiting - leaving)]:
            limit.reschedule(now)


class Room:
    """Room for one body, from before it comes until it is read."""

    def __init__(self, bodies: LargeBodies) -> None:
        self._bodies = bodies
        self.is_taken = False

    @asynccontextmanager
    async def filling(self) -> AsyncIterator[None]:
        """Wait for the room; while the context is open, the body comes."""
        await self._bodies.take()
        self.is_taken = True
        async with self._bodies.coming():
            yield


_bodies: WeakKeyDictionary[asyncio.AbstractEventLoop, LargeBodies] = WeakKeyDictionary()
"""A limit of the process, whichever streams its bodies belong to."""


@asynccontextmanager
async def room_for_large() -> AsyncIterator[Room]:
    """Keep the room that is taken until the context ends."""
    bodies = _bodies.setdefault(asyncio.get_running_loop(), LargeBodies())
    room = Room(bodies)
    try:
        yield room
    finally:
        if room.is_taken:
            bodies.give_back()
