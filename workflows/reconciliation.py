"""Comparing the store with Temporal, started by a schedule."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.declarations import RECONCILE, ReconciliationReport

RECONCILIATION_TYPE = "ReconciliationWorkflow"


@workflow.defn(name=RECONCILIATION_TYPE)
class ReconciliationWorkflow:
    """Has the gateway, which alone knows the store, do one round; its result is the report."""

    @workflow.run
    async def run(self) -> ReconciliationReport:
        """Ask until a gateway answers, or the next round is due."""
        report: ReconciliationReport = await workflow.execute_activity(
            RECONCILE,
            result_type=ReconciliationReport,
            start_to_close_timeout=timedelta(seconds=90),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=5), maximum_interval=timedelta(seconds=30)
            ),
        )
        return report
