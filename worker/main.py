"""The worker process: it runs workflows, activities, or both, as its role says."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.declarations import Placement
from activities.deliver_webhook import WebhookDelivery
from activities.delivery_audit import AttemptAudit
from activities.gateway_client import GatewayClient
from activities.gateway_reports import GatewayReports
from activities.keepalive import HEARTBEAT_SEC
from activities.no_pods import NoPods
from activities.wait_for_live import LiveWait
from activities.watch_stream import StreamWatching
from media.outbound.client import webhook_client
from media.outbound.guard import OutboundGuard
from media.sources.source_resolver import SourceResolver
from media.watching import MemoryBudget
from monitors.evidence_links import EvidenceLinks
from monitors.pods import PlacementKind
from runtime.logging import configure_logging
from runtime.serving import spare_the_garbage_collector, stop_signal
from runtime.settings import SettingsError, WorkerRole, WorkerSettings
from runtime.temporal import connect_temporal, temporal_configuration
from runtime.version import USER_AGENT
from worker.evidence_setup import memory_split, watch_evidence
from worker.health import health_port
from worker.metrics import (
    DeliveryMetrics,
    SegmentLateness,
    confinement_metric,
    loop_lag_metric,
    slot_metrics,
    youtube_metrics,
)
from worker.notifier_setup import delivery_policy, destination_notifier
from worker.probe_setup import (
    WorkerProbe,
    missing_confinement,
    open_worker_probe,
)
from worker.stream_access import open_stream_access
from workflows.destination import DestinationWorkflow
from workflows.messages import TASK_QUEUE
from workflows.monitor import MonitorWorkflow
from workflows.options import PROBE_QUEUE, pod_queue
from workflows.reconciliation import ReconciliationWorkflow
from workflows.redelivery import RedeliveryWorkflow

logger = structlog.get_logger(__name__)

RECONNECT_SEC = 2.0

ACTIVITIES_AT_ONCE = 1000
"""An orchestrator's activities mostly wait for an answer. With the SDK's default of 100, a hundred
receivers that hang would delay the webhooks of all others."""


async def run_worker(settings: WorkerSettings) -> None:
    """Work until SIGTERM or SIGINT, then hand everything back and return.

    Raises:
        StartError: a setting cannot be used. It is found before Temporal is waited for.
    """
    configure_logging(settings)
    temporal_configuration()
    if settings.monitor_id and settings.worker_role is not WorkerRole.PROBE:
        raise SettingsError("MONITOR_ID: needs WORKER_ROLE=probe")
    if _makes_pods(settings):
        from worker.pod_setup import check_pods  # a second of CPU for Kubernetes' client

        await check_pods(settings)
    missing: list[str] = ["no connection to Temporal yet"]
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(stop_signal())
        probe = None
        if settings.worker_role is not WorkerRole.ORCHESTRATOR:
            probe = await stack.enter_async_context(open_worker_probe(settings))
        guard = OutboundGuard(settings.allow_private_networks)
        side = await stack.enter_async_context(open_stream_access(settings, guard))
        stack.enter_context(youtube_metrics(side.egress))
        health = health_port(
            settings.health_host,
            settings.health_port,
            readiness=lambda: missing[0] if missing else missing_confinement(probe),
            details=lambda: _details(probe),
        )
        await stack.enter_async_context(health)
        await stack.enter_async_context(loop_lag_metric())
        client = await _connect(stop, settings)
        if client is None:
            return
        workers = await stack.enter_async_context(workers_of(client, settings, side.sources, probe))
        for worker in workers:
            await stack.enter_async_context(worker)
        missing.clear()
        spare_the_garbage_collector()
        logger.info("worker ready", role=settings.worker_role.value, pid=os.getpid())
        await stop.wait()
        missing.append("shutting down")
        logger.info("worker drains")
        await asyncio.gather(*(worker.shutdown() for worker in workers))  # at the same time


def _details(probe: WorkerProbe | None) -> dict[str, str]:
    if probe is None:
        return {}
    return {"decoders": "confined" if probe.is_confined else "not confined"}


async def _connect(stop: asyncio.Event, settings: WorkerSettings) -> Client | None:
    """Return a connection, however long it takes; None when the process is to stop before."""
    while not stop.is_set():
        try:
            return await connect_temporal(lazy=False, payload_keys=settings.payload_keys)
        except RuntimeError as error:
            logger.warning("Temporal does not answer", error=str(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RECONNECT_SEC)
    return None


@asynccontextmanager
async def workers_of(
    client: Client,
    settings: WorkerSettings,
    sources: SourceResolver,
    probe: WorkerProbe | None = None,
) -> AsyncIterator[list[Worker]]:
    """Make the workers of this process's role; without a `probe` they open their own."""
    async with AsyncExitStack() as stack:
        gateway = GatewayClient(settings.callback_url, settings.internal_api_key)
        stack.push_async_callback(gateway.close)
        opened = []
        if settings.worker_role is not WorkerRole.PROBE:
            opened.append(_orchestrator(client, settings, sources, gateway))
        if settings.worker_role is not WorkerRole.ORCHESTRATOR:
            if probe is None:
                probe = await stack.enter_async_context(open_worker_probe(settings))
            opened.append(_prober(client, settings, sources, gateway, probe))
        yield [await stack.enter_async_context(each) for each in opened]


