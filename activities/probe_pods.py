"""Makes, inspects and deletes the Pod of one monitor."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.pod_declarations import POD_REFUSED, PodActivities, PodDeletion, PodInput, PodResult
from kube.api_errors import CallFailed, CallRefused, NameTaken
from kube.cluster import PodCluster
from monitors.pods import PodStatus, pod_name

logger = structlog.get_logger(__name__)

VANISHED_RETRY_SEC = 1.0
RETRY_AFTER_MAX_SEC = 60.0


@dataclass(frozen=True)
class ProbePods(PodActivities):
    cluster: PodCluster

    @activity.defn
    async def ensure_probe_pod(self, input: PodInput) -> PodStatus:
        try:
            pod = await self.cluster.create(input.monitor_id, input.number)
            logger.info("Pod made", monitor_id=input.monitor_id, pod=pod.pod_name)
            return pod
        except NameTaken:
            return await self._adopt(input)
        except CallFailed as error:
            raise _failure(error, input) from None

    @activity.defn
    async def inspect_probe_pod(self, input: PodInput) -> PodResult:
        return PodResult(pod=await self._get(input))

    @activity.defn
    async def delete_probe_pod(self, input: PodDeletion) -> None:
        name = pod_name(input.monitor_id, input.number)
        try:
            existed = await self.cluster.delete(name, uid=input.uid)
        except CallFailed as error:
            raise _retryable(error) from None  # even a refusal: a Role can change
        logger.info("Pod deleted", monitor_id=input.monitor_id, pod=name, existed=existed)

    async def _adopt(self, input: PodInput) -> PodStatus:
        pod = await self._get(input)
        if pod is None:
            raise _retryable(
                CallFailed("the Pod has just vanished", retry_after_sec=VANISHED_RETRY_SEC)
            )
        if pod.monitor_id != input.monitor_id:
            raise _final(f"Pod {pod.pod_name} exists and belongs to something else")
        return pod

    async def _get(self, input: PodInput) -> PodStatus | None:
        try:
            return await self.cluster.get(pod_name(input.monitor_id, input.number))
        except CallFailed as error:
            raise _failure(error, input) from None


def _failure(error: CallFailed, input: PodInput) -> ApplicationError:
    """Return the failure of a call; final once the API has only refused for `patience_sec`."""
    # The heartbeat of an attempt tells the next one since when that is.
    now = datetime.now(UTC)
    since = (_refused_since() or now) if isinstance(error, CallRefused) else None
    activity.heartbeat(since and since.isoformat())
    if since and (now - since).total_seconds() >= input.patience_sec:
        return _final(f"{error} (for {input.patience_sec:g} s)")
    return _retryable(error)


def _refused_since() -> datetime | None:
    since = next(iter(activity.info().heartbeat_details), None)
    return datetime.fromisoformat(since) if since else None


def _retryable(error: CallFailed) -> ApplicationError:
    logger.warning("a call of the Kubernetes API failed", error=str(error))
    wait_sec = min(error.retry_after_sec or 0, RETRY_AFTER_MAX_SEC)
    return ApplicationError(
        str(error),
        type="KubernetesUnavailable",
        next_retry_delay=timedelta(seconds=wait_sec) if wait_sec else None,
        category=ApplicationErrorCategory.BENIGN,
    )


def _final(message: str) -> ApplicationError:
    return ApplicationError(message, type=POD_REFUSED, non_retryable=True)
