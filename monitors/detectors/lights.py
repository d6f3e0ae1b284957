"""Black in which something lives is none: candles, lights that move, titles that change."""

from pydantic import BaseModel

from monitors.frames import BLOCKS, lights_differ
from monitors.measurement import Interval, ReferenceFrame, SegmentMeasurement

ALIVE_SEC = 10.0
"""Lights that changed this long ago may do so again: a title is read for less."""


class Lights(BaseModel):
    """What lights the dark.

    Attributes:
        alive_sec: how much longer what comes next counts as alive.
        reference: how the dark was lit when it changed last: slow changes add up. None in light.
    """

    alive_sec: float = 0.0
    reference: ReferenceFrame | None = None

    def alive(self, measurement: SegmentMeasurement) -> list[Interval]:
        """Return which parts of a segment are alive, and remember that for the next."""
        end_sec = measurement.duration_sec
        found, alive_until = list[Interval](), self.alive_sec
        if alive_until > 0:
            found.append(Interval(start=0.0, end=min(alive_until, end_sec)))
        for at in self._changes(measurement):
            if at > alive_until or not found:
                found.append(Interval(start=at, end=min(at + ALIVE_SEC, end_sec)))
            else:
                joined = Interval(start=found[-1].start, end=min(at + ALIVE_SEC, end_sec))
                found[-1] = joined
            alive_until = at + ALIVE_SEC
        self.alive_sec = max(0.0, alive_until - end_sec)
        return found

    def _changes(self, measurement: SegmentMeasurement) -> list[float]:
        """Return when lights change, since the segments before, too."""
        if not measurement.black:
            self.reference = None
            return []
        shown, before = measurement.lights or bytes(BLOCKS), self.reference
        has_changed = before is not None and lights_differ(before, shown)
        if before is None or has_changed:
            self.reference = shown
        return [measurement.black[0].start] * has_changed + measurement.lights_change

    def skip(self, duration_sec: float) -> None:
        """Let stream time pass over media of unknown condition."""
        self.alive_sec = max(0.0, self.alive_sec - duration_sec)
