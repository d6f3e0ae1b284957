"""The latest segments of a worker's streams, as far as they are needed, in bounded memory."""

from itertools import count
from typing import NamedTuple
from weakref import ReferenceType, WeakValueDictionary, ref

from monitors.measurement import CachedSegment

MEBI = 1024 * 1024
CACHE_BYTES = 64 * MEBI

FREE_SHARE = 0.25
"""For the two latest segments of each stream, which always wait; others wait while this is free."""


LARGE_SHARE = 16
"""A segment above this part of the cache is large."""


class _Held(NamedTuple):
    segment: ReferenceType[CachedSegment]
    size_bytes: int


class SegmentCache:
    """Keeps segments for those who hold them, and lets the oldest go where there is no more room.

    Large ones go first: else a single stream of them leaves nothing of all others.

    Attributes:
        held_bytes: of all of them, now; no segment has to count all others.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._numbers = count()
        self._held: dict[int, _Held] = {}  # the oldest first
        self._by_media = WeakValueDictionary[int, CachedSegment]()
        self.held_bytes = 0

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
        self._hold(segment, media)
        excess_bytes = self.held_bytes - self._most_bytes
        if excess_bytes > 0:
            self._let_go_of(excess_bytes)
        return segment

    def _hold(self, segment: CachedSegment, media: bytes) -> None:
        number = next(self._numbers)
        self._held[number] = _Held(ref(segment, lambda _: self._forget(number)), len(media))
        self._by_media[id(media)] = segment
        self.held_bytes += len(media)

    def _forget(self, number: int) -> None:
        if gone := self._held.pop(number, None):
            self.held_bytes -= gone.size_bytes

    def _let_go_of(self, excess_bytes: int) -> None:
        def is_usual(each: tuple[int, _Held]) -> bool:
            return each[1].size_bytes * LARGE_SHARE <= self._most_bytes

        # Of a copy: nobody may hold one of them any more before the loop comes to it.
        for number, oldest in sorted(self._held.copy().items(), key=is_usual):
            if excess_bytes <= 0:
                break
            excess_bytes -= oldest.size_bytes
            self._forget(number)
            if segment := oldest.segment():
                segment.media = None
