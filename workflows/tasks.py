"""Tasks inside a workflow, and their cancellation."""

import asyncio
from collections.abc import Coroutine
from typing import Any


def is_cancelled() -> bool:
    """Tell whether it is this task itself that is to stop, not what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Finish `work` even when the workflow is cancelled meanwhile."""
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue
    task.result()
