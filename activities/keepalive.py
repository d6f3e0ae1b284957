"""Heartbeats beside work that says nothing for a while, and work that is not cut off."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from temporalio import activity

HEARTBEAT_SEC: Final = 2.0  # most activities that use these are shorter

T = TypeVar("T")


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Send heartbeats while the context is open; what earlier attempts left in theirs stays."""
    beating = asyncio.create_task(_beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


async def _beat() -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SEC)
        activity.heartbeat(*activity.info().heartbeat_details)


async def to_its_end(attempt: Coroutine[Any, Any, T]) -> T:
    """Return what comes of `attempt`, even when the workflow cancels the activity meanwhile.

    Whatever else cancels it ends the attempt: the worker stops, or the server has given it away.
    """
    working = asyncio.create_task(attempt)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        why = activity.cancellation_details()
        if why is None or not why.cancel_requested:
            working.cancel()
        return await working
