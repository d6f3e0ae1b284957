"""The segments whose picture may have to be judged yet."""

import hashlib
from collections import OrderedDict
from typing import NamedTuple

from monitors.measurement import SegmentMeasurement

MEBI = 1024 * 1024
KEPT_BYTES = 64 * MEBI
"""Of all streams of a process: two segments each, of 2 s and 1.5 Mbit/s for 80 streams."""

FREE_SHARE = 0.25
"""For the two segments of each stream; who would keep more finds no room in it."""


class Recent(NamedTuple):
    """A segment, and what is known of all of it; None when it was only glanced at."""

    segment: bytes
    measurement: SegmentMeasurement | None


class RecentSegments:
    """Segments by what they hold, the latest ones in so many bytes."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, Recent] = OrderedDict()
        self.kept_bytes = 0

    @property
    def has_room(self) -> bool:
        """Whether a stream may keep more than its two latest segments."""
        return self.kept_bytes < (1 - FREE_SHARE) * self._most_bytes

    def keep(self, segment: bytes, measurement: SegmentMeasurement | None = None) -> str:
        """Keep a segment while there is room, and return its name."""
        name = name_of(segment)
        self.forget(name)
        self._kept[name] = Recent(segment, measurement)
        self.kept_bytes += len(segment)
        while self.kept_bytes > self._most_bytes:
            self.forget(next(iter(self._kept)))
        return name

    def find(self, name: str) -> Recent | None:
        """Return the segment of that name, or None when it is not kept any more."""
        return self._kept.get(name)

    def forget(self, name: str) -> None:
        """Let go of a segment."""
        if name in self._kept:
            self.kept_bytes -= len(self._kept.pop(name).segment)


def name_of(segment: bytes) -> str:
    """Return what names a segment: the same in all processes, and no other's."""
    return hashlib.sha256(segment).hexdigest()[:32]
