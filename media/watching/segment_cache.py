"""The segments whose picture may have to be judged yet."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from monitors.frames import PICTURE_HEIGHT, PICTURE_WIDTH
from monitors.measurement import SegmentMeasurement

MEBI = 1024 * 1024
KEPT_BYTES = 64 * MEBI
"""Of all streams of a process: two segments each, of 2 s and 1.5 Mbit/s for 80 streams."""

FREE_SHARE = 0.25
"""For the two segments of each stream; who would keep more finds no room in it."""

KEPT_FOR_SEC = 300.0
"""Who wants a segment after that has it fetched again. A watch that has ended, or goes on at
another worker, leaves some behind."""

STRETCH_BYTES = 512
"""Of a stretch of black, stillness or silence in memory, without its picture."""


@dataclass
class Recent:
    """A segment that is kept.

    Attributes:
        measurement: of all of it; None when it was only glanced at.
        kept_at: when, seconds of some clock.
        keepers: streams that want it.
    """

    segment: bytes
    measurement: SegmentMeasurement | None
    kept_at: float
    keepers: int = 1

    def size_bytes(self) -> int:
        """Return the memory that it takes, about."""
        found = self.measurement
        if found is None:
            return len(self.segment)
        stretches = len(found.black) + len(found.silent) + len(found.still)
        pictures = PICTURE_WIDTH * PICTURE_HEIGHT * len(found.still)
        return len(self.segment) + STRETCH_BYTES * stretches + pictures


class SegmentCache:
    """Segments by what they hold, the latest ones in so many bytes.

    Args:
        most_bytes: of all of them.
        clock: seconds that only grow.
    """

    def __init__(
        self, most_bytes: int = KEPT_BYTES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_bytes = most_bytes
        self._clock = clock
        self._kept: OrderedDict[str, Recent] = OrderedDict()
        self.kept_bytes = 0

    def has_room(self) -> bool:
        """Return whether a stream may keep more than it has, and more than its latest two."""
        self._let_go_of_old_ones()
        return self.kept_bytes < (1 - FREE_SHARE) * self._most_bytes

    def keep(self, segment: bytes, measurement: SegmentMeasurement | None = None) -> str:
        """Keep a segment, in the place of the oldest if need be, and return its name."""
        name = name_of(segment)
        known = self._drop(name)
        kept = Recent(segment, measurement, self._clock())
        if known:
            kept.keepers += known.keepers
            kept.measurement = measurement or known.measurement
        self._kept[name] = kept
        self.kept_bytes += kept.size_bytes()
        self._let_go_of_old_ones()
        while self.kept_bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))
        return name

    def find(self, name: str) -> Recent | None:
        """Return the segment of that name, or None when it is not kept any more."""
        return self._kept.get(name)

    def forget(self, name: str) -> None:
        """Let go of a segment, for one of those who kept it."""
        if kept := self._kept.get(name):
            kept.keepers -= 1
            if not kept.keepers:
                self._drop(name)

    def _let_go_of_old_ones(self) -> None:
        old = self._clock() - KEPT_FOR_SEC
        while self._kept and next(iter(self._kept.values())).kept_at < old:
            self._drop(next(iter(self._kept)))

    def _drop(self, name: str) -> Recent | None:
        kept = self._kept.pop(name, None)
        if kept:
            self.kept_bytes -= kept.size_bytes()
        return kept


def name_of(segment: bytes) -> str:
    """Return what names a segment: the same in all processes, and no other's."""
    return hashlib.sha256(segment).hexdigest()[:32]
