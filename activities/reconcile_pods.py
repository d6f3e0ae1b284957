"""Comparing the Pods of a cluster with the monitors that run."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.declarations import PodReconciliationActivities, PodReconciliationReport
from kube.cluster import PodCluster
from kube.errors import KubernetesError
from monitors.pods import MISSING, PodFailure, PodStatus

logger = structlog.get_logger(__name__)

YOUNG = timedelta(minutes=1)
"""A Pod so young may be ahead of what is known of its monitor."""

LOST = timedelta(seconds=30)
"""A Pod that should be gone for so long is on a node that does not answer: it is struck off."""


class Monitors(Protocol):
    """The monitors' workflows."""

    async def watching(self) -> Collection[str]:
        """Return the ids of the monitors whose stream is watched; may be a little behind."""
        ...

    async def runs(self, monitor_id: str) -> bool:
        """Tell whether a monitor runs now."""
        ...

    async def on_failure(self, monitor_id: str, trouble: PodFailure) -> bool:
        """Tell a monitor that its Pod is in trouble; see `kube.reflector.PodListener`."""
        ...


class Meter(Protocol):
    """Counts what was mended."""

    def reconciled(self, report: PodReconciliationReport) -> None:
        """Add a round."""
        ...


class PodReconciliation(PodReconciliationActivities):
    """Removes Pods that nobody needs, and tells monitors that have none.

    Every step may be done twice at once, so orchestrators need not know of each other.
    """

    def __init__(self, cluster: PodCluster, monitors: Monitors, meter: Meter) -> None:
        self._cluster = cluster
        self._monitors = monitors
        self._meter = meter

    @activity.defn
    async def reconcile_pods(self) -> PodReconciliationReport:
        """Do one round.

        Raises:
            ApplicationError: it was not finished; the next attempt may.
        """
        try:
            # First the monitors: those that begin meanwhile have no Pod to be missed yet.
            watching = await self._monitors.watching()
            pods = (await self._cluster.list()).pods
            report = PodReconciliationReport(
                struck_off=await self._strike_off(pods),
                removed=await self._remove_needless(pods, watching),
                missing=await self._tell_of_missing(pods, watching),
                troubled=await self._tell_of_troubled(pods, watching),
            )
        except KubernetesError as error:
            raise ApplicationError(str(error), type="KubernetesUnavailable") from None
        self._meter.reconciled(report)
        logger.info("Pods reconciled", **report.model_dump())
        return report

    async def _strike_off(self, pods: list[PodStatus]) -> int:
        struck_off = 0
        for pod in pods:
            if pod.deletion_deadline and datetime.now(UTC) - pod.deletion_deadline > LOST:
                logger.warning("Pod of a lost node", pod=pod.pod_name, uid=pod.uid)
                struck_off += await self._cluster.delete(pod.pod_name, uid=pod.uid, at_once=True)
        return struck_off

    async def _remove_needless(self, pods: list[PodStatus], watching: Collection[str]) -> int:
        removed = 0
        for pod in pods:
            if pod.monitor_id in watching or pod.deletion_deadline or _is_young(pod):
                continue
            if not await self._monitors.runs(pod.monitor_id):
                logger.warning("Pod without a monitor", monitor_id=pod.monitor_id, uid=pod.uid)
                removed += await self._cluster.delete(pod.pod_name, uid=pod.uid)
        return removed

    async def _tell_of_missing(self, pods: list[PodStatus], watching: Collection[str]) -> int:
        present = {pod.monitor_id for pod in pods if not pod.deletion_deadline}
        missing = sorted(set(watching) - present)
        for monitor_id in missing:
            await self._monitors.on_failure(monitor_id, PodFailure(uid=None, reason=MISSING))
        return len(missing)

    async def _tell_of_troubled(self, pods: list[PodStatus], watching: Collection[str]) -> int:
        """Make good what was lost between a watch of the Pods and their monitors."""
        told = 0
        for pod in pods:
            if pod.trouble and pod.monitor_id in watching and not _is_young(pod):
                told += await self._monitors.on_failure(pod.monitor_id, pod.trouble)
        return told


def _is_young(pod: PodStatus) -> bool:
    return datetime.now(UTC) - pod.created_at < YOUNG
