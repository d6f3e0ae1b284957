"""For placement `pool`: the workflow that reconciles Pods does not know the placement.

It is apart from `reconcile_pods`, which imports the client of Kubernetes: a second of CPU.
"""

from temporalio import activity

from activities.pod_declarations import PodReconciliationActivities, PodReconciliationReport


class NoPods(PodReconciliationActivities):
    @activity.defn
    async def reconcile_pods(self) -> PodReconciliationReport:
        return PodReconciliationReport()
