"""Reports to the gateway that nobody waits for."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import httpx
import structlog

from activities.gateway_client import ReportRefused

logger = structlog.get_logger(__name__)

MAX_AT_ONCE: Final = 50
"""A gateway that hangs costs no more connections."""

CLOSE_SEC: Final = 1.0
"""At the end, reports that were begun have this long: a worker that stops is waited for."""


class BackgroundReports:
    """Reports on the side. What the gateway does not take is lost. Close it after use."""

    def __init__(self, *, close_sec: float = CLOSE_SEC) -> None:
        self._close_sec = close_sec
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, report: Coroutine[Any, Any, object]) -> None:
        """Start to report; return at once."""
        if len(self._tasks) >= MAX_AT_ONCE:
            report.close()
            return
        task = asyncio.create_task(_quietly(report))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._close_sec)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _quietly(report: Coroutine[Any, Any, object]) -> None:
    try:
        await report
    except (httpx.HTTPError, ReportRefused) as error:
        logger.info("attempt not reported", error=str(error))
