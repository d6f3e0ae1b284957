"""The clock of a watch."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SteadyClock:
    """The wall clock as it was at the beginning, going on evenly from there.

    A clock that is set while a stream is watched makes no hour's standstill of a second, and lets
    nothing wait for an hour. The next watch begins with what the wall clock shows then.

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
