"""Black in which something lives is none: candles, lights that move, titles that change."""

from collections.abc import Iterable

from pydantic import BaseModel

from monitors.frames import BLOCKS, lights_differ
from monitors.measurement import Interval, ReferenceFrame, SegmentMeasurement

ALIVE_SEC = 10.0  # lights that changed this long ago may do so again: a title is read for less

SETTLING_SEC = 1.0
"""Changes this soon after the dark begins are the encoder's, which sharpens what has appeared."""

APART_SEC = ALIVE_SEC  # it is the same dark on both sides of a shorter light: a title


class Lights(BaseModel):
    """What lights the dark."""

    alive_sec: float = 0.0  # how much longer what comes next counts as alive
    dark_sec: float = 0.0  # how long ago the dark began
    lit_sec: float = APART_SEC + 1  # how long ago it was dark last
    # how the dark was lit when it changed last: slow changes add up. None in light, and while the
    # dark settles.
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
        unsettled = self._unsettled(measurement)
        if not measurement.black:
            self.reference = None
            return []
        first = measurement.black[0].start
        shown, before = measurement.lights or bytes(BLOCKS), self.reference
        is_settled = not _is_within(first, unsettled)
        has_changed = is_settled and before is not None and lights_differ(before, shown)
        if before is None or has_changed or not is_settled:
            settles = not _is_within(measurement.duration_sec, unsettled)
            stands = is_settled or (settles and not measurement.lights_change)
            self.reference = shown if stands else None
        later = [at for at in measurement.lights_change if not _is_within(at, unsettled)]
        return [first] * has_changed + later

    def _unsettled(self, measurement: SegmentMeasurement) -> list[Interval]:
        """Return the beginnings of the dark, and remember it for the next segment."""
        began, dark_until, found = -self.dark_sec, -self.lit_sec, list[Interval]()
        for piece in measurement.black:
            if piece.start - dark_until > APART_SEC:
                began = piece.start
            found.append(Interval(start=began, end=began + SETTLING_SEC))
            dark_until = piece.end
        self.dark_sec = measurement.duration_sec - began
        self.lit_sec = measurement.duration_sec - dark_until
        return found

    def skip(self, duration_sec: float) -> None:
        self.alive_sec = max(0.0, self.alive_sec - duration_sec)
        self.dark_sec += duration_sec


def _is_within(at: float, intervals: Iterable[Interval]) -> bool:
    return any(each.start <= at < each.end for each in intervals)
