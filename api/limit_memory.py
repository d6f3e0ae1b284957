"""Moving windows in memory, at the cost of a few list operations each.

The memory of `limits` has a task tidy up at each request, with a thread for each key it knows.
"""

import time
from collections import defaultdict, deque
from typing import Final

from limits.aio.storage import MemoryStorage

SWEEP_SEC: Final = 60.0


class WindowMemory(MemoryStorage):
    """Keeps when each of a key's requests came."""

    STORAGE_SCHEME = ["async+windows"]

    def __init__(self) -> None:
        super().__init__()
        self.windows: defaultdict[str, deque[float]] = defaultdict(deque)
        self._swept_at = time.time()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.time()
        self._sweep(now, expiry)
        window = self.windows[key]
        while window and window[0] <= now - expiry:
            window.popleft()
        if len(window) + amount > limit:
            return False
        window.extend([now] * amount)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        since = time.time() - expiry
        window = [each for each in self.windows.get(key, ()) if each > since]
        return (window[0], len(window)) if window else (time.time(), 0)

    async def clear(self, key: str) -> None:
        self.windows.pop(key, None)

    def _sweep(self, now: float, expiry: int) -> None:
        """Forget who has not come for long; a clock that was set back changes nothing but when."""
        if abs(now - self._swept_at) < SWEEP_SEC:
            return
        self._swept_at = now
        for key in [each for each, window in self.windows.items() if window[-1] <= now - expiry]:
            del self.windows[key]
