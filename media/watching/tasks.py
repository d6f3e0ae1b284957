"""Tasks of a watch that wait beside each other."""

import asyncio
from typing import Any, NoReturn


async def never() -> NoReturn:
    """Wait until cancelled."""
    await asyncio.Future[NoReturn]()
    raise AssertionError


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
