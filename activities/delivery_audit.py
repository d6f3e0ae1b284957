"""Reports each failed attempt to deliver a webhook, while further ones go on."""

import asyncio
from typing import Protocol

import httpx
import structlog

from activities.gateway_client import GatewayClient, ReportRefused
from monitors.events import StreamEvent
from monitors.reports import EventReport

logger = structlog.get_logger(__name__)

MAX_REPORTS_AT_ONCE = 50
"""A gateway that hangs costs no more connections."""


class AttemptMeter(Protocol):
    """Counts attempts."""

    def begins(self, event: StreamEvent) -> None:
        """An attempt begins."""

    def ended(
        self, event: StreamEvent, outcome: str, *, took_sec: float, again_in_sec: float | None
    ) -> None:
        """An attempt has ended.

        Args:
            event: that was posted.
            outcome: `delivered`, `http_4xx` and the like, or the code of a `FetchError`.
            took_sec: from the first connection to the answer.
            again_in_sec: when it will be tried again; None after the last attempt.
        """


class AttemptAudit:
    """Reports failed attempts to the gateway.

    Best effort and never waited for: the workflow reports the outcome, and the store keeps the
    highest number of attempts.
    """

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._reports: set[asyncio.Task[None]] = set()

    def report(self, report: EventReport) -> None:
        """Start to report; return at once."""
        if len(self._reports) < MAX_REPORTS_AT_ONCE:
            task = asyncio.create_task(self._report(report))
            self._reports.add(task)
            task.add_done_callback(self._reports.discard)

    async def close(self) -> None:
        """Finish what was begun; the gateway's client bounds how long that takes."""
        await asyncio.gather(*self._reports)

    async def _report(self, report: EventReport) -> None:
        try:
            await self._gateway.report_event(report)
        except (httpx.HTTPError, ReportRefused) as error:
            logger.info("attempt not reported", event_id=report.event.event_id, error=str(error))
