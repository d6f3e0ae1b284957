"""Sending requests and timing the answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpcore

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


class LoadClient:
    """Sends requests at little cost: it shares the cores with what it measures.

    Attributes:
        base_url: of the gateway.
    """

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self._headers = [("X-API-Key", key), ("Content-Type", "application/json")]
        self._pool = httpcore.AsyncConnectionPool(max_connections=100)

    async def send(self, method: str, path: str, body: Any = None) -> None:
        """Make one request.

        Raises:
            RuntimeError: it is not answered with a success.
        """
        content = None if body is None else json.dumps(body).encode()
        answer = await self._pool.request(
            method, self.base_url + path, headers=self._headers, content=content
        )
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"HTTP {answer.status}: {answer.content!r}")

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()
