"""The worker process: it runs workflows, activities, or both, as its role says."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.gateway_client import GatewayClient
from media.outbound.guard import OutboundGuard
from media.sources.source_resolver import SourceResolver
from runtime.logging import configure_logging
from runtime.serving import spare_the_garbage_collector, stop_signal
from runtime.settings import SettingsError, WorkerRole, WorkerSettings
from runtime.temporal import connect_temporal, temporal_configuration
from worker.health import health_port
from worker.metrics import loop_lag_metric, youtube_metrics
from worker.orchestrator import makes_pods, orchestrator
from worker.probe_setup import WorkerProbe, missing_confinement, open_worker_probe
from worker.prober import prober
from worker.stream_access import open_stream_access

logger = structlog.get_logger(__name__)

RECONNECT_SEC = 2.0


async def run_worker(settings: WorkerSettings) -> None:
    """Work until SIGTERM or SIGINT, then hand everything back and return.

    A setting that cannot be used is found, as StartError, before Temporal is waited for.
    """
    configure_logging(settings)
    temporal_configuration()
    if settings.monitor_id and settings.worker_role is not WorkerRole.PROBE:
        raise SettingsError("MONITOR_ID: needs WORKER_ROLE=probe")
    if makes_pods(settings):
        from worker.pod_setup import check_pods  # a second of CPU for Kubernetes' client

        await check_pods(settings)
    missing: list[str] = ["no connection to Temporal yet"]
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(stop_signal())
        probe = None
        if settings.worker_role is not WorkerRole.ORCHESTRATOR:
            probe = await stack.enter_async_context(open_worker_probe(settings))
        guard = OutboundGuard(settings.allow_private_networks)
        access = await stack.enter_async_context(open_stream_access(settings, guard))
        stack.enter_context(youtube_metrics(access.egress))
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
        workers = await stack.enter_async_context(
            workers_of(client, settings, access.sources, probe)
        )
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
            opened.append(orchestrator(client, settings, sources, gateway))
        if settings.worker_role is not WorkerRole.ORCHESTRATOR:
            if probe is None:
                probe = await stack.enter_async_context(open_worker_probe(settings))
            opened.append(prober(client, settings, sources, gateway, probe))
        yield [await stack.enter_async_context(each) for each in opened]
