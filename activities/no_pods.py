"""The reconciliation of Pods where monitors have none: its workflow does not know the placement."""

from temporalio import activity

from activities.declarations import PodReconciliationActivities, PodReconciliationReport


class NoPods(PodReconciliationActivities):
    """Has nothing to compare."""

    @activity.defn
    async def reconcile_pods(self) -> PodReconciliationReport:
        """Return that nothing was mended."""
        return PodReconciliationReport()
