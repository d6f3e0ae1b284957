"""A value that many ask for and that is made anew once a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

HOLD_SEC: Final = 1.0

T = TypeVar("T")


class Held(Generic[T]):
    """What `make` returns, or raises, for all who ask within `hold_sec`."""

    def __init__(self, make: Callable[[], Awaitable[T]], hold_sec: float = HOLD_SEC) -> None:
        self._make = make
        self._hold_sec = hold_sec
        self._made_at = 0.0
        self._making: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return the value that is held, or a new one; one that is being made is waited for."""
        if self._making is None or (self._making.done() and self._is_old()):
            self._made_at = time.monotonic()
            self._making = asyncio.create_task(self._run())
        return await asyncio.shield(self._making)

    def _is_old(self) -> bool:
        return time.monotonic() - self._made_at >= self._hold_sec

    async def _run(self) -> T:
        return await self._make()
