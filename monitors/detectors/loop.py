"""Whether a short piece of programme is shown again and again.

A loop is found by its period: at some lag from 2 to 60 s each picture is the one that was shown
that long ago, for at least one whole period in which the picture changes. A picture that stands is
no loop: it is the same at every lag.
"""

from collections.abc import Iterator
from operator import sub
from statistics import median

from pydantic import BaseModel, Field

from monitors.detectors.fault_detector import FaultDetector, FaultRule
from monitors.detectors.stream_time import Condition, SegmentPosition, Stretch, reached
from monitors.frames import SIGNATURE_BYTES, SIGNATURE_STEP_SEC
from monitors.incidents import IncidentChange
from monitors.measurement import Signatures

SHORTEST_SEC, LONGEST_SEC = 2.0, 60.0
KEPT_STEP_SEC = 0.5  # of the past, a picture this often is kept

SAME_DIFFERENCE = 1.5
"""Mean difference of the cells of two pictures that an encoder makes of one, in levels."""

SAME_SHARE = 0.15
"""Likewise as a share of the difference at the usual lag: a picture every 0.1 s meets another one
that is up to 0.05 s older."""

CHANGE_DIFFERENCE = 3.0
"""Two pictures of a period differ by this at least, or it is a still picture."""

MOST_LAGS = 32


class LoopDetector(BaseModel):
    """What is remembered of the last minute, and the lags at which it repeats itself."""

    faults: FaultDetector = Field(default_factory=FaultDetector)
    times_sec: list[float] = []  # stream time of each picture that is kept
    pictures: Signatures = b""  # their signatures, one after the other
    # how long the picture has been repeating itself, by lag in steps
    repeated_sec: dict[int, float] = {}

    def follow(
        self, signatures: bytes, position: SegmentPosition, rule: FaultRule
    ) -> list[IncidentChange]:
        if rule.threshold_sec <= 0:
            self.times_sec, self.pictures, self.repeated_sec = [], b"", {}
            return self.faults.follow([_stretch(Condition.GOOD, position)], rule)
        if self.times_sec and position.start_sec < self.times_sec[-1]:
            self.times_sec, self.pictures = [], b""
        shown = [*_split(signatures)]
        self._compare(shown, position)
        self._keep(shown, position)
        return self.faults.follow([self._found(position)], rule)

    def _compare(self, shown: list[bytes], position: SegmentPosition) -> None:
        """Add the segment to the lags at which it repeats what was shown, and drop the others."""
        differing = self._differing_by_lag(shown, position.start_sec)
        usual = median(differing.values()) if differing else 0.0
        most = max(SAME_DIFFERENCE, SAME_SHARE * usual)
        goes_on = {
            lag: since_sec + position.duration_sec
            for lag, since_sec in self.repeated_sec.items()
            if differing.get(lag, 0.0) <= most
        }
        if usual > 2 * SAME_DIFFERENCE:
            for lag, difference in differing.items():
                if difference <= most and len(goes_on) < MOST_LAGS:
                    goes_on.setdefault(lag, position.duration_sec)
        self.repeated_sec = goes_on

    def _differing_by_lag(self, shown: list[bytes], start_sec: float) -> dict[int, float]:
        """Return the mean difference between the segment and the past, by lag in steps."""
        sums: dict[int, tuple[float, int]] = {}
        for before_sec, before in zip(self.times_sec, _split(self.pictures), strict=True):
            first = round((start_sec - before_sec) / SIGNATURE_STEP_SEC)
            for number, picture in enumerate(shown):
                lag = first + number
                if SHORTEST_SEC <= lag * SIGNATURE_STEP_SEC <= LONGEST_SEC:
                    total, count = sums.get(lag, (0.0, 0))
                    sums[lag] = (total + _difference(before, picture), count + 1)
        return {lag: total / count for lag, (total, count) in sums.items()}

    def _keep(self, shown: list[bytes], position: SegmentPosition) -> None:
        times, pictures = self.times_sec, [*_split(self.pictures)]
        for number, picture in enumerate(shown):
            at_sec = position.start_sec + number * SIGNATURE_STEP_SEC
            if not times or reached(at_sec - times[-1], KEPT_STEP_SEC):
                times.append(at_sec)
                pictures.append(picture)
        end_sec = position.start_sec + position.duration_sec
        old = sum(end_sec - each > LONGEST_SEC + KEPT_STEP_SEC for each in times)
        self.times_sec, self.pictures = times[old:], b"".join(pictures[old:])

    def _found(self, position: SegmentPosition) -> Stretch:
        """Return the segment as part of a loop or not; the first one brings all before it."""
        whole = (
            (since_sec, -lag)
            for lag, since_sec in self.repeated_sec.items()
            if reached(since_sec, lag * SIGNATURE_STEP_SEC) and self._changes_within(lag)
        )
        since_sec, _ = max(whole, default=(0.0, 0))
        if not since_sec:
            return _stretch(Condition.GOOD, position)
        if self.faults.fault:
            return _stretch(Condition.FAULTY, position)
        starts_at = position.wall_clock(position.duration_sec - since_sec)
        return Stretch(Condition.FAULTY, since_sec, starts_at)

    def _changes_within(self, lag: int) -> bool:
        pictures = [*_split(self.pictures)]
        period = pictures[-max(2, round(lag * SIGNATURE_STEP_SEC / KEPT_STEP_SEC)) :]
        return any(_difference(period[0], each) >= CHANGE_DIFFERENCE for each in period)


def _stretch(condition: Condition, position: SegmentPosition) -> Stretch:
    return Stretch(condition, position.duration_sec, position.starts_at)


def _split(signatures: bytes) -> Iterator[bytes]:
    for start in range(0, len(signatures), SIGNATURE_BYTES):
        yield signatures[start : start + SIGNATURE_BYTES]


def _difference(one: bytes, other: bytes) -> float:
    total: int = sum(map(abs, map(sub, one, other)))
    return total / SIGNATURE_BYTES
