"""The latest segments of a worker's streams, as far as they are needed, in bounded memory."""

from itertools import count
from weakref import WeakValueDictionary

from monitors.measurement import CachedSegment

MEBI = 1024 * 1024
CACHE_BYTES = 64 * MEBI

FREE_SHARE = 0.25
"""For the two latest segments of each stream, which always wait; others wait while this is free."""


LARGE_SHARE = 16
"""A segment above this part of the cache is large."""


class SegmentCache:
    """Keeps segments for those who hold them, and lets the oldest go where there is no more room.

    Large ones go first: else a single stream of them leaves nothing of all others.

    Args:
        most_bytes: of all of them.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._numbers = count()
        self._held = WeakValueDictionary[int, CachedSegment]()  # the oldest first
        self._by_media = WeakValueDictionary[int, CachedSegment]()

    @property
    def held_bytes(self) -> int:
        return sum(len(each.media or b"") for each in self._held.values())

    def has_room(self) -> bool:
        """Return whether a stream may hold more than its two latest segments."""
        return self.held_bytes < (1 - FREE_SHARE) * self._most_bytes

    def put(self, media: bytes) -> CachedSegment:
        """Return a segment that stays as long as it is held and there is room.

        The same bytes object is held once.
        """
        held = self._by_media.get(id(media))
        if held is not None and held.media is media:
            return held
        segment = CachedSegment(media)
        self._held[next(self._numbers)] = self._by_media[id(media)] = segment
        excess_bytes = self.held_bytes - self._most_bytes
        if excess_bytes > 0:
            self._let_go_of(excess_bytes)
        return segment

    def _let_go_of(self, excess_bytes: int) -> None:
        def is_usual(held: tuple[int, CachedSegment]) -> bool:
            return len(held[1].media or b"") * LARGE_SHARE <= self._most_bytes

        for number, oldest in sorted(self._held.items(), key=is_usual):
            if excess_bytes <= 0:
                break
            excess_bytes -= len(oldest.media or b"")
            oldest.media = None
            del self._held[number]
