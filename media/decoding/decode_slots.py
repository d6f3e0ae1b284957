"""Whose segment is measured next."""

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SLOW_SEC = 3.0  # a segment that takes longer is slow, whatever it says of its duration
SLOW_FACTOR = 20
"""A stream counts as slow for this many times what its slow segment took: so slow segments of
streams that are not known as slow make up a twentieth of the time at most."""

REFUND_RATE = 0.25  # seconds of decoding that a stream may use in each second without queueing
MAX_DEBT_SEC = 30.0


@dataclass
class DecodeUsage:
    """How much decoding one stream used lately."""

    debt_sec: float = 0.0  # decoding beyond its refund, at `recorded_at` of the slots' clock
    recorded_at: float = 0.0
    slow_until: float = 0.0

    def is_slow(self, at: float) -> bool:
        return at < self.slow_until

    def due_at(self, at: float) -> float:
        """When all that it used is refunded."""
        return max(at, self.recorded_at + self.debt_sec / REFUND_RATE)

    def record(self, took_sec: float, at: float) -> None:
        left_sec = (self.due_at(at) - at) * REFUND_RATE
        self.debt_sec, self.recorded_at = min(left_sec + took_sec, MAX_DEBT_SEC), at
        if took_sec > SLOW_SEC:
            self.slow_until = max(self.slow_until, at + SLOW_FACTOR * took_sec)


@dataclass(order=True)
class _Waiter:
    due_at: float
    number: int
    is_slow: bool = field(compare=False)
    admitted: "asyncio.Future[None]" = field(compare=False)


class DecodeSlots:
    """Lets `parallel` streams decode at once.

    A stream queues later the more decoding time it used lately. A slot cannot be taken back, so all
    slow streams together get half of the slots: quick streams never wait for slow segments. The
    duration that a segment declares is ignored. This is fair as long as each stream takes one slot
    at a time (see `media.watching.segment_prober`).
    """

    def __init__(self, parallel: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free = parallel
        self._free_for_slow = max(1, parallel // 2)
        self._numbers = itertools.count()
        self._quick: list[_Waiter] = []
        self._slow: list[_Waiter] = []

    @asynccontextmanager
    async def slot(self, usage: DecodeUsage) -> AsyncIterator[None]:
        """Wait for a slot, hold it while the context is open, and record that in `usage`."""
        is_slow = usage.is_slow(self._clock())
        await self._wait(usage, is_slow=is_slow)
        began = self._clock()
        try:
            yield
        finally:
            ended = self._clock()
            usage.record(ended - began, ended)
            self._release(is_slow=is_slow)

    async def _wait(self, usage: DecodeUsage, *, is_slow: bool) -> None:
        admitted = asyncio.get_running_loop().create_future()
        waiter = _Waiter(usage.due_at(self._clock()), next(self._numbers), is_slow, admitted)
        heapq.heappush(self._slow if is_slow else self._quick, waiter)
        self._admit()
        try:
            await admitted
        except asyncio.CancelledError:
            if not admitted.cancelled():  # it was admitted just before
                self._release(is_slow=is_slow)
            raise

    def _admit(self) -> None:
        while self._free and (waiter := self._pop()):
            self._free -= 1
            self._free_for_slow -= waiter.is_slow
            waiter.admitted.set_result(None)

    def _pop(self) -> _Waiter | None:
        queues = (self._quick, self._slow) if self._free_for_slow else (self._quick,)
        for queue in queues:
            while queue and queue[0].admitted.done():  # it was cancelled
                heapq.heappop(queue)
        first = min((queue for queue in queues if queue), key=lambda queue: queue[0], default=None)
        return heapq.heappop(first) if first else None

    def _release(self, *, is_slow: bool) -> None:
        self._free += 1
        self._free_for_slow += is_slow
        self._admit()
