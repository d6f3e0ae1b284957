"""The Pod of one monitor: making it, looking at it, removing it."""

from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.declarations import (
    DELETE_PROBE_POD,
    ENSURE_PROBE_POD,
    INSPECT_PROBE_POD,
    POD_REFUSED,
    PodDeletion,
    PodOrder,
    PodReturn,
)
from kube.cluster import PodCluster
from kube.errors import CallFailed, CallRefused, KubernetesError, NameTaken
from monitors.pods import PodSeen

logger = structlog.get_logger(__name__)

LEAVING_AGAIN_SEC = 1.0
RETRY_AFTER_MAX_SEC = 60.0

LOST = timedelta(seconds=30)
"""A Pod that should be gone for so long is on a node that does not answer: it is struck off."""


class ProbePods:
    """Makes, looks at and removes Pods, one call a Pod."""

    def __init__(self, cluster: PodCluster) -> None:
        self._cluster = cluster

    @activity.defn(name=ENSURE_PROBE_POD)
    async def ensure(self, order: PodOrder) -> PodSeen:
        """Make the Pod, or adopt the one that is there; its trouble, if any, is returned with it.

        Raises:
            ApplicationError: `PodRefused`, final; else another attempt may succeed.
        """
        try:
            pod = await self._cluster.create(order.monitor_id)
            logger.info("Pod made", monitor_id=order.monitor_id, pod=pod.pod_name)
            return pod
        except NameTaken:
            return await self._adopt(order.monitor_id)
        except KubernetesError as error:
            raise _failure(error) from None

    @activity.defn(name=INSPECT_PROBE_POD)
    async def inspect(self, order: PodOrder) -> PodReturn:
        """Look at the Pod; raises as `ensure` does."""
        try:
            return PodReturn(pod=await self._cluster.get(order.monitor_id))
        except KubernetesError as error:
            raise _failure(error) from None

    @activity.defn(name=DELETE_PROBE_POD)
    async def delete(self, order: PodDeletion) -> None:
        """Delete the Pod; one that is not there is fine.

        Raises:
            ApplicationError: it is to be tried again: rights that are missing may be given.
        """
        try:
            was_there = await self._cluster.delete(order.monitor_id, uid=order.uid)
        except KubernetesError as error:
            raise _failure(error, is_final=False) from None
        logger.info("Pod deleted", monitor_id=order.monitor_id, was_there=was_there)

    async def _adopt(self, monitor_id: str) -> PodSeen:
        try:
            pod = await self._cluster.get(monitor_id)
            if pod is None:
                raise _again("the last Pod has gone just now")
            if pod.monitor_id != monitor_id:
                raise _refusal(f"Pod {pod.pod_name} exists and is none of ours")
            if pod.gone_by is None:
                return pod
            if datetime.now(UTC) - pod.gone_by > LOST:
                await self._cluster.delete(monitor_id, uid=pod.uid, at_once=True)
        except KubernetesError as error:
            raise _failure(error) from None
        raise _again("the last Pod is still leaving")


def _failure(error: KubernetesError, *, is_final: bool = True) -> ApplicationError:
    if isinstance(error, CallRefused) and is_final:
        return _refusal(str(error))
    wait_sec = error.retry_after_sec if isinstance(error, CallFailed) else None
    logger.warning("the Kubernetes API did not do it", error=str(error))
    return ApplicationError(
        str(error),
        type="KubernetesUnavailable",
        next_retry_delay=timedelta(seconds=min(wait_sec, RETRY_AFTER_MAX_SEC))
        if wait_sec
        else None,
        category=ApplicationErrorCategory.BENIGN,
    )


def _refusal(message: str) -> ApplicationError:
    return ApplicationError(message, type=POD_REFUSED, non_retryable=True)


def _again(why: str) -> ApplicationError:
    return ApplicationError(
        why,
        type="PodLeaving",
        next_retry_delay=timedelta(seconds=LEAVING_AGAIN_SEC),
        category=ApplicationErrorCategory.BENIGN,
    )
