"""Reporting to the gateway: what a workflow learned, with its endless retries, or on the side."""

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.declarations import (
    GATEWAY_UNAVAILABLE,
    EventReportInput,
    GatewayActivities,
    ReconciliationReport,
    StatusReportInput,
)
from activities.gateway_client import GatewayClient, ReportRefused

T = TypeVar("T")
logger = structlog.get_logger(__name__)

MAX_AT_ONCE: Final = 50  # a gateway that hangs costs no more connections

CLOSE_SEC: Final = 1.0
"""At the end, reports that were begun have this long: a worker that stops is waited for."""


@dataclass(frozen=True)
class GatewayReports(GatewayActivities):
    gateway: GatewayClient

    @activity.defn
    async def report_status(self, input: StatusReportInput) -> None:
        await answered(self.gateway.report_status(input.monitor_id, input.report))

    @activity.defn
    async def report_event(self, input: EventReportInput) -> None:
        await answered(self.gateway.report_event(input.report))

    @activity.defn
    async def reconcile(self) -> ReconciliationReport:
        return await answered(self.gateway.reconcile())


async def answered(request: Awaitable[T]) -> T:
    """Return the gateway's answer, or fail: for good (`ReportRefused`), or to be tried again."""
    try:
        return await request
    except ReportRefused as error:
        raise ApplicationError(str(error), type="ReportRefused", non_retryable=True) from None
    except httpx.HTTPError as error:
        logger.warning("the gateway does not answer", error=str(error))
        raise ApplicationError(
            f"the gateway does not answer: {error}",
            type=GATEWAY_UNAVAILABLE,
            category=ApplicationErrorCategory.BENIGN,  # it is retried until it works
        ) from None


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
