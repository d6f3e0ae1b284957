"""Sending an event again because a user asked for it."""

from temporalio import workflow
from temporalio.exceptions import ActivityError
from temporalio.workflow import ActivityConfig

from workflows import options, steps

with workflow.unsafe.imports_passed_through():
    from activities.declarations import DeliveryActivities, RedeliveryInput
    from monitors.reports import EventReport
    from workflows.messages import REDELIVERY_TYPE


@workflow.defn(name=REDELIVERY_TYPE)
class RedeliveryWorkflow:
    """Sends one event again, while its monitor runs or after its end.

    It gets ids alone. What is signed, and where it goes, comes from the store.
    """

    @workflow.run
    async def run(self, input: RedeliveryInput) -> str:
        """Deliver the event with all its retries, report it, return the delivery status.

        Raises:
            ActivityError: there is no such event any more.
        """
        report = await _redeliver(input)
        await steps.report_event(report)
        return report.webhook_status.value


async def _redeliver(input: RedeliveryInput) -> EventReport:
    while True:
        try:
            return await _attempt(input, options.DELIVER_WEBHOOK)
        except ActivityError as error:
            if steps.is_gateway_away(error):
                continue
            given_up = input.model_copy(update={"given_up": str(error.cause or error)})
            return await _attempt(given_up, options.REPORT)


async def _attempt(input: RedeliveryInput, config: ActivityConfig) -> EventReport:
    return await workflow.execute_activity_method(
        DeliveryActivities.redeliver_webhook,
        input,
        **config | {"summary": f"event {input.event_id}"},
    )
