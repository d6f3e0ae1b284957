"""Waiting for what must come true, never for a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

LOOK_SEC = 0.1


def plain_client(**options: Any) -> httpx.AsyncClient:
    """Return a client for HTTP without TLS.

    To load the certificates that it would trust takes the event loop 50 ms, and those who wait
    for many processes make a client for each look.
    """
    return httpx.AsyncClient(trust_env=False, verify=False, **options)


async def answers(url: str) -> bool:
    """Return whether a GET request is answered with a 2xx status.

    Raises:
        httpx.TransportError: there is no answer.
    """
    async with plain_client(timeout=5) as http:
        return (await http.get(url)).is_success


class ConditionTimeout(AssertionError):
    """What was waited for did not come in time."""


async def until(
    ask: Callable[[], Awaitable[T | None]], what: str, *, within_sec: float = 30.0
) -> T:
    """Ask until the answer is true, and return it. No answer at all counts as false.

    Raises:
        NeverCame: `what` did not come within `within_sec`.
    """
    deadline = time.monotonic() + within_sec
    last: object = None
    while True:
        try:
            last = answer = await ask()
        except httpx.TransportError as error:
            last, answer = error, None
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise ConditionTimeout(f"not within {within_sec:g} s: {what}; last seen: {last!r}")
        await asyncio.sleep(LOOK_SEC)


async def until_true(ask: Callable[[], bool], what: str, *, within_sec: float = 30.0) -> None:
    """Wait until `ask` says true; raises as `until`."""

    async def answer() -> bool:
        return ask()

    await until(answer, what, within_sec=within_sec)
