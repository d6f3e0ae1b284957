"""The round that compares what there should be with what there is."""

import asyncio

from temporalio import activity
from temporalio.worker import Worker

from activities.declarations import ReconciliationReport
from activities.pod_declarations import PodReconciliationReport
from tests.testkit.workflow_harness import WorkflowHarness
from workflows.reconciliation import ReconciliationWorkflow

QUEUE = "reconciliation"


async def test_pods_are_looked_after_while_the_gateway_is_away(harness: WorkflowHarness) -> None:
    is_back = asyncio.Event()

    @activity.defn
    async def reconcile() -> ReconciliationReport:
        await is_back.wait()
        return ReconciliationReport(started=3)

    @activity.defn
    async def reconcile_pods() -> PodReconciliationReport:
        is_back.set()
        return PodReconciliationReport(removed=1)

    async with Worker(
        harness.client,
        task_queue=QUEUE,
        workflows=[ReconciliationWorkflow],
        activities=[reconcile, reconcile_pods],
    ):
        report = await harness.client.execute_workflow(
            ReconciliationWorkflow.run, id="reconciliation", task_queue=QUEUE
        )
    assert report == ReconciliationReport(started=3)
