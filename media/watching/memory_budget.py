"""How much memory the segments of all streams may take together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

LARGE_SHARE = 32
"""A reservation above this part of the budget is large."""


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

    Args:
        total_bytes: at least twice the largest reservation.
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
        """Wait for room of `size_bytes` and hold it while the context is open.

        Raises:
            ValueError: the budget never has that much.
        """
        if size_bytes > self._total_bytes // 2:
            raise ValueError(f"{size_bytes} bytes are more than half of {self._total_bytes}")
        reservation = Reservation(size_bytes)
        async with AsyncExitStack() as stack:
            if size_bytes > self._total_bytes // LARGE_SHARE:
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
