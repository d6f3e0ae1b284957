"""Wall time that passes, by a clock that may be set."""

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, BaseModel


class Elapsed(BaseModel):
    """The time since something began.

    It adds up steps between readings: a clock that is set back costs one step, not the whole span.

    Attributes:
        started_at: when it began.
        looked_at: when the clock was last read.
        duration_sec: time that passed between the two, except for what was left out.
    """

    started_at: AwareDatetime
    looked_at: AwareDatetime
    duration_sec: float = 0.0

    @classmethod
    def since(cls, at: datetime) -> Self:
        return cls(started_at=at, looked_at=at)

    def leave_out(self, at: datetime) -> None:
        """Pass over the time to `at`: it does not count."""
        self.looked_at = at

    def until(self, at: datetime) -> float:
        """Go on to `at` and return the seconds since the beginning."""
        self.duration_sec += max(0.0, (at - self.looked_at).total_seconds())
        self.looked_at = at
        return self.duration_sec
