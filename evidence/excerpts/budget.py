"""What encoding a clip may cost. What is too costly has a shorter clip, not none."""

import time
from collections.abc import Callable

SHARE = 0.6
"""Of the limits of a job; the rest is for reading its segments, and for completing the file."""


class Budget:
    """Counts from now on."""

    def __init__(
        self,
        cpu_sec: float,
        wall_sec: float,
        *,
        cpu: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cpu, self._cpu_until = cpu, cpu() + SHARE * cpu_sec
        self._clock, self._until = clock, clock() + SHARE * wall_sec
        self.is_spent = False

    def has_more(self) -> bool:
        """Return whether encoding may go on; once it may not, it never may."""
        self.is_spent |= self._cpu() > self._cpu_until or self._clock() > self._until
        return not self.is_spent
