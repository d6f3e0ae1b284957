"""Comparing the store with Temporal, started by a schedule."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.declarations import (
        RECONCILE,
        RECONCILE_PODS,
        PodReconciliationReport,
        ReconciliationReport,
    )

RECONCILIATION_TYPE = "ReconciliationWorkflow"

REQUEST: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=90),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=5), maximum_interval=timedelta(seconds=30)
    ),
}


@workflow.defn(name=RECONCILIATION_TYPE)
class ReconciliationWorkflow:
    """Has the gateway, which alone knows the store, do one round, and an orchestrator for Pods.

    Its result is the gateway's report; the web UI shows both.
    """

    @workflow.run
    async def run(self) -> ReconciliationReport:
        """Ask until they answer, or the next round is due."""
        report: ReconciliationReport
        # Beside each other: while the gateway is away, Pods are still looked after.
        report, _ = await asyncio.gather(
            workflow.execute_activity(RECONCILE, result_type=ReconciliationReport, **REQUEST),
            workflow.execute_activity(
                RECONCILE_PODS, result_type=PodReconciliationReport, **REQUEST
            ),
        )
        return report
