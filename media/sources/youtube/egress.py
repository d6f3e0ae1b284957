"""The request budget of one egress address, which all monitors of a worker share.

The site counts requests by address. Retrying through a bot check or a rate limit prolongs it for
every monitor, so one such answer pauses all of them.
"""

import asyncio
import heapq
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

PAUSES_SEC = (15 * 60.0, 30 * 60.0, 60 * 60.0)
"""How long the first, second, ... refusal in a row pauses all polls; the last repeats."""

PRIORITY_IN_A_ROW = 5
"""Polls with priority that go before a background poll which came earlier."""


class BudgetExhausted(Exception):
    """A poll cannot be made at present."""


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


@dataclass(frozen=True, kw_only=True)
class EgressSnapshot:
    """Counters for metrics: polls begun, their HTTP requests as far as known, what they saw."""

    looks: int
    requests: int
    outcomes: dict[str, int]
    waiting: int
    paused_until: datetime | None
    pause_reason: str | None


@dataclass(order=True)
class _Waiter:
    rank: float
    requests: int = field(compare=False)
    lease: "asyncio.Future[Lease]" = field(compare=False)


class Egress:
    """A token bucket with a queue: leases polls in the order in which they are asked for.

    Background polls let a few with priority that came later go first, so a waiting stream is looked
    at even while many others have trouble.

    Args:
        interval_sec: time between two requests, on average.
        burst_requests: requests that may be made at once after a time without any.
        at_once: polls that are made at once; with more, they wait where nobody gives up.
        clock: steady, in seconds.
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
        self._interval_sec = interval_sec
        self._burst_sec = burst_requests * interval_sec
        self._pauses_sec = pauses_sec
        self._free = at_once
        self._clock = clock
        self._paid_at = float("-inf")  # when all requests so far are paid for
        self._waiting: list[_Waiter] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._refusals = 0
        self._refused_at = self._paused_until = float("-inf")
        self._pause_reason, self._pause_sec = "", 0.0
        self._looks = self._requests = 0
        self._outcomes: Counter[str] = Counter()

    @asynccontextmanager
    async def lease(
        self, requests: int, *, give_up_at: float | None = None
    ) -> AsyncIterator[Lease]:
        """Wait for a lease, and hold it while the context is open.

        Args:
            requests: that the poll is expected to make.
            give_up_at: of a background poll, by the event loop's clock.

        Raises:
            EgressPaused: no poll is made at present.
            BudgetExhausted: there was no lease until `give_up_at`.
        """
        try:
            async with asyncio.timeout_at(give_up_at):
                lease = await self._wait(requests, is_background=give_up_at is not None)
        except TimeoutError:
            raise BudgetExhausted("other polls went first") from None
        try:
            yield lease
        finally:
            self._free += 1
            self._admit()

    def record(self, lease: Lease, outcome: str, *, requests: int, is_refused: bool) -> None:
        """Record how a poll ended: correct its charge, and pause when it was refused.

        Args:
            lease: of the poll.
            outcome: a word of a small set.
            requests: HTTP requests made; 0 when that is not known, and what was expected counts.
            is_refused: it met a bot check or a rate limit.
        """
        self._outcomes[outcome] += 1
        self._requests += requests
        self._paid_at += ((requests or lease.charged) - lease.charged) * self._interval_sec
        if is_refused and lease.began >= self._refused_at:  # else it says nothing new
            self._begin_pause(outcome)

    def forgive(self, lease: Lease) -> None:
        """Note that the site answered a poll: the next refusal is a first one again."""
        if lease.began >= self._refused_at:
            self._refusals = 0

    def pause(self) -> EgressPaused | None:
        """Return the pause that a request for a lease would meet now; None without one."""
        left_sec = self._paused_until - self._clock()
        if left_sec <= 0:
            return None
        return EgressPaused(self._pause_reason, length_sec=self._pause_sec, remaining_sec=left_sec)

    def snapshot(self) -> EgressSnapshot:
        pause = self.pause()
        until = datetime.now(UTC) + timedelta(seconds=pause.remaining_sec) if pause else None
        return EgressSnapshot(
            looks=self._looks,
            requests=self._requests,
            outcomes=dict(self._outcomes),
            waiting=sum(not each.lease.done() for each in self._waiting),
            paused_until=until,
            pause_reason=pause.reason if pause else None,
        )

    def _begin_pause(self, reason: str) -> None:
        self._pause_reason = reason
        self._pause_sec = self._pauses_sec[min(self._refusals, len(self._pauses_sec) - 1)]
        self._refusals += 1
        self._refused_at = self._clock()
        self._paused_until = self._refused_at + self._pause_sec
        # Without a burst: what waits for the end of the pause is asked at the sustained rate.
        self._paid_at = max(self._paid_at, self._paused_until + self._burst_sec)

    async def _wait(self, requests: int, *, is_background: bool) -> Lease:
        rank = next(self._numbers) + (PRIORITY_IN_A_ROW + 0.5 if is_background else 0.0)
        lease: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiter(rank, requests, lease))
        self._admit()
        try:
            return await lease
        except asyncio.CancelledError:
            if not lease.cancelled() and not lease.exception():  # it was given just before
                self._free += 1
            self._admit()
            raise

    def _admit(self) -> None:
        """Give leases to the first who wait; in a pause, refuse all of them."""
        if self._timer:
            self._timer.cancel()
        while first := self._first():
            now = self._clock()
            if pause := self.pause():
                first.lease.set_exception(pause)
            elif not self._free:
                return
            elif (wait_sec := self._paid_at - self._burst_sec - now) > 0:
                self._timer = asyncio.get_running_loop().call_later(wait_sec, self._admit)
                return
            else:
                self._free -= 1
                self._looks += 1
                self._paid_at = max(now, self._paid_at) + first.requests * self._interval_sec
                first.lease.set_result(Lease(now, first.requests))

    def _first(self) -> _Waiter | None:
        while self._waiting and self._waiting[0].lease.done():
            heapq.heappop(self._waiting)
        return self._waiting[0] if self._waiting else None
