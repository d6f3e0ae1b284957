"""Whose segment is measured next."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SLOW_SEC = 3.0
"""A turn that takes longer was slow, whatever its segment says of its duration."""

SLOW_TIMES = 20
"""A stream counts as slow for so many times what its slow turn took: turns that take long make up a
twentieth of the time at most before they are told apart."""

REFUND = 0.25
"""Seconds of a turn that a stream may use in each second without queueing behind others."""

MOST_DEBT_SEC = 30.0


@dataclass
class Pace:
    """What one stream used of the turns lately.

    Attributes:
        debt_sec: time of turns beyond its refund, when it was last noted.
        noted_at: when that was, by the event loop's clock.
        slow_until: it counts as slow until then.
    """

    debt_sec: float = 0.0
    noted_at: float = 0.0
    slow_until: float = 0.0

    def is_slow(self, at: float) -> bool:
        """Return whether it had a slow turn lately."""
        return at < self.slow_until

    def due_at(self, at: float) -> float:
        """Return when all that it used is refunded."""
        return max(at, self.noted_at + self.debt_sec / REFUND)

    def used(self, took_sec: float, at: float) -> None:
        """Note a turn that ended at `at`."""
        left_sec = (self.due_at(at) - at) * REFUND
        self.debt_sec, self.noted_at = min(left_sec + took_sec, MOST_DEBT_SEC), at
        if took_sec > SLOW_SEC:
            self.slow_until = max(self.slow_until, at + SLOW_TIMES * took_sec)


@dataclass(order=True)
class _Waiting:
    """Somebody who waits for a turn, in the order of what is due."""

    due_at: float
    number: int
    is_slow: bool = field(compare=False)
    turn: "asyncio.Future[None]" = field(compare=False)


class DecodeSlots:
    """At most `parallel` turns at once.

    A stream queues as if it had come later, by what it used of turns lately: who used little waits
    for few. As a turn cannot be taken back, streams that had a slow one have half of the turns
    among them all, so that the others, whose segments take a moment each, do not have to wait for
    theirs. What a segment says of its duration counts for nothing. It is fair as long as each
    stream takes one turn after the other (see `media.watching.segment_prober`).

    Args:
        parallel: turns at once.
        clock: seconds that only grow; by default the event loop's.
    """

    def __init__(self, parallel: int, *, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._free = parallel
        self._free_for_slow = max(1, parallel // 2)
        self._numbers = itertools.count()
        self._quick: list[_Waiting] = []
        self._slow: list[_Waiting] = []

    @asynccontextmanager
    async def taken(self, pace: Pace) -> AsyncIterator[None]:
        """Wait for a turn, hold it while the context is open, and note in `pace` how it went."""
        is_slow = pace.is_slow(self._now())
        await self._turn(pace, is_slow=is_slow)
        began = self._now()
        try:
            yield
        finally:
            ended = self._now()
            pace.used(ended - began, ended)
            self._give_back(is_slow=is_slow)

    async def _turn(self, pace: Pace, *, is_slow: bool) -> None:
        turn = asyncio.get_running_loop().create_future()
        waiting = _Waiting(pace.due_at(self._now()), next(self._numbers), is_slow, turn)
        heapq.heappush(self._slow if is_slow else self._quick, waiting)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was given just before
                self._give_back(is_slow=is_slow)
            raise

    def _admit(self) -> None:
        while self._free and (following := self._next()):
            self._free -= 1
            self._free_for_slow -= following.is_slow
            following.turn.set_result(None)

    def _next(self) -> _Waiting | None:
        queues = (self._quick, self._slow) if self._free_for_slow else (self._quick,)
        for queue in queues:
            while queue and queue[0].turn.done():  # it was cancelled
                heapq.heappop(queue)
        first = min((queue for queue in queues if queue), key=lambda queue: queue[0], default=None)
        return heapq.heappop(first) if first else None

    def _give_back(self, *, is_slow: bool) -> None:
        self._free += 1
        self._free_for_slow += is_slow
        self._admit()

    def _now(self) -> float:
        return self._clock() if self._clock else asyncio.get_running_loop().time()
