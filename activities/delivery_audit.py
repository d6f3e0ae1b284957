"""Reports each failed attempt to deliver a webhook, while further ones go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol

import httpx
import structlog

from activities.gateway_client import GatewayClient, ReportRefused
from activities.gateway_reports import BackgroundReports
from monitors.events import StreamEvent
from monitors.reports import EventReport

logger = structlog.get_logger(__name__)

SLOW_SEC = 1.0
"""After this time the gateway learns that an event is on its way: destinations wait for that."""

SILENCE_SEC = 3.0
"""A gateway that is away delays the beginning of an incident no longer. One that restarts is mostly
back by then, and knows the silences."""

ASK_AGAIN_SEC = 0.5

OUTCOME_SEC = 2.0  # a gateway that hangs holds up the next webhook no longer


class AttemptMeter(Protocol):
    def begins(self, event: StreamEvent) -> None:
        """An attempt begins."""

    def ended(
        self, event: StreamEvent, outcome: str, *, took_sec: float, again_in_sec: float | None
    ) -> None:
        """An attempt has ended: `delivered`, `http_4xx` and the like, or a `FetchError`'s code.

        `again_in_sec`: when it will be tried again; None after the last attempt.
        """


class AttemptAudit:
    """Reports attempts to the gateway.

    Best effort: the workflow reports an outcome that the gateway did not take, and the store keeps
    the highest number of attempts.
    """

    def __init__(self, gateway: GatewayClient, *, slow_sec: float = SLOW_SEC) -> None:
        self._gateway = gateway
        self._slow_sec = slow_sec
        self._reports = BackgroundReports()

    async def close(self) -> None:
        await self._reports.close()

    def report(self, report: EventReport) -> None:
        """Start to report; return at once."""
        self._reports.start(self._gateway.report_event(report))

    @asynccontextmanager
    async def on_its_way(self, event: StreamEvent) -> AsyncIterator[None]:
        """Report an event whose attempt takes long, before it has an outcome."""
        loop = asyncio.get_running_loop()
        pending = loop.call_later(self._slow_sec, self.report, EventReport(event=event))
        try:
            yield
        finally:
            pending.cancel()

    async def silenced_until(
        self, event: StreamEvent, *, known: datetime | None
    ) -> datetime | None:
        """Report an event, and return until when a silence holds it back; None: none does.

        What the gateway said last, `known`, holds while it gives no answer.
        """
        with suppress(TimeoutError, ReportRefused):
            async with asyncio.timeout(SILENCE_SEC):
                return await self._ask(event)
        logger.warning("silences not known", event_id=event.event_id)
        return known if known and datetime.now(UTC) < known else None

    async def ended(self, report: EventReport) -> bool:
        """Report an outcome; return whether the gateway took it."""
        try:
            async with asyncio.timeout(OUTCOME_SEC):
                await self._gateway.report_event(report)
        except (
            asyncio.CancelledError
        ):  # the worker stops; what was posted is not to be posted again
            return False
        except (TimeoutError, httpx.HTTPError, ReportRefused) as error:
            logger.info("outcome not reported", event_id=report.event.event_id, error=str(error))
            return False
        return True

    async def _ask(self, event: StreamEvent) -> datetime | None:
        while True:
            with suppress(httpx.HTTPError):
                return (await self._gateway.report_event(EventReport(event=event))).silenced_until
            await asyncio.sleep(ASK_AGAIN_SEC)
