"""The worker that runs workflows, waits for streams, and tells callbacks and destinations."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
from temporalio.client import Client
from temporalio.worker import Worker

from activities.declarations import Placement
from activities.deliver_webhook import WebhookDelivery
from activities.delivery_audit import AttemptAudit
from activities.gateway_client import GatewayClient
from activities.gateway_reports import GatewayReports
from activities.keepalive import HEARTBEAT_SEC
from activities.notify_destination import DestinationNotifier, Senders
from activities.pod_declarations import NoPods
from activities.wait_for_live import LiveWait
from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from media.sources.source_resolver import SourceResolver
from monitors.delivery import DeliveryPolicy
from monitors.evidence_links import EvidenceLinks
from monitors.pods import PlacementKind
from notifications.alertmanager import send_to_alertmanager
from notifications.apprise import AppriseSender
from notifications.notification import DestinationType
from notifications.pagerduty import send_to_pagerduty
from notifications.webhook import WebhookSender
from runtime.settings import WorkerRole, WorkerSettings
from runtime.version import USER_AGENT
from worker.metrics import DeliveryMetrics
from workflows.destination import DestinationWorkflow
from workflows.messages import TASK_QUEUE
from workflows.monitor import MonitorWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.redelivery import RedeliveryWorkflow

ACTIVITIES_AT_ONCE = 1000
"""An orchestrator's activities mostly wait for an answer. With the SDK's default of 100, a hundred
receivers that hang would delay the webhooks of all others."""


@asynccontextmanager
async def orchestrator(
    client: Client, settings: WorkerSettings, sources: SourceResolver, gateway: GatewayClient
) -> AsyncIterator[Worker]:
    """Open the worker that runs workflows and their short activities."""
    guard = OutboundGuard(settings.allow_private_networks, exempt=settings.webhook_private_hosts)
    async with AsyncExitStack() as stack:
        webhooks = await stack.enter_async_context(webhook_client(guard))
        audit = AttemptAudit(gateway)
        stack.push_async_callback(audit.close)
        metrics = stack.enter_context(DeliveryMetrics())
        delivery = _delivery(settings, webhooks, gateway, audit, metrics)
        waiting = LiveWait(sources, _placement(settings), gateway)
        pods = await stack.enter_async_context(_pod_activities(client, settings))
        reports = GatewayReports(gateway)
        notifier = await stack.enter_async_context(
            _destination_notifier(settings, webhooks, gateway)
        )
        yield Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[
                MonitorWorkflow,
                RedeliveryWorkflow,
                ReconciliationWorkflow,
                DestinationWorkflow,
            ],
            activities=[
                delivery.deliver_webhook,
                delivery.redeliver_webhook,
                reports.report_status,
                reports.report_event,
                waiting.wait_for_live,
                reports.reconcile,
                notifier.serve_destination,
                *pods,
            ],
            max_concurrent_activities=ACTIVITIES_AT_ONCE,
            # By itself the SDK lets nearly the whole timeout pass between two of them.
            max_heartbeat_throttle_interval=timedelta(seconds=HEARTBEAT_SEC),
            graceful_shutdown_timeout=timedelta(seconds=settings.drain_sec),
        )


def _delivery(
    settings: WorkerSettings,
    client: httpx.AsyncClient,
    gateway: GatewayClient,
    audit: AttemptAudit,
    metrics: DeliveryMetrics,
) -> WebhookDelivery:
    keys = [key.get_secret_value().encode() for key in settings.webhook_signing_key]
    return WebhookDelivery(
        client=client,
        signing_keys=keys,
        policy=_policy(settings),
        user_agent=USER_AGENT,
        meter=metrics,
        audit=audit,
        gateway=gateway,
        seal_key=settings.internal_api_key.get_secret_value().encode(),
        links=EvidenceLinks(
            tuple(keys),
            settings.public_url,
            timedelta(seconds=settings.evidence_url_ttl_sec),
        ),
    )


@asynccontextmanager
async def _destination_notifier(
    settings: WorkerSettings, webhooks: httpx.AsyncClient, gateway: GatewayClient
) -> AsyncIterator[DestinationNotifier]:
    apprise = AppriseSender(
        allow_private_networks=settings.allow_private_networks,
        exempt=settings.webhook_private_hosts,
    )
    senders = Senders(
        webhook=WebhookSender(webhooks, USER_AGENT),
        others={
            DestinationType.APPRISE: apprise.send,
            DestinationType.PAGERDUTY: partial(send_to_pagerduty, webhooks),
            DestinationType.ALERTMANAGER: partial(send_to_alertmanager, webhooks),
        },
    )
    notifier = DestinationNotifier(gateway, senders, _policy(settings))
    async with aclosing(apprise):
        try:
            yield notifier
        finally:
            await notifier.close()


def _policy(settings: WorkerSettings) -> DeliveryPolicy:
    return DeliveryPolicy(
        max_attempts=settings.webhook_max_attempts,
        base_sec=settings.webhook_backoff_base_sec,
        cap_sec=settings.webhook_backoff_cap_sec,
        retry_after_max_sec=settings.webhook_retry_after_max,
    )


def _placement(settings: WorkerSettings) -> Placement:
    return Placement(
        kind=settings.probe_placement,
        heartbeat_timeout_sec=settings.heartbeat_timeout_sec,
        watch_retry_sec=settings.watch_retry_sec,
        pod_max_failures=settings.pod_max_failures,
        pod_patience_sec=settings.pod_patience_sec,
    )


@asynccontextmanager
async def _pod_activities(
    client: Client, settings: WorkerSettings
) -> AsyncIterator[Sequence[Callable[..., Any]]]:
    if not makes_pods(settings):
        yield [NoPods().reconcile_pods]
        return
    from worker.pod_setup import pod_activities

    async with pod_activities(client, settings) as activities:
        yield activities


def makes_pods(settings: WorkerSettings) -> bool:
    is_orchestrator = settings.worker_role is not WorkerRole.PROBE
    return is_orchestrator and settings.probe_placement is PlacementKind.POD
