"""What is seen of each attempt to deliver a webhook, beside the delivery itself."""

import asyncio
from typing import Protocol

import httpx
import structlog

from activities.gateway_client import GatewayClient, ReportRefused
from monitors.events import StreamEvent
from monitors.reports import EventReport

logger = structlog.get_logger(__name__)

MAX_TOLD_AT_ONCE = 50
"""A gateway that hangs costs so many connections at most."""


class AttemptMeter(Protocol):
    """Counts attempts."""

    def begins(self, event: StreamEvent) -> None:
        """An attempt begins."""
        ...

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
        ...


class AttemptAudit:
    """Tells the gateway of failed attempts, so that the audit shows them while they go on.

    Best effort and never waited for: the workflow tells the outcome in any case, and the store
    goes by the highest number of attempts that it was told.
    """

    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway
        self._telling: set[asyncio.Task[None]] = set()

    def tell(self, report: EventReport) -> None:
        """Start to tell; return at once."""
        if len(self._telling) >= MAX_TOLD_AT_ONCE:
            return
        task = asyncio.create_task(self._update_status(report))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def close(self) -> None:
        """Tell what is still to be told; the gateway's client bounds how long that takes."""
        await asyncio.gather(*self._telling)

    async def _update_status(self, report: EventReport) -> None:
        try:
            await self._gateway.report_event(report)
        except (httpx.HTTPError, ReportRefused) as error:
            logger.info("attempt not told", event_id=report.event.event_id, error=str(error))