@asynccontextmanager
async def _orchestrator(
    client: Client, settings: WorkerSettings, sources: SourceResolver, gateway: GatewayClient
) -> AsyncIterator[Worker]:
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
            destination_notifier(settings, webhooks, gateway)
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


@asynccontextmanager
async def _prober(
    client: Client,
    settings: WorkerSettings,
    sources: SourceResolver,
    gateway: GatewayClient,
    probe: WorkerProbe,
) -> AsyncIterator[Worker]:
    interval = timedelta(seconds=settings.heartbeat_interval_sec)
    slots = 1 if settings.monitor_id else settings.probe_slots
    memory = memory_split(settings)
    async with AsyncExitStack() as stack:
        lateness = stack.enter_context(SegmentLateness())
        stack.enter_context(confinement_metric(lambda: probe.is_confined))
        evidence = await stack.enter_async_context(
            watch_evidence(
                gateway,
                probe.confinement,
                memory_bytes=memory.evidence_bytes,
                drain_sec=settings.drain_sec,
            )
        )
        watching = StreamWatching(
            sources=sources,
            probe=probe.probe,
            gateway=gateway,
            segment_max_bytes=settings.segment_max_bytes,
            memory=MemoryBudget(memory.measuring_bytes),
            report_sec=settings.report_interval_sec,
            on_segment=lateness.record,
            evidence=evidence,
        )
        with slot_metrics(slots, lambda: watching.streams):
            yield Worker(
                client,
                task_queue=pod_queue(settings.monitor_id) if settings.monitor_id else PROBE_QUEUE,
                activities=[watching.watch_stream],
                max_concurrent_activities=slots,
                max_concurrent_activity_task_polls=settings.probe_polls,
                max_heartbeat_throttle_interval=interval,
                default_heartbeat_throttle_interval=interval,
                graceful_shutdown_timeout=timedelta(seconds=settings.drain_sec),
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
    if not _makes_pods(settings):
        yield [NoPods().reconcile_pods]
        return
    from worker.pod_setup import pod_activities

    async with pod_activities(client, settings) as activities:
        yield activities


def _makes_pods(settings: WorkerSettings) -> bool:
    is_orchestrator = settings.worker_role is not WorkerRole.PROBE
    return is_orchestrator and settings.probe_placement is PlacementKind.POD


def _delivery(
    settings: WorkerSettings,
    client: httpx.AsyncClient,
    gateway: GatewayClient,
    audit: AttemptAudit,
    metrics: DeliveryMetrics,
) -> WebhookDelivery:
    keys = [key.get_secret_value().encode() for key in settings.webhook_signing_key]
    return WebhookDelivery(
        client,
        signing_keys=keys,
        policy=delivery_policy(settings),
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
