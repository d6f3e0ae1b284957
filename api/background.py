"""What a gateway does by itself while it serves: loops that neither an outage nor a defect ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from api.monitor_engine import EngineUnavailable
from api.store import StoreUnavailable

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run `work` while the context is open, then cancel it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def attempt(step: Awaitable[object], failure: str, **named: str) -> bool:
    """Do a step that is done again later anyway; where it fails, log `failure` and return False."""
    try:
        await step
    except (EngineUnavailable, StoreUnavailable) as error:
        _log.warning(failure, error=str(error), **named)
    except Exception:  # a defect must not end a loop for good
        _log.exception(failure, **named)
    else:
        return True
    return False
