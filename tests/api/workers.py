"""Workers whose streams and receivers are scripted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.declarations import (
    DELIVERY_FAILED,
    DeliveryAttempts,
    DeliveryInput,
    DeliveryResult,
    RedeliveryInput,
    WaitInput,
    WaitResult,
    WatchInput,
    WatchOutcome,
    WatchResult,
)
from activities.gateway_client import GatewayClient
from activities.gateway_reports import GatewayReports
from activities.pod_declarations import NoPods
from monitors.events import StreamEvent
from monitors.reports import EventReport, HealthReport, Statistics
from monitors.status import DeliveryStatus
from tests.testkit.gateway import INTERNAL_KEY
from workflows.messages import TASK_QUEUE
from workflows.monitor import MonitorWorkflow
from workflows.options import PROBE_QUEUE
from workflows.reconciliation import ReconciliationWorkflow
from workflows.redelivery import RedeliveryWorkflow


async def terminate_all(client: Client) -> None:
    """Terminate what runs; what has ended meanwhile is fine too."""
    async for one in client.list_workflows("ExecutionStatus = 'Running'"):
        with suppress(RPCError):
            await client.get_workflow_handle(one.id).terminate()


@dataclass
class ScriptedStreams:
    """What streams and receivers do, and what was asked of them.

    Attributes:
        refusals: so many deliveries fail for good before one is taken.
        watches: in order; each goes on until it is cancelled.
    """

    refusals: int = 0
    watches: list[WatchInput] = field(default_factory=list)
    delivered: list[StreamEvent] = field(default_factory=list)

    @activity.defn
    async def wait_for_live(self, _order: WaitInput) -> WaitResult:
        return WaitResult(title="News")

    @activity.defn
    async def watch_stream(self, order: WatchInput) -> WatchResult:
        self.watches.append(order)
        watched = (order.state or {}).get("watched", 0) + 1
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            return _handed_back({"watched": watched})

    @activity.defn
    async def deliver_webhook(self, order: DeliveryInput) -> DeliveryResult:
        if self._takes(order.event):
            return DeliveryResult(attempts=1, sent_at=datetime.now(UTC))
        attempts = DeliveryAttempts(attempts=4, error="HTTP status 500")
        raise ApplicationError("refused", attempts, type=DELIVERY_FAILED, non_retryable=True)

    def redelivery(
        self, gateway: GatewayClient
    ) -> Callable[[RedeliveryInput], Awaitable[EventReport]]:
        """Return the activity that sends what the gateway has."""

        @activity.defn
        async def redeliver_webhook(order: RedeliveryInput) -> EventReport:
            stored = await gateway.stored_event(order.monitor_id, order.event_id)
            if self._takes(stored.event):
                return EventReport(
                    event=stored.event,
                    webhook_status=DeliveryStatus.SENT,
                    webhook_attempts=stored.attempts + 1,
                    sent_at=datetime.now(UTC),
                )
            return EventReport(
                event=stored.event,
                webhook_status=DeliveryStatus.FAILED,
                webhook_attempts=stored.attempts + 4,
                webhook_last_error="HTTP status 500",
            )

        return redeliver_webhook

    def _takes(self, event: StreamEvent) -> bool:
        self.delivered.append(event)
        is_refused = self.refusals > 0
        self.refusals -= is_refused
        return not is_refused


@asynccontextmanager
async def workers(
    client: Client, streams: ScriptedStreams, gateway_url: str
) -> AsyncIterator[None]:
    """Run workers that report to a gateway, while the context is open."""
    gateway = GatewayClient(gateway_url, SecretStr(INTERNAL_KEY))
    reports = GatewayReports(gateway)
    activities: list[Any] = [
        streams.wait_for_live,
        streams.deliver_webhook,
        streams.redelivery(gateway),
        reports.report_status,
        reports.report_event,
        reports.reconcile,
        NoPods().reconcile_pods,
    ]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(gateway.close)
        orchestrator = Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[MonitorWorkflow, RedeliveryWorkflow, ReconciliationWorkflow],
            activities=activities,
        )
        await stack.enter_async_context(orchestrator)
        prober = Worker(
            client,
            task_queue=PROBE_QUEUE,
            activities=[streams.watch_stream],
            # A watch hears of its cancellation with the answer to a heartbeat.
            max_heartbeat_throttle_interval=timedelta(milliseconds=100),
        )
        await stack.enter_async_context(prober)
        yield


def _handed_back(state: dict[str, Any]) -> WatchResult:
    return WatchResult(
        outcome=WatchOutcome.HANDED_BACK,
        event_drafts=[],
        statistics=Statistics(),
        health=HealthReport(),
        open_incidents=[],
        state=state,
    )
