"""Makes, follows and reconciles Pods inside an orchestrator."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.probe_pods import ProbePods
from activities.reconcile_pods import PodReconciliation
from kube.cluster import NoCluster, PodCluster, connected
from kube.pod_manifest import PodTemplate
from kube.reflector import PodReflector
from monitors.pods import PodFailure
from monitors.status import MonitorStatus
from runtime.pod_settings import PodSettings
from runtime.settings import SettingsError, WorkerSettings
from runtime.version import VERSION
from worker.pod_metrics import PodMetrics
from workflows.messages import POD_FAILED_SIGNAL, POD_READY_SIGNAL, WORKFLOW_TYPE
from workflows.search_attributes import MONITOR_STATUS

logger = structlog.get_logger(__name__)

ORCHESTRATOR_ONLY = frozenset(
    name.upper()
    for name in (
        *PodSettings.model_fields,
        *(field for field in WorkerSettings.model_fields if field.startswith("webhook_")),
        "worker_role",
        "monitor_id",
        "probe_slots",
        "health_port",
        "health_host",
    )
)
"""Variables that a Pod does not get, or gets with a value of its own."""

SECRET_VARIABLES = frozenset(
    {
        *("INTERNAL_API_KEY", "YTDLP_EXTRACTOR_ARGS", "PAYLOAD_KEYS"),
        *("TEMPORAL_API_KEY", "TEMPORAL_TLS_CLIENT_KEY_DATA"),
    }
)


@asynccontextmanager
async def pod_activities(
    client: Client, settings: WorkerSettings
) -> AsyncIterator[list[Callable[..., Any]]]:
    """Follow the Pods while the context is open; yield the activities."""
    async with connected() as kubernetes:
        with PodMetrics() as metrics:
            cluster = PodCluster(
                kubernetes,
                pod_template(settings, os.environ),
                start_timeout=timedelta(seconds=settings.pod_start_timeout_sec),
                meter=metrics.call,
            )
            monitors = MonitorSignals(client)
            reflector = PodReflector(cluster, monitors)
            metrics.count(lambda: reflector.pods)
            pods = ProbePods(cluster)
            reconciliation = PodReconciliation(cluster, monitors, count=metrics.reconciled)
            reflecting = asyncio.create_task(reflector.run())
            try:
                yield [
                    pods.ensure_probe_pod,
                    pods.inspect_probe_pod,
                    pods.delete_probe_pod,
                    reconciliation.reconcile_pods,
                ]
            finally:
                reflecting.cancel()
                await asyncio.gather(reflecting, return_exceptions=True)


async def check_pods(settings: WorkerSettings) -> None:
    """Check what an orchestrator needs to make Pods, before it waits for anything.

    Raises SettingsError where a setting is missing, or nobody knows the Kubernetes API's address.
    """
    pod_template(settings, os.environ)
    try:
        async with connected():
            pass
    except NoCluster as error:
        raise SettingsError(f"PROBE_PLACEMENT: pod, but {error}") from None


class MonitorSignals:
    """Signals monitors about their Pods, and lists them for reconciliation."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def monitoring_ids(self) -> set[str]:
        """Return the ids of the monitors whose stream is watched; may be a little behind."""
        query = (
            f"WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus = 'Running' "
            f"AND {MONITOR_STATUS.name} = '{MonitorStatus.MONITORING.value}'"
        )
        return {each.id async for each in self._client.list_workflows(query)}

    async def is_running(self, monitor_id: str) -> bool:
        try:
            described = await self._client.get_workflow_handle(monitor_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return described.close_time is None

    async def on_failure(self, monitor_id: str, failure: PodFailure) -> bool:
        """Signal a failure; return False when the monitor runs and did not get it."""
        return await self._signal(monitor_id, POD_FAILED_SIGNAL, failure)

    async def on_ready(self, monitor_id: str, uid: str) -> bool:
        return await self._signal(monitor_id, POD_READY_SIGNAL, uid)

    async def _signal(self, monitor_id: str, name: str, argument: PodFailure | str) -> bool:
        try:
            await self._client.get_workflow_handle(monitor_id).signal(name, argument)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return True
            logger.warning(
                "a signal does not reach a monitor", monitor_id=monitor_id, error=str(error)
            )
            return False
        return True


def pod_template(settings: WorkerSettings, environment: Mapping[str, str]) -> PodTemplate:
    """Return what all Pods share; they get this process's variables, as far as they probe."""
    if not settings.worker_image:
        raise SettingsError("WORKER_IMAGE: is required with PROBE_PLACEMENT=pod")
    if not settings.pod_secret:
        raise SettingsError("POD_SECRET: is required with PROBE_PLACEMENT=pod")
    variables = {name: value for name, value in environment.items() if value and _is_for_pods(name)}
    # A Pod has one stream: its memory need not hold the segments of fifty.
    variables.setdefault("SEGMENTS_MEMORY_BYTES", str(2 * settings.segment_max_bytes))
    secret = sorted(name for name, value in variables.items() if _is_secret(name, value))
    return PodTemplate(
        namespace=settings.namespace,
        instance=settings.pod_instance,
        image=f"{settings.worker_image}:{settings.worker_image_tag or VERSION}",
        pull_policy=settings.pod_image_pull_policy,
        environment={name: value for name, value in variables.items() if name not in secret},
        secret_name=settings.pod_secret,
        secret_variables=secret,
        requests={"cpu": settings.pod_cpu_request, "memory": settings.pod_memory_request},
        limits={"cpu": settings.pod_cpu_limit, "memory": settings.pod_memory_limit},
        work_size=settings.pod_work_size,
        drain_sec=settings.drain_sec,
        extra=_extra_fields(settings),
        mounts=settings.pod_volume_mounts,
        volumes=settings.pod_volumes,
    )


def _extra_fields(settings: WorkerSettings) -> dict[str, Any]:
    pull_secrets = [{"name": name} for name in settings.pod_image_pull_secrets]
    fields = {
        "nodeSelector": settings.pod_node_selector,
        "tolerations": settings.pod_tolerations,
        "imagePullSecrets": pull_secrets,
        "serviceAccountName": settings.pod_service_account,
        "priorityClassName": settings.pod_priority_class,
    }
    return {name: value for name, value in fields.items() if value}


def _is_for_pods(name: str) -> bool:
    if name.startswith("TEMPORAL_"):
        return True
    return name.lower() in WorkerSettings.model_fields and name not in ORCHESTRATOR_ONLY


def _is_secret(name: str, value: str) -> bool:
    # A proxy's URL may carry a key, and so may a header that is sent to Temporal.
    if name in SECRET_VARIABLES or name.startswith("TEMPORAL_GRPC_META_"):
        return True
    return "://" in value and urlsplit(value).password is not None
