"""The budget of one egress address: what all monitors of a worker share.

The site counts requests by address. Retrying through a bot check or a rate limit prolongs it for
every monitor, so one such answer pauses all of them.
"""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

PAUSES_SEC = (15 * 60.0, 30 * 60.0, 60 * 60.0)
URGENT_IN_A_ROW = 5
PATIENCE_SEC = 40.0
AT_ONCE = 2


@dataclass(frozen=True)
class Pause:
    """Why nothing is asked for so long, and until when on the budget's clock."""

    reason: str
    length_sec: float
    until: float


@dataclass(kw_only=True)
class Budget:
    """A token bucket that says when the next look may begin. Pure: times are of any steady clock.

    It is kept as the moment at which all that was charged is paid for: up to `burst_requests` may
    be paid for later than they are made. A refusal empties it, so that the looks that waited for
    the end of a pause come one by one.

    A look makes several requests, and what counts for the site is these. So each look is charged
    what it is expected to make when it begins, and what it did make when it is over.

    Attributes:
        interval_sec: time between two requests, on average.
        burst_requests: requests that may be made at once after a time without any.
        pauses_sec: how long the first, second, ... refusal in a row pauses all; the last repeats.
    """

    interval_sec: float = 2.0
    burst_requests: int = 0
    pauses_sec: tuple[float, ...] = PAUSES_SEC
    _paid_at: float = field(default=float("-inf"))
    _refusals: int = 0
    _pause: Pause | None = None
    _refused_at: float = field(default=float("-inf"))

    def wait_sec(self, now: float) -> float:
        """Return how long the next look must still wait, a pause left aside."""
        return max(0.0, self._paid_at - self._burst_sec - now)

    def begin(self, now: float, requests: int) -> None:
        """Charge a look that begins and is expected to make so many requests."""
        self._paid_at = max(now, self._paid_at) + requests * self.interval_sec

    def correct(self, requests: int) -> None:
        """Charge so many requests more, or when negative, give them back."""
        self._paid_at += requests * self.interval_sec

    def pause_at(self, now: float) -> Pause | None:
        """Return the pause that holds at `now`."""
        return self._pause if self._pause and now < self._pause.until else None

    def refused(self, reason: str, *, began: float, now: float) -> None:
        """Note a bot check or a rate limit: pause.

        A look that began before the last refusal came in says nothing new, and lengthens nothing.
        """
        if began < self._refused_at:
            return
        length_sec = self.pauses_sec[min(self._refusals, len(self.pauses_sec) - 1)]
        self._refusals += 1
        self._refused_at = now
        self._pause = Pause(reason, length_sec, now + length_sec)
        self._paid_at = max(self._paid_at, self._pause.until + self._burst_sec)

    @property
    def _burst_sec(self) -> float:
        return self.burst_requests * self.interval_sec

    def granted(self, *, began: float) -> None:
        """Note that the site answered: the next refusal is a first one again."""
        if began >= self._refused_at:
            self._refusals = 0


@dataclass(frozen=True, kw_only=True)
class EgressSnapshot:
    """Counters of one egress, for metrics.

    Attributes:
        looks: begun since the start.
        requests: HTTP requests of these, as far as they are known.
        outcomes: looks by what they saw (`live`, `upcoming`, `bot_check`, ...).
        waiting: looks that wait for their turn.
        paused_until: None when nothing is paused.
    """

    looks: int
    requests: int
    outcomes: dict[str, int]
    waiting: int
    paused_until: datetime | None
    pause_reason: str | None


class BudgetExhausted(Exception):
    """A look cannot be made at present."""


class EgressBusy(BudgetExhausted):
    """A patient look waited too long for its turn."""


class EgressPaused(BudgetExhausted):
    """Nothing is asked at present.

    Attributes:
        reason: why.
        length_sec: of the whole pause.
        remaining_sec: of it.
    """

    def __init__(self, reason: str, *, length_sec: float, remaining_sec: float) -> None:
        super().__init__(f"paused for {remaining_sec:.0f} s: {reason}")
        self.reason = reason
        self.length_sec = length_sec
        self.remaining_sec = remaining_sec


@dataclass(frozen=True)
class Turn:
    """A look that may be made.

    Attributes:
        began: when, on the budget's clock.
        charged: requests that it is expected to make.
    """

    began: float
    charged: int


