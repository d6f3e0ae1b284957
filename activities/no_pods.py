"""The reconciliation of Pods where monitors have none: its workflow does not know the placement."""

from temporalio import activity

from activities.declarations import RECONCILE_PODS, PodReconciliationReport


class NoPods:
    """Has nothing to compare."""

    @activity.defn(name=RECONCILE_PODS)
    async def reconcile(self) -> PodReconciliationReport:
        """Return that nothing was mended."""
        return PodReconciliationReport()
