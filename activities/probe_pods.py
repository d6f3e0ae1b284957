"""The Pod of one monitor: making it, looking at it, removing it."""

from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.declarations import (
    POD_REFUSED,
    PodActivities,
    PodDeletion,
    PodInput,
    PodResult,
)
from kube.cluster import PodCluster
from kube.errors import CallFailed, CallRefused, NameTaken
from monitors.pods import PodStatus, pod_name

logger = structlog.get_logger(__name__)

GONE_AGAIN_SEC = 1.0
RETRY_AFTER_MAX_SEC = 60.0


class ProbePods(PodActivities):
    """Makes, looks at and removes Pods, one call a Pod."""

    def __init__(self, cluster: PodCluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def ensure_probe_pod(self, order: PodInput) -> PodStatus:
        """Make the Pod, or adopt the one that is there; its trouble, if any, is returned with it.

        Raises:
            ApplicationError: `PodRefused`, final; else another attempt may succeed.
        """
        try:
            pod = await self._cluster.create(order.monitor_id, order.number)
            logger.info("Pod made", monitor_id=order.monitor_id, pod=pod.pod_name)
            return pod
        except NameTaken:
            return await self._adopt(order)
        except CallFailed as error:
            raise _failure(error, order) from None

    @activity.defn
    async def inspect_probe_pod(self, order: PodInput) -> PodResult:
        """Look at the Pod; raises as `ensure` does."""
        return PodResult(pod=await self._get(order))

    @activity.defn
    async def delete_probe_pod(self, order: PodDeletion) -> None:
        """Delete the Pod; one that is not there is fine.

        Raises:
            ApplicationError: it is to be tried again: rights that are missing may be given.
        """
        name = pod_name(order.monitor_id, order.number)
        try:
            was_there = await self._cluster.delete(name, uid=order.uid)
        except CallFailed as error:
            raise _again(error) from None
        logger.info("Pod deleted", monitor_id=order.monitor_id, pod=name, was_there=was_there)

    async def _adopt(self, order: PodInput) -> PodStatus:
        pod = await self._get(order)
        if pod is None:
            raise _again(CallFailed("the Pod has gone just now", retry_after_sec=GONE_AGAIN_SEC))
        if pod.monitor_id != order.monitor_id:
            raise _refusal(f"Pod {pod.pod_name} exists and is none of ours")
        return pod

    async def _get(self, order: PodInput) -> PodStatus | None:
        try:
            return await self._cluster.get(pod_name(order.monitor_id, order.number))
        except CallFailed as error:
            raise _failure(error, order) from None


def _failure(error: CallFailed, order: PodInput) -> ApplicationError:
    """Return what a failed call means: a refusal is final when nothing else was said for long.

    Each attempt leaves with its heartbeat since when the API has done nothing but refuse.
    """
    now = datetime.now(UTC)
    is_refused = isinstance(error, CallRefused)
    since = (_refused_since() or now) if is_refused else None
    activity.heartbeat(since and since.isoformat())
    if since and (now - since).total_seconds() >= order.patience_sec:
        return _refusal(f"{error} (for {order.patience_sec:g} s)")
    return _again(error)


def _refused_since() -> datetime | None:
    since = next(iter(activity.info().heartbeat_details), None)
    return datetime.fromisoformat(since) if since else None


def _again(error: CallFailed) -> ApplicationError:
    logger.warning("the Kubernetes API did not do it", error=str(error))
    wait_sec = min(error.retry_after_sec or 0, RETRY_AFTER_MAX_SEC)
    return ApplicationError(
        str(error),
        type="KubernetesUnavailable",
        next_retry_delay=timedelta(seconds=wait_sec) if wait_sec else None,
        category=ApplicationErrorCategory.BENIGN,
    )


def _refusal(message: str) -> ApplicationError:
    return ApplicationError(message, type=POD_REFUSED, non_retryable=True)
