"""The clock of a watch."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SteadyClock:
    """A clock that starts at the wall clock's time and then advances monotonically.

    If somebody changes the wall clock while a stream is watched, no stall is reported and no wait
    gets longer. The next watch starts from the wall clock again.

    Args:
        wall: what is read once.
        steady: seconds of a clock that nobody sets.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._began = wall()
        self._steady = steady
        self._began_sec = steady()

    def __call__(self) -> datetime:
        return self._began + timedelta(seconds=self._steady() - self._began_sec)
