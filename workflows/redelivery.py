"""Sending an event once more because a user asked for it."""

from temporalio import workflow

from workflows import steps

with workflow.unsafe.imports_passed_through():
    from workflows.messages import REDELIVERY_TYPE, RedeliveryOrder


@workflow.defn(name=REDELIVERY_TYPE)
class RedeliveryWorkflow:
    """Sends one event again, whether or not its monitor still runs."""

    @workflow.run
    async def run(self, order: RedeliveryOrder) -> str:
        """Deliver the event with all its retries, tell the store, return the delivery status."""
        report = await steps.deliver(
            order.event, order.callback_url, attempts_before=order.attempts_before
        )
        attempts = order.attempts_before + report.webhook_attempts
        await steps.report_event(report.model_copy(update={"webhook_attempts": attempts}))
        return report.webhook_status.value
