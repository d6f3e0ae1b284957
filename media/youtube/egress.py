"""The budget of one egress address: what all monitors of a worker share.

The site counts requests by address. Retrying through a bot check or a rate limit prolongs it for
every monitor, so one such answer pauses all of them.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

PAUSES_SEC = (15 * 60.0, 30 * 60.0, 60 * 60.0)


@dataclass(frozen=True)
class Pause:
    """Why nothing is asked at present, and until when on the budget's clock."""

    reason: str
    until: float


@dataclass(kw_only=True)
class Budget:
    """When the next look may begin. Pure: times are seconds of any steady clock.

    Attributes:
        interval_sec: least time between the beginnings of two looks.
        pauses_sec: how long the first, second, ... refusal in a row pauses all; the last repeats.
    """

    interval_sec: float = 2.0
    pauses_sec: tuple[float, ...] = PAUSES_SEC
    _free_at: float = 0.0
    _refusals: int = 0
    _pause: Pause | None = None
    _refused_at: float = field(default=float("-inf"))

    def wait_sec(self, now: float) -> float:
        """Return how long the next look must still wait, a pause left aside."""
        return max(0.0, self._free_at - now)

    def begin(self, now: float) -> None:
        """Note that a look begins."""
        self._free_at = now + self.interval_sec

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
        self._pause = Pause(reason, now + length_sec)

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


class EgressPaused(Exception):
    """Nothing is asked at present: `reason` says why, `remaining_sec` for how long."""

    def __init__(self, reason: str, remaining_sec: float) -> None:
        super().__init__(f"paused for {remaining_sec:.0f} s: {reason}")
        self.reason = reason
        self.remaining_sec = remaining_sec


class Egress:
    """Hands out turns to look, in the order in which they were asked for.

    Patient looks queue among themselves first, and only the first of them with the others: so a
    look for media, without which segments are lost, never waits for more than one of them.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._budget = budget or Budget()
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()  # serves its waiters in their order
        self._patience = asyncio.Lock()
        self._waiting = 0
        self._looks = 0
        self._requests = 0
        self._outcomes: Counter[str] = Counter()

    async def begin(self, *, patient: bool = False) -> float:
        """Wait for a turn; return when it began, for `end`.

        Args:
            patient: others may go first.

        Raises:
            EgressPaused: no turn is given at present.
        """
        with self._counted():
            async with self._patience if patient else contextlib.nullcontext(), self._turn:
                self._refuse_when_paused()
                if wait_sec := self._budget.wait_sec(self._clock()):
                    await self._sleep(wait_sec)
                    self._refuse_when_paused()
                self._budget.begin(self._clock())
        self._looks += 1
        return self._clock()

    def end(self, began: float, *, outcome: str, requests: int, refused: bool, seen: bool) -> None:
        """Note how a look ended.

        Args:
            began: what `begin` returned.
            outcome: a word of a small set.
            requests: HTTP requests made.
            refused: it met a bot check or a rate limit.
            seen: it saw the state of the video.
        """
        self._outcomes[outcome] += 1
        self._requests += requests
        if refused:
            self._budget.refused(outcome, began=began, now=self._clock())
        elif seen:
            self._budget.granted(began=began)

    def pause_remaining_sec(self) -> float | None:
        """Return how long the present pause still lasts; None without one."""
        now = self._clock()
        pause = self._budget.pause_at(now)
        return pause.until - now if pause else None

    def snapshot(self) -> EgressSnapshot:
        """Return the counters."""
        now = self._clock()
        pause = self._budget.pause_at(now)
        return EgressSnapshot(
            looks=self._looks,
            requests=self._requests,
            outcomes=dict(self._outcomes),
            waiting=self._waiting,
            paused_until=datetime.now(UTC) + timedelta(seconds=pause.until - now)
            if pause
            else None,
            pause_reason=pause.reason if pause else None,
        )

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def _refuse_when_paused(self) -> None:
        now = self._clock()
        if pause := self._budget.pause_at(now):
            raise EgressPaused(pause.reason, pause.until - now)
