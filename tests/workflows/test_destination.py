"""The workflow of a destination: asks, sleeps, is woken and interrupted, and loses no outcome."""

from collections import deque
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.declarations import DELIVERY_FAILED, GATEWAY_UNAVAILABLE
from activities.destination_declarations import NotificationOutcome, ServeResult
from tests.testkit.workflow_harness import WorkflowHarness
from workflows.destination import DestinationWorkflow
from workflows.messages import TASK_QUEUE, DestinationInput

Handle = WorkflowHandle[Any, None]

INPUT = DestinationInput(destination_id="dst-1")
MOST_EVENTS = 13
"""What a notification to a destination that sleeps may add to the history."""


async def start(harness: WorkflowHarness, input: DestinationInput = INPUT) -> Handle:
    return await harness.client.start_workflow(
        DestinationWorkflow.run,
        input,
        id=f"destination-{input.destination_id}",
        task_queue=TASK_QUEUE,
    )


async def test_a_notification_costs_little_history(harness: WorkflowHarness) -> None:
    served, count = harness.activities.destination, 10
    served.script.extend([ServeResult()] * (count + 1))
    handle = await start(harness)
    lengths = []
    for number in range(1, count + 2):
        await harness.activities.until(lambda: len(served.served) == number)  # noqa: B023
        lengths.append((await handle.describe()).history_length)
        await handle.signal("wake")
    await handle.result()
    assert (lengths[-1] - lengths[0]) / count <= MOST_EVENTS


async def test_one_that_is_tried_for_an_hour_delays_no_other(harness: WorkflowHarness) -> None:
    served = harness.activities.destination
    hangs = ApplicationError("hangs", type=DELIVERY_FAILED, next_retry_delay=timedelta(hours=1))
    served.others["dst-2"] = deque([hangs])
    served.script.extend([ServeResult()] * 5)
    hanging = await start(harness, DestinationInput(destination_id="dst-2"))
    handle = await start(harness)
    for number in range(2, 6):
        await harness.pass_time(600)
        asked_at = await harness.now()
        await handle.signal("wake")
        await harness.activities.until(lambda: served.count("dst-1") == number)  # noqa: B023
        assert await harness.now() - asked_at < timedelta(minutes=1)
    assert served.count("dst-2") == 1
    await hanging.result()
    assert served.count("dst-2") == 2


async def test_an_outcome_that_the_gateway_did_not_take_is_told_until_it_does(
    harness: WorkflowHarness,
) -> None:
    settled = NotificationOutcome(delivery_id=1, outcome="delivered", attempts=1)
    away = ApplicationError("no answer", type=GATEWAY_UNAVAILABLE, non_retryable=True)
    served = harness.activities.destination
    served.script.extend([ServeResult(settled=settled), away, ServeResult(delivery_id=2)])
    await (await start(harness)).result()
    assert [each.settled for each in served.served] == [None, settled, settled, None]


async def test_what_breaks_every_attempt_is_given_up(harness: WorkflowHarness) -> None:
    broken = ApplicationError("broken", type=DELIVERY_FAILED, non_retryable=True)
    served = harness.activities.destination
    served.script.extend([broken, ServeResult(delivery_id=2)])
    await (await start(harness)).result()
    assert [each.given_up is not None for each in served.served] == [False, True, False]


async def test_a_change_interrupts_what_is_tried(harness: WorkflowHarness) -> None:
    served = harness.activities.destination
    served.script.append(None)
    handle = await start(harness)
    await harness.activities.until(lambda: served.is_busy)
    await handle.signal("interrupt")
    await handle.result()
    assert [each.hand_back for each in served.served] == [False, True]


async def test_an_interruption_is_known_in_the_next_run(harness: WorkflowHarness) -> None:
    await (await start(harness, INPUT.model_copy(update={"is_interrupted": True}))).result()
    assert [each.hand_back for each in harness.activities.destination.served] == [True]
