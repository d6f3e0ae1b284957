"""Sending an event once more because a user asked for it."""

from temporalio import workflow

from workflows import steps

with workflow.unsafe.imports_passed_through():
    from activities.declarations import RedeliveryInput
    from workflows.messages import REDELIVERY_TYPE


@workflow.defn(name=REDELIVERY_TYPE)
class RedeliveryWorkflow:
    """Sends one event again, whether or not its monitor still runs.

    It gets ids alone. What is signed, and where it goes, comes from the store.
    """

    @workflow.run
    async def run(self, order: RedeliveryInput) -> str:
        """Deliver the event with all its retries, tell the store, return the delivery status."""
        report = await steps.redeliver(order)
        await steps.report_event(report)
        return report.webhook_status.value
