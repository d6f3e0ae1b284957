"""One destination: tells it one notification after the other, for as long as it exists."""

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import options, steps

with workflow.unsafe.imports_passed_through():
    from activities.destination_declarations import (
        DestinationActivities,
        NextInput,
        NextResult,
        NotificationOutcome,
        NotifyInput,
    )
    from workflows.destination_messages import (
        DESTINATION_TYPE,
        INTERRUPT_SIGNAL,
        WAKE_SIGNAL,
        DestinationInput,
    )

LONGEST_SLEEP = timedelta(days=1)
"""However sure it is that nothing is due, it asks this often."""


@workflow.defn(name=DESTINATION_TYPE)
class DestinationWorkflow:
    """Asks the gateway what is due, has it delivered, says what became of it, and sleeps.

    What is due, the gateway judges; it also knows the texts and the secrets.
    """

    @workflow.init
    def __init__(self, input: DestinationInput) -> None:
        self._destination_id = input.destination_id
        self._settled = input.settled
        self._is_woken = False
        self._is_interrupted = False
        self._delivering: workflow.ActivityHandle[NotificationOutcome] | None = None

    @workflow.run
    async def run(self, _input: DestinationInput) -> None:
        """Serve the destination until it is removed."""
        while not (due := await self._next()).is_gone:
            if due.delivery_id is not None:
                await self._deliver(due.delivery_id)
            else:
                await self._sleep(due.wait_sec)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(
                    DestinationInput(destination_id=self._destination_id, settled=self._settled)
                )

    @workflow.signal(name=WAKE_SIGNAL)
    def wake(self) -> None:
        """Ask soon: something new waits."""
        self._is_woken = True

    @workflow.signal(name=INTERRUPT_SIGNAL)
    def interrupt(self) -> None:
        """Try nothing any more that is being tried, and ask: the destination has changed."""
        self._is_woken = self._is_interrupted = True
        if self._delivering:
            self._delivering.cancel()

    async def _next(self) -> NextResult:
        self._is_woken = False
        input = NextInput(
            destination_id=self._destination_id,
            settled=self._settled,
            hand_back=self._is_interrupted,
        )
        self._is_interrupted = False
        due = await workflow.execute_activity_method(
            DestinationActivities.next_notification, input, **options.NEXT_NOTIFICATION
        )
        self._settled = None
        return due

    async def _deliver(self, delivery_id: int) -> None:
        """Have a notification delivered, with all its retries, unless that is interrupted."""
        if self._is_interrupted:  # while it was asked for
            return
        self._delivering = workflow.start_activity_method(
            DestinationActivities.deliver_notification,
            NotifyInput(destination_id=self._destination_id, delivery_id=delivery_id),
            **options.DELIVER_NOTIFICATION | {"summary": f"notification {delivery_id}"},
        )
        try:
            self._settled = await self._delivering
        except ActivityError as error:
            # What was interrupted is handed out again, as is what the gateway did not give.
            if not (self._is_interrupted or steps.is_gateway_away(error)):
                self._settled = NotificationOutcome(
                    delivery_id=delivery_id,
                    outcome="lost",
                    attempts=options.DELIVERY_STARTS,
                    error=str(error.cause or error),
                )
        finally:
            self._delivering = None

    async def _sleep(self, wait_sec: float | None) -> None:
        longest_sec = LONGEST_SLEEP.total_seconds()
        timeout = longest_sec if wait_sec is None else min(wait_sec, longest_sec)
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._is_woken, timeout=timeout)