class _Line:
    """Those that wait for a turn, as a priority queue.

    They are served in the order in which they came, but a patient look lets `URGENT_IN_A_ROW`
    priority ones that came after it go first: so waiting streams are looked at even while many
    others are in trouble.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, asyncio.Event]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    def first(self) -> asyncio.Event:
        """Return whose turn is next."""
        return min(self._waiting, key=lambda each: each[0])[1]

    def wake(self) -> None:
        """Have whoever is next see whether it is time."""
        if self:
            self.first().set()

    @contextlib.contextmanager
    def place(self, *, patient: bool) -> Iterator[asyncio.Event]:
        """Stand in line; the event is set when this may be the first."""
        rank = next(self._numbers) + (URGENT_IN_A_ROW + 0.5 if patient else 0.0)
        place = (rank, asyncio.Event())
        self._waiting.append(place)
        try:
            yield place[1]
        finally:
            self._waiting.remove(place)
            self.wake()


class Egress:
    """Hands out turns to look, the priority ones first.

    Args:
        budget: says when; by default one request in 2 s.
        at_once: looks that may be under way; with more begun, they would wait behind each other
            where nobody gives up, and priority ones behind patient ones.
        patience_sec: a patient look that waited so long gives up, so that whoever wants it hears of
            that before somebody takes it for hung.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        *,
        at_once: int = AT_ONCE,
        patience_sec: float = PATIENCE_SEC,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._budget = budget or Budget()
        self._at_once = at_once
        self._patience_sec = patience_sec
        self._clock = clock
        self._sleep = sleep
        self._line = _Line()
        self._under_way = 0
        self._looks = 0
        self._requests = 0
        self._outcomes: Counter[str] = Counter()

    def patience_ends(self) -> float:
        """Return when a patient look that is wanted now gives up, on the event loop's clock."""
        return asyncio.get_running_loop().time() + self._patience_sec

    async def begin(self, requests: int, *, until: float | None = None) -> Turn:
        """Wait for a turn; `end` or `abandon` takes it back.

        Args:
            requests: that the look is expected to make.
            until: for a patient look, before which others may go, what `patience_ends` returned.

        Raises:
            EgressPaused: no turn is given at present.
            EgressBusy: there was none until `until`.
        """
        try:
            async with asyncio.timeout_at(until):
                began = await self._turn(requests, patient=until is not None)
        except TimeoutError:
            raise EgressBusy("other looks went first") from None
        self._looks += 1
        return Turn(began, requests)

    async def _turn(self, requests: int, *, patient: bool) -> float:
        with self._line.place(patient=patient) as waiter:
            while True:
                self._refuse_when_paused()
                wait_sec = self._budget.wait_sec(self._clock())
                if self._line.first() is not waiter or self._under_way >= self._at_once:
                    waiter.clear()
                    await waiter.wait()
                elif wait_sec:
                    # In steps: a look that ends may give back or take what it was not charged.
                    await self._sleep(min(wait_sec, self._budget.interval_sec))
                else:
                    self._under_way += 1
                    self._budget.begin(self._clock(), requests)
                    return self._clock()

    def end(self, turn: Turn, *, outcome: str, requests: int, refused: bool, seen: bool) -> None:
        """Note how a look ended.

        Args:
            turn: what `begin` returned.
            outcome: a word of a small set.
            requests: HTTP requests made; 0 when that is not told, and what was expected counts.
            refused: it met a bot check or a rate limit.
            seen: it saw the state of the video.
        """
        self.abandon()
        self._outcomes[outcome] += 1
        self._requests += requests
        self._budget.correct((requests or turn.charged) - turn.charged)
        if refused:
            self._budget.refused(outcome, began=turn.began, now=self._clock())
        elif seen:
            self._budget.granted(began=turn.began)

    def abandon(self) -> None:
        """Let the next one have the turn of a look that came to no end; what it cost is unknown."""
        self._under_way -= 1
        self._line.wake()

    def paused(self) -> EgressPaused | None:
        """Return what whoever asked for a turn now would meet; None when nothing is paused."""
        now = self._clock()
        pause = self._budget.pause_at(now)
        if pause is None:
            return None
        remaining_sec = pause.until - now
        return EgressPaused(pause.reason, length_sec=pause.length_sec, remaining_sec=remaining_sec)

    def snapshot(self) -> EgressSnapshot:
        """Return the counters."""
        now = self._clock()
        pause = self._budget.pause_at(now)
        return EgressSnapshot(
            looks=self._looks,
            requests=self._requests,
            outcomes=dict(self._outcomes),
            waiting=len(self._line),
            paused_until=datetime.now(UTC) + timedelta(seconds=pause.until - now)
            if pause
            else None,
            pause_reason=pause.reason if pause else None,
        )

    def _refuse_when_paused(self) -> None:
        if paused := self.paused():
            raise paused
