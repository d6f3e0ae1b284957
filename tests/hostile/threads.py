"""Seeing what is done beside the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any


class _Noting(ThreadPoolExecutor):
    def __init__(self) -> None:
        super().__init__(max_workers=2)
        self.started: list[Any] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.started.append(fn)
        return super().submit(fn, *args, **kwargs)


@asynccontextmanager
async def threads() -> AsyncIterator[list[Any]]:
    """Yield the list of what is handed to threads while the context is open."""
    executor = _Noting()
    asyncio.get_running_loop().set_default_executor(executor)
    yield executor.started
