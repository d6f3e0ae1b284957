"""The memory that the segments of all streams take, until they are measured and after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import NamedTuple
from weakref import ReferenceType, WeakValueDictionary, ref

from monitors.measurement import CachedSegment

LARGE_RESERVATION_SHARE = 32  # a reservation above this part of the budget is large


class Reservation:
    """Room that one holder has in one or more gates."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._gates: list[_Gate] = []

    def shrink(self, size_bytes: int) -> None:
        """Give back what is more than `size_bytes`."""
        for gate in self._gates:
            gate.give_back(max(0, self.size_bytes - size_bytes))
        self.size_bytes = min(self.size_bytes, size_bytes)

    @asynccontextmanager
    async def in_gate(self, gate: "_Gate") -> AsyncIterator[None]:
        """Hold the room in `gate` too, while the context is open."""
        await gate.take(self.size_bytes)
        self._gates.append(gate)
        try:
            yield
        finally:
            self._gates.remove(gate)
            gate.give_back(self.size_bytes)


class MemoryBudget:
    """Room for segments from before they are fetched until they are measured.

    Reservations are served in the order of arrival. All large ones together get half of the
    memory, so that streams of usual segments do not wait for them. A holder may not reserve more:
    that rules out deadlocks.
    """

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._all = _Gate(total_bytes)
        self._large = _Gate(total_bytes // 2)

    @property
    def reserved_bytes(self) -> int:
        return self._total_bytes - self._all.free_bytes

    @asynccontextmanager
    async def reserved(self, size_bytes: int) -> AsyncIterator[Reservation]:
        """Wait for room of `size_bytes` and hold it while the context is open."""
        if size_bytes > self._total_bytes // 2:
            raise ValueError(f"{size_bytes} bytes are more than half of {self._total_bytes}")
        reservation = Reservation(size_bytes)
        async with AsyncExitStack() as stack:
            if size_bytes > self._total_bytes // LARGE_RESERVATION_SHARE:
                await stack.enter_async_context(reservation.in_gate(self._large))
            await stack.enter_async_context(reservation.in_gate(self._all))
            yield reservation


class _Gate:
    """A number of bytes, handed out first come, first served."""

    def __init__(self, free_bytes: int) -> None:
        self.free_bytes = free_bytes
        self._next_in_line = asyncio.Lock()
        self._freed = asyncio.Event()

    async def take(self, size_bytes: int) -> None:
        async with self._next_in_line:
            while self.free_bytes < size_bytes:
                self._freed.clear()
                await self._freed.wait()
            self.free_bytes -= size_bytes

    def give_back(self, size_bytes: int) -> None:
        self.free_bytes += size_bytes
        self._freed.set()


MEBI = 1024 * 1024
CACHE_BYTES = 64 * MEBI

FREE_SHARE = 0.25  # for each stream's two latest segments; others wait while this is free


LARGE_SEGMENT_SHARE = 16  # a segment above this part of the cache is large


class _Held(NamedTuple):
    segment: ReferenceType[CachedSegment]
    size_bytes: int


class SegmentCache:
    """Keeps segments for those who hold them, and lets the oldest go where there is no more room.

    Large ones go first: else a single stream of them leaves nothing of all others. `held_bytes` is
    of all of them, now; no segment has to count all others.
    """

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._numbers = count()
        self._held: dict[int, _Held] = {}  # the oldest first
        self._by_media = WeakValueDictionary[int, CachedSegment]()
        self.held_bytes = 0

    def has_room(self) -> bool:
        """Whether a stream may hold more than its two latest segments."""
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
            return each[1].size_bytes * LARGE_SEGMENT_SHARE <= self._most_bytes

        # Of a copy: nobody may hold one of them any more before the loop comes to it.
        for number, oldest in sorted(self._held.copy().items(), key=is_usual):
            if excess_bytes <= 0:
                break
            excess_bytes -= oldest.size_bytes
            self._forget(number)
            if segment := oldest.segment():
                segment.media = None
