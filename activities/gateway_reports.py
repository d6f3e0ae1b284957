"""Reporting to the gateway what a workflow learned. The workflow retries without end."""

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
    ReconciliationReport,
    StatusReportInput,
)
from activities.gateway_client import GatewayClient, ReportRefused

T = TypeVar("T")
logger = structlog.get_logger(__name__)


class GatewayReports(GatewayActivities):
    def __init__(self, gateway: GatewayClient) -> None:
        self._gateway = gateway

    @activity.defn
    async def report_status(self, input: StatusReportInput) -> None:
        await answered(self._gateway.report_status(input.monitor_id, input.report))

    @activity.defn
    async def report_event(self, input: EventReportInput) -> None:
        await answered(self._gateway.report_event(input.report))

    @activity.defn
    async def reconcile(self) -> ReconciliationReport:
        return await answered(self._gateway.reconcile())


async def answered(request: Awaitable[T]) -> T:
    """Return the gateway's answer.

    Raises:
        ApplicationError: `ReportRefused`, final; `GatewayUnavailable`, to be tried again.
    """
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
