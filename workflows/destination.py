"""One destination: delivers its notifications, one after the other, as long as it exists."""

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from workflows import options, steps

with workflow.unsafe.imports_passed_through():
    from activities.destination_declarations import DestinationActivities, ServeInput, ServeResult
    from workflows.messages import DESTINATION_TYPE, INTERRUPT_SIGNAL, WAKE_SIGNAL, DestinationInput

LONGEST_SLEEP = timedelta(days=1)  # however sure it is that nothing is due, it asks this often


@workflow.defn(name=DESTINATION_TYPE)
class DestinationWorkflow:
    """Has what is due delivered, and sleeps.

    The gateway decides what is due; only it knows the texts and the secrets.
    """

    @workflow.init
    def __init__(self, input: DestinationInput) -> None:
        self._carried = input
        self._is_woken = False
        self._serving: workflow.ActivityHandle[ServeResult] | None = None

    @workflow.run
    async def run(self, _input: DestinationInput) -> None:
        """Serve the destination until it is removed."""
        while not (served := await self._serve()).is_gone:
            if not served.has_more:
                await self._sleep(served.wait_sec)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._carried)

    @workflow.signal(name=WAKE_SIGNAL)
    def wake(self) -> None:
        """Ask soon: something new waits."""
        self._is_woken = True

    @workflow.signal(name=INTERRUPT_SIGNAL)
    def interrupt(self) -> None:
        """Cancel the attempt that is running, and ask again: the destination has changed."""
        self._is_woken = self._carried.is_interrupted = True
        if self._serving:
            self._serving.cancel()

    async def _serve(self) -> ServeResult:
        """Have the next notification delivered, with all its retries, unless interrupted."""
        carried = self._carried
        input = ServeInput(
            destination_id=carried.destination_id,
            settled=carried.settled,
            hand_back=carried.is_interrupted,
            given_up=carried.given_up,
        )
        self._is_woken = carried.is_interrupted = False
        self._serving = workflow.start_activity_method(
            DestinationActivities.serve_destination, input, **options.SERVE_DESTINATION
        )
        try:
            served = await self._serving
        except ActivityError as error:
            # What was interrupted is handed out again, as is what the gateway did not give.
            self._is_woken = True
            carried.is_interrupted |= input.hand_back
            if not (carried.is_interrupted or steps.is_gateway_away(error)):
                carried.given_up = str(error.cause or error)
            return ServeResult()
        finally:
            self._serving = None
        carried.settled, carried.given_up = served.settled, None
        return served

    async def _sleep(self, wait_sec: float | None) -> None:
        longest_sec = LONGEST_SLEEP.total_seconds()
        timeout = longest_sec if wait_sec is None else min(wait_sec, longest_sec)
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._is_woken, timeout=timeout)
