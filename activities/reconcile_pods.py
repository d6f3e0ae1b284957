"""Compares the Pods of a cluster with the monitors that run."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.pod_declarations import PodReconciliationActivities, PodReconciliationReport
from kube.api_errors import CallFailed
from kube.cluster import PodCluster
from monitors.pods import MISSING, PodFailure, PodStatus

logger = structlog.get_logger(__name__)

YOUNG = timedelta(minutes=1)  # the list of monitors may not show the monitor of a younger Pod yet

LOST = timedelta(seconds=30)  # a Pod this long past its deletion deadline is on a lost node


class Monitors(Protocol):
    async def monitoring_ids(self) -> Collection[str]:
        """Return the ids of the monitors whose stream is watched; may be a little behind."""
        ...

    async def is_running(self, monitor_id: str) -> bool: ...

    async def on_failure(self, monitor_id: str, failure: PodFailure) -> bool:
        """Report a failure; see `kube.reflector.PodListener`."""
        ...


@dataclass(frozen=True)
class PodReconciliation(PodReconciliationActivities):
    """Deletes Pods without a monitor, and reports missing and failed Pods to their monitors.

    Every step is idempotent, so several orchestrators need no coordination.
    """

    cluster: PodCluster
    monitors: Monitors
    count: Callable[[PodReconciliationReport], None]

    @activity.defn
    async def reconcile_pods(self) -> PodReconciliationReport:
        try:
            # The monitors first: one that begins later has no Pod yet, and is not missing one.
            monitoring = await self.monitors.monitoring_ids()
            pods = (await self.cluster.list()).pods
            report = PodReconciliationReport(
                lost=await self._delete_lost(pods),
                removed=await self._delete_orphans(pods, monitoring),
                missing=await self._report_missing(pods, monitoring),
                failed=await self._report_failed(pods, monitoring),
            )
        except CallFailed as error:
            raise ApplicationError(str(error), type="KubernetesUnavailable") from None
        self.count(report)
        logger.info("Pods reconciled", **report.model_dump())
        return report

    async def _delete_lost(self, pods: list[PodStatus]) -> int:
        deleted = 0
        for pod in pods:
            if pod.deletion_deadline and datetime.now(UTC) - pod.deletion_deadline > LOST:
                logger.warning("Pod of a lost node", pod=pod.pod_name, uid=pod.uid)
                deleted += await self.cluster.delete(pod.pod_name, uid=pod.uid, force=True)
        return deleted

    async def _delete_orphans(self, pods: list[PodStatus], monitoring: Collection[str]) -> int:
        deleted = 0
        for pod in pods:
            if pod.monitor_id in monitoring or pod.deletion_deadline or _is_young(pod):
                continue
            if not await self.monitors.is_running(pod.monitor_id):
                logger.warning("Pod without a monitor", monitor_id=pod.monitor_id, uid=pod.uid)
                deleted += await self.cluster.delete(pod.pod_name, uid=pod.uid)
        return deleted

    async def _report_missing(self, pods: list[PodStatus], monitoring: Collection[str]) -> int:
        present = {pod.monitor_id for pod in pods if not pod.deletion_deadline}
        missing = sorted(set(monitoring) - present)
        for monitor_id in missing:
            await self.monitors.on_failure(monitor_id, PodFailure(uid=None, reason=MISSING))
        return len(missing)

    async def _report_failed(self, pods: list[PodStatus], monitoring: Collection[str]) -> int:
        """Report again: a report of the reflector may be lost with its orchestrator."""
        reported = 0
        for pod in pods:
            if pod.failure and pod.monitor_id in monitoring and not _is_young(pod):
                reported += await self.monitors.on_failure(pod.monitor_id, pod.failure)
        return reported


def _is_young(pod: PodStatus) -> bool:
    return datetime.now(UTC) - pod.created_at < YOUNG
