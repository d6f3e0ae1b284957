"""Whose segment is measured next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

SLOW_SEC = 3.0
"""A turn that takes longer than this, and than the segment lasts, was slow."""


@dataclass
class Pace:
    """How fast the last segment of one stream was measured."""

    is_slow: bool = False


class Turns:
    """At most `parallel` turns at once; who comes later waits, in the order of arrival.

    Streams whose segments are slow have half of the turns among them all: the others, whose
    segments take a moment each, do not have to wait for theirs. It is fair as long as each stream
    takes one turn after the other (see `media.watch.segments`).
    """

    def __init__(self, parallel: int, *, slow_sec: float = SLOW_SEC) -> None:
        self._all = asyncio.Semaphore(parallel)
        self._slow = asyncio.Semaphore(max(1, parallel // 2))
        self._slow_sec = slow_sec

    @asynccontextmanager
    async def taken(self, pace: Pace, duration_sec: float) -> AsyncIterator[None]:
        """Wait for a turn, hold it while the context is open, and note in `pace` how it went."""
        async with AsyncExitStack() as stack:
            if pace.is_slow:
                await stack.enter_async_context(self._slow)
            await stack.enter_async_context(self._all)
            clock = asyncio.get_running_loop().time
            began = clock()
            try:
                yield
            finally:
                pace.is_slow = clock() - began > max(self._slow_sec, duration_sec)
