"""The request budget of one egress address, which all monitors of a worker share.

The site counts requests by address. Retrying through a bot check or a rate limit prolongs it for
every monitor, so one such answer pauses all of them.
"""

import asyncio
import bisect
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

PAUSES_SEC = (15 * 60.0, 30 * 60.0, 60 * 60.0)  # after the first, second, ... refusal in a row
PRIORITY_IN_A_ROW = 5  # polls with priority that go before a background poll which came earlier


class BudgetExhausted(Exception):
    pass


class EgressPaused(BudgetExhausted):
    """No poll is made at present, because of a bot check or a rate limit."""

    def __init__(self, reason: str, *, length_sec: float, remaining_sec: float) -> None:
        super().__init__(f"paused for {remaining_sec:.0f} s: {reason}")
        self.reason = reason
        self.length_sec = length_sec
        self.remaining_sec = remaining_sec


class Lease(NamedTuple):
    """Permission for one poll, which is charged the requests that it is expected to make."""

    began: float
    charged: int


class Egress:
    """A token bucket with a queue: leases polls in the order in which they are asked for.

    Background polls let a few with priority that came later go first, so a waiting stream is looked
    at even while many others have trouble.

    Args:
        interval_sec: time between two requests, on average.
        at_once: polls that are made at once; with more, they wait where nobody gives up.
    """

    def __init__(
        self,
        *,
        interval_sec: float = 2.0,
        burst_requests: int = 0,
        pauses_sec: tuple[float, ...] = PAUSES_SEC,
        at_once: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.polls = self.requests = 0
        self.outcomes: Counter[str] = Counter()  # how often polls saw what
        self._interval_sec = interval_sec
        self._burst_sec = burst_requests * interval_sec
        self._pauses_sec = pauses_sec
        self._free = at_once
        self._clock = clock
        self._paid_at = float("-inf")  # when all requests so far are paid for
        self._numbers = itertools.count()
        self._queue: list[float] = []  # ranks of those that wait
        self._changed = asyncio.Event()
        self._refusals = 0
        self._refused_at = self._paused_until = float("-inf")
        self._pause_reason, self._pause_sec = "", 0.0

    @asynccontextmanager
    async def lease(
        self, requests: int, *, give_up_at: float | None = None
    ) -> AsyncIterator[Lease]:
        """Wait for a lease, and hold it while the context is open.

        Args:
            give_up_at: of a background poll, by the event loop's clock.

        Raises:
            EgressPaused: no poll is made at present.
            BudgetExhausted: there was no lease until `give_up_at`.
        """
        try:
            async with asyncio.timeout_at(give_up_at):
                await self._wait(is_background=give_up_at is not None)
        except TimeoutError:
            raise BudgetExhausted("other polls went first") from None
        began = self._clock()
        self._paid_at = max(began, self._paid_at) + requests * self._interval_sec
        self._free -= 1
        self.polls += 1
        try:
            yield Lease(began, requests)
        finally:
            self._free += 1
            self._wake_all()

    def record(
        self, lease: Lease, outcome: str, *, requests: int, is_refused: bool, is_answered: bool
    ) -> None:
        """Record how a poll ended: correct its charge, and pause when it was refused.

        Args:
            requests: HTTP requests made; 0 when that is not known, and what was expected counts.
            is_refused: it met a bot check or a rate limit.
            is_answered: it learned what the video is: the next refusal is a first one again.
        """
        self.outcomes[outcome] += 1
        self.requests += requests
        self._paid_at += ((requests or lease.charged) - lease.charged) * self._interval_sec
        if lease.began < self._refused_at:
            return  # it says nothing new
        if is_refused:
            self._begin_pause(outcome)
        elif is_answered:
            self._refusals = 0

    def pause(self) -> EgressPaused | None:
        """Return the pause that a request for a lease would meet now; None without one."""
        left_sec = self._paused_until - self._clock()
        if left_sec <= 0:
            return None
        return EgressPaused(self._pause_reason, length_sec=self._pause_sec, remaining_sec=left_sec)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def _begin_pause(self, reason: str) -> None:
        self._pause_reason = reason
        self._pause_sec = self._pauses_sec[min(self._refusals, len(self._pauses_sec) - 1)]
        self._refusals += 1
        self._refused_at = self._clock()
        self._paused_until = self._refused_at + self._pause_sec
        # Without a burst: what waits for the end of the pause is asked at the sustained rate.
        self._paid_at = max(self._paid_at, self._paused_until + self._burst_sec)
        self._wake_all()

    async def _wait(self, *, is_background: bool) -> None:
        rank = next(self._numbers) + (PRIORITY_IN_A_ROW + 0.5 if is_background else 0.0)
        bisect.insort(self._queue, rank)
        try:
            while (wait_sec := self._wait_sec(rank)) is None or wait_sec > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_sec):
                        await self._changed.wait()
        finally:
            self._queue.remove(rank)
            self._wake_all()

    def _wait_sec(self, rank: float) -> float | None:
        """How long to wait, unless something changes; None: until something does."""
        if pause := self.pause():
            raise pause
        if self._queue[0] != rank or not self._free:
            return None
        return self._paid_at - self._burst_sec - self._clock()

    def _wake_all(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
