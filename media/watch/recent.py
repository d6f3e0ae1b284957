"""The segments that were only glanced at, in case that they have to be measured in full."""

import hashlib
from collections import OrderedDict

MEBI = 1024 * 1024
KEPT_BYTES = 64 * MEBI
"""Of all streams of a process: two segments each, of 2 s and 1.5 Mbit/s for 80 streams."""


class RecentSegments:
    """Segments by what they hold, the latest ones in so many bytes."""

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self.kept_bytes = 0

    def keep(self, segment: bytes) -> str:
        """Keep a segment while there is room, and return its name."""
        name = name_of(segment)
        self.forget(name)
        self._kept[name] = segment
        self.kept_bytes += len(segment)
        while self.kept_bytes > self._most_bytes:
            self.forget(next(iter(self._kept)))
        return name

    def find(self, name: str) -> bytes | None:
        """Return the segment of that name, or None when it is not kept any more."""
        return self._kept.get(name)

    def forget(self, name: str) -> None:
        """Let go of a segment."""
        self.kept_bytes -= len(self._kept.pop(name, b""))


def name_of(segment: bytes) -> str:
    """Return what names a segment: the same in all processes, and no other's."""
    return hashlib.sha256(segment).hexdigest()[:32]
