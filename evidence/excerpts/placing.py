"""Where the segments of a clip lie on its timeline, which begins at 0 and has no gaps."""

from dataclasses import dataclass

JOINT_SEC = 0.5
"""Timestamps that go on within this time are the same timeline."""

SAME_TIMELINE_SEC = 2.0
"""Sound of a playlist of its own has the timestamps of the pictures (RFC 8216 6.2.4), unless they
put it this far from where its playlist's clock does."""


@dataclass(frozen=True)
class Placed:
    """A segment on the clip's timeline.

    Attributes:
        clock_sec: when its first moment was on air.
        at_sec: when it is shown in the clip.
        shift_sec: from its timestamps to the clip's.
    """

    clock_sec: float
    at_sec: float
    shift_sec: float


class Placing:
    """Places segments one behind the other, whatever their timestamps begin with."""

    def __init__(self) -> None:
        self._placed: list[Placed] = []
        self._end_sec = 0.0

    def main(self, clock_sec: float, first_sec: float, end_sec: float) -> float:
        """Place a segment whose timestamps go from `first_sec` to `end_sec`; return its shift."""
        last = self._placed[-1] if self._placed else None
        goes_on = last and abs(first_sec + last.shift_sec - self._end_sec) <= JOINT_SEC
        shift_sec = last.shift_sec if last and goes_on else self._end_sec - first_sec
        self._placed.append(Placed(clock_sec, first_sec + shift_sec, shift_sec))
        self._end_sec = end_sec + shift_sec
        return shift_sec

    def beside(self, clock_sec: float, first_sec: float) -> float:
        """Return the shift of sound that comes apart from the pictures."""
        earlier = [each for each in self._placed if each.clock_sec <= clock_sec + JOINT_SEC]
        near = earlier[-1] if earlier else next(iter(self._placed), None)
        if near is None:
            return -first_sec
        by_clock_sec = near.at_sec + clock_sec - near.clock_sec
        if abs(first_sec + near.shift_sec - by_clock_sec) <= SAME_TIMELINE_SEC:
            return near.shift_sec
        return by_clock_sec - first_sec
