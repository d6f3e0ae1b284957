"""Telling the store what a workflow learned, and asking it. The workflow retries without end."""

from collections.abc import Awaitable
from typing import TypeVar

import httpx
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.declarations import (
    GATEWAY_UNAVAILABLE,
    EventReportInput,
    GatewayActivities,
    LoadInput,
    LoadResult,
    ReconciliationReport,
    StatusReportInput,
)
from activities.gateway_client import Gateway, ReportRefused

T = TypeVar("T")
logger = structlog.get_logger(__name__)


class Reports(GatewayActivities):
    """Reports a monitor's status and its events to the gateway, and gets events back from it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @activity.defn
    async def report_status(self, order: StatusReportInput) -> None:
        await asked(self._gateway.report_status(order.monitor_id, order.report))

    @activity.defn
    async def report_event(self, order: EventReportInput) -> None:
        await asked(self._gateway.report_event(order.report))

    @activity.defn
    async def load_events(self, order: LoadInput) -> LoadResult:
        return await asked(self._gateway.load_events(order.monitor_id, order.from_sequence))

    @activity.defn
    async def reconcile(self) -> ReconciliationReport:
        return await asked(self._gateway.reconcile())


async def asked(request: Awaitable[T]) -> T:
    """Return the gateway's answer.

    Raises:
        ApplicationError: `ReportRefused`, final; `GatewayUnavailable`, to be tried again.
    """
    try:
        return await request
    except (ReportRefused, httpx.HTTPError) as error:
        raise _failure(error) from None


def _failure(error: Exception) -> ApplicationError:
    if isinstance(error, ReportRefused):
        return ApplicationError(str(error), type="ReportRefused", non_retryable=True)
    logger.warning("the gateway cannot be told", error=str(error))
    return ApplicationError(
        f"the gateway cannot be told: {error}",
        type=GATEWAY_UNAVAILABLE,
        category=ApplicationErrorCategory.BENIGN,  # it is retried until it works
    )
