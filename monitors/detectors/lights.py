"""Black in which something lives is none: candles, lights that move, titles that change."""

from pydantic import BaseModel

from monitors.measurement import Interval, SegmentMeasurement

ALIVE_SEC = 10.0
"""Lights that changed this long ago may do so again: a title is read for less."""


class Lights(BaseModel):
    """What lights the dark.

    Attributes:
        alive_sec: how much longer what comes next counts as alive.
    """

    alive_sec: float = 0.0

    def alive(self, measurement: SegmentMeasurement) -> list[Interval]:
        """Return which parts of a segment are alive, and remember that for the next."""
        end_sec = measurement.duration_sec
        found, alive_until = list[Interval](), self.alive_sec
        if alive_until > 0:
            found.append(Interval(start=0.0, end=min(alive_until, end_sec)))
        for at in measurement.lights_change:
            if at > alive_until or not found:
                found.append(Interval(start=at, end=min(at + ALIVE_SEC, end_sec)))
            else:
                joined = Interval(start=found[-1].start, end=min(at + ALIVE_SEC, end_sec))
                found[-1] = joined
            alive_until = at + ALIVE_SEC
        self.alive_sec = max(0.0, alive_until - end_sec)
        return found

    def skip(self, duration_sec: float) -> None:
        """Let stream time pass over media of unknown condition."""
        self.alive_sec = max(0.0, self.alive_sec - duration_sec)
