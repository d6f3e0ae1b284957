"""The clocks an origin can run on: the real one, a faster one, one that a test moves by hand."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time, in unix seconds, and how to wait for it."""

    def now(self) -> float:
        """Return the unix time in seconds."""

    async def sleep(self, sec: float) -> None:
        """Return when `sec` seconds of this clock have passed."""


class WallClock:
    """The real time, or `speed` times as fast from now on."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._started_at = time.time()
        self._started = time.monotonic()

    def now(self) -> float:
        return self._started_at + (time.monotonic() - self._started) * self._speed

    async def sleep(self, sec: float) -> None:
        await asyncio.sleep(sec / self._speed)


class ManualClock:
    """Stands still until somebody calls `advance`."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self._asleep = asyncio.Event()

    async def until_asleep(self) -> None:
        """Return when somebody waits for a later time."""
        await self._asleep.wait()

    @property
    def sleepers(self) -> int:
        return len(self._sleepers)

    def now(self) -> float:
        return self._now

    def advance(self, sec: float) -> None:
        self._now += sec
        for due, event in self._sleepers:
            if due <= self._now:
                event.set()

    async def sleep(self, sec: float) -> None:
        sleeper = (self._now + sec, asyncio.Event())
        if sec <= 0:
            return
        self._sleepers.append(sleeper)
        self._asleep.set()
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)
            if not self._sleepers:
                self._asleep.clear()


def as_datetime(unix_sec: float) -> datetime:
    return datetime.fromtimestamp(unix_sec, UTC)
