"""Taking turns at what costs much memory or processor time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from media.outbound.errors import FetchTimeout

WAIT_SEC = 15.0


@asynccontextmanager
async def turn(gate: asyncio.Semaphore) -> AsyncIterator[None]:
    """Hold the gate while the context is open.

    Raises:
        FetchTimeout: there was no turn within `WAIT_SEC`.
    """
    try:
        async with asyncio.timeout(WAIT_SEC):
            await gate.acquire()
    except TimeoutError:
        raise FetchTimeout("too many large playlists are being read") from None
    try:
        yield
    finally:
        gate.release()
