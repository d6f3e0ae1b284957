"""Sending requests and timing the answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

Request = Callable[[int], Awaitable[None]]
"""Makes the request with this number; raises when it is not answered as it should be."""


@dataclass(frozen=True)
class Latencies:
    """How long answers took, in seconds, ascending."""

    taken_sec: list[float]

    def percentile_ms(self, share: float) -> float:
        """Return the time within which that share of the answers came."""
        last = len(self.taken_sec) - 1
        return self.taken_sec[min(last, round(share * last))] * 1000


async def at_rate(request: Request, *, per_sec: float, seconds: float) -> Latencies:
    """Send at a fixed rate, whether earlier answers came or not.

    Each is timed from when it was due, so that a server that falls behind cannot hide it.
    """
    clock = asyncio.get_running_loop().time
    begin = clock()

    async def send(number: int) -> float:
        due = begin + number / per_sec
        await asyncio.sleep(due - clock())
        await request(number)
        return clock() - due

    taken = await asyncio.gather(*(send(number) for number in range(round(per_sec * seconds))))
    return Latencies(sorted(taken))


async def as_fast_as_possible(request: Request, *, count: int, at_once: int) -> float:
    """Send `count` requests, `at_once` at any time; return how many a second were answered."""
    clock = asyncio.get_running_loop().time
    numbers = iter(range(count))

    async def keep_sending() -> None:
        for number in numbers:
            await request(number)

    begin = clock()
    await asyncio.gather(*(keep_sending() for _ in range(at_once)))
    return count / (clock() - begin)


def checked(answer: httpx.Response) -> None:
    """Accept a success only.

    Raises:
        RuntimeError: any other answer.
    """
    if not answer.is_success:
        raise RuntimeError(f"HTTP {answer.status_code}: {answer.text}")
