"""How loud streams were in the last half hour, as this gateway was told."""

from array import array
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from monitors.reports import SoundLevels

KEPT_SEC: Final = 1800.0
LEAST_GAP_SEC: Final = 5.0
QUIET_SEC: Final = 120.0
"""A monitor of which nothing was heard for so long gives up its place to another."""

MOST_MONITORS: Final = 2_000
"""With 16 bytes a point, at most 6 kB each. Further ones have no history."""


@dataclass(frozen=True)
class ShownLevel:
    """One figure for how loud a sound is: in `LUFS` where that is measured, else in `dBFS`."""

    value: float
    unit: str


@dataclass
class _Course:
    """Moments, in seconds since 1970, each followed by its level."""

    unit: str
    points: "array[float]" = field(default_factory=lambda: array("d"))


class LevelHistory:
    """Kept in memory: a gateway that has just started knows nothing."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Course] = OrderedDict()

    def add(self, monitor_id: str, at: datetime, levels: SoundLevels | None) -> None:
        level = shown_level(levels)
        if level is None or not self._has_room(monitor_id, at.timestamp()):
            return
        course = self._known.get(monitor_id)
        if course is None or course.unit != level.unit:
            course = self._known[monitor_id] = _Course(level.unit)
        self._known.move_to_end(monitor_id)
        moment, points = at.timestamp(), course.points
        if points and moment < points[-2] - LEAST_GAP_SEC:  # the clock was set back
            del points[:]
        if points and moment < points[-2] + LEAST_GAP_SEC:
            return
        points.extend((round(moment, 1), round(level.value, 1)))
        while points[0] < moment - KEPT_SEC:
            del points[:2]

    def _has_room(self, monitor_id: str, moment: float) -> bool:
        """Make room for a monitor, unless all that are known are still heard of.

        Each would push out another one otherwise, and none would have a history.
        """
        if monitor_id in self._known or len(self._known) < MOST_MONITORS:
            return True
        oldest = next(iter(self._known))
        if moment - self._known[oldest].points[-2] < QUIET_SEC:
            return False
        del self._known[oldest]
        return True

    def of(self, monitor_id: str, unit: str) -> list[tuple[float, float]]:
        course = self._known.get(monitor_id)
        if course is None or course.unit != unit:
            return []
        return list(zip(course.points[::2], course.points[1::2], strict=True))


def shown_level(levels: SoundLevels | None) -> ShownLevel | None:
    """Return the level that is drawn over time; None where nothing is measured."""
    if levels is None:
        return None
    if levels.short_term_lufs is not None:
        return ShownLevel(levels.short_term_lufs, "LUFS")
    loudest = max(levels.channels_dbfs or [], default=None)
    return None if loudest is None else ShownLevel(loudest, "dBFS")
