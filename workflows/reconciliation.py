"""Comparing the store with Temporal, started by a schedule."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from workflows import options

with workflow.unsafe.imports_passed_through():
    from activities.declarations import GatewayActivities, ReconciliationReport
    from activities.pod_declarations import PodReconciliationActivities
    from workflows.messages import TASK_QUEUE

RECONCILIATION_TYPE = "ReconciliationWorkflow"
RECONCILIATION_SCHEDULE = "stream-tracker-reconciliation"
RECONCILIATION_INTERVAL = timedelta(minutes=5)


@workflow.defn(name=RECONCILIATION_TYPE)
class ReconciliationWorkflow:
    """Has the gateway do one round for the store, and an orchestrator one for the Pods.

    Its result is the gateway's report; the web UI shows both.
    """

    @workflow.run
    async def run(self) -> ReconciliationReport:
        """Ask until they answer, or the next round is due."""
        # Beside each other: while the gateway is away, Pods are still looked after.
        report, _ = await asyncio.gather(
            workflow.execute_activity_method(GatewayActivities.reconcile, **options.RECONCILE),
            workflow.execute_activity_method(
                PodReconciliationActivities.reconcile_pods, **options.RECONCILE
            ),
        )
        return report


def reconciliation_schedule() -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            RECONCILIATION_TYPE,
            id="reconciliation",
            task_queue=TASK_QUEUE,
            execution_timeout=RECONCILIATION_INTERVAL,
            static_summary="Compares the gateway's store with Temporal and repairs the difference",
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=RECONCILIATION_INTERVAL)]),
        # What an outage kept from running is made good by the next round, not by many at once.
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=RECONCILIATION_INTERVAL
        ),
    )
