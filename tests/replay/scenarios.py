"""The stories whose histories are kept: one of every path through a monitor's workflow.

Each runs in a harness and returns when its monitor has ended. `SCENARIOS` names them.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.declarations import DELIVERY_FAILED, GATEWAY_UNAVAILABLE, RedeliveryInput
from activities.destination_declarations import NotificationOutcome, ServeResult
from monitors.config import OnDeliveryFailure
from monitors.events import EventDraft, EventType
from tests.testkit import scripts
from tests.testkit.fake_activities import closed_until, failing, slow_to_take
from tests.testkit.scripted_pods import MAX_FAILURES, live_for_a_pod
from tests.testkit.workflow_harness import MONITOR_ID, Handle, WorkflowHarness, prober
from workflows.destination import DestinationWorkflow
from workflows.messages import (
    INTERRUPT_SIGNAL,
    POD_FAILED_SIGNAL,
    SILENCE_ENDED_SIGNAL,
    STOP_SIGNAL,
    TASK_QUEUE,
    WAKE_SIGNAL,
    DestinationInput,
    MonitorChange,
    redelivery_id,
)
from workflows.monitor import MonitorWorkflow
from workflows.options import pod_queue
from workflows.redelivery import RedeliveryWorkflow

Scenario = Callable[[WorkflowHarness], Awaitable[str]]
"""Plays a story; returns the id of the workflow whose history tells it."""

SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Scenario:
    """Keep the history of this story, under its function's name."""
    SCENARIOS[getattr(play, "__name__", "")] = play
    return play


@scenario
async def healthy(harness: WorkflowHarness) -> str:
    harness.activities.looks.extend([scripts.not_live(look_again_sec=5)] * 3)
    harness.activities.watches.extend([scripts.lasting(600, scripts.checkpoint())] * 6)
    harness.activities.watches.append(scripts.ends())
    return await _ended(await harness.start())


def incident(name: str, opened: EventDraft, closed: EventDraft) -> None:
    """Keep the history of an incident that opens and closes."""

    async def play(harness: WorkflowHarness) -> str:
        harness.activities.watches.extend(
            [scripts.sees(opened), scripts.sees(closed), scripts.ends()]
        )
        return await _ended(await harness.start())

    SCENARIOS[name] = play


incident("blackout", scripts.BLACKOUT, scripts.BLACKOUT_RECOVERED)
incident("silence", scripts.SILENCE, scripts.SILENCE_RECOVERED)
incident("freeze", scripts.FREEZE, scripts.FREEZE_RECOVERED)
incident("suspended", scripts.SUSPENDED, scripts.RESUMED)
incident("segment_error", scripts.SEGMENT_ERROR, scripts.SEGMENT_ERROR_RECOVERED)


@scenario
async def delayed(harness: WorkflowHarness) -> str:
    harness.activities.looks.extend([scripts.not_live(look_again_sec=60)] * 8)
    harness.activities.watches.append(scripts.ends())
    return await _ended(await harness.start(scheduled_start_time=await harness.now()))


@scenario
async def unseen_while_late(harness: WorkflowHarness) -> str:
    """It may well be live: nothing is told of a delay that nobody can see."""
    harness.activities.looks.append(scripts.unseen("nothing is asked for a while"))
    harness.activities.looks.append(scripts.not_live(look_again_sec=600))
    harness.activities.watches.append(scripts.ends())
    return await _ended(await harness.start(scheduled_start_time=await harness.now()))


@scenario
async def scheduled_far_ahead(harness: WorkflowHarness) -> str:
    harness.activities.watches.append(scripts.ends())
    start = await harness.now() + timedelta(hours=3)
    return await _ended(await harness.start(scheduled_start_time=start))


@scenario
async def rescheduled_by_the_site(harness: WorkflowHarness) -> str:
    harness.activities.looks.append(scripts.announced(await harness.now() + timedelta(hours=1)))
    harness.activities.watches.append(scripts.ends())
    return await _ended(await harness.start())


@scenario
async def scheduled_end_while_waiting(harness: WorkflowHarness) -> str:
    harness.activities.looks.extend([scripts.not_live(look_again_sec=60)] * 20)
    end = await harness.now() + timedelta(minutes=5)
    return await _ended(await harness.start(scheduled_end_time=end))


@scenario
async def scheduled_end_while_watching(harness: WorkflowHarness) -> str:
    harness.activities.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    end = await harness.now() + timedelta(seconds=1)
    return await _ended(await harness.start(scheduled_end_time=end))


@scenario
async def slow_receiver(harness: WorkflowHarness) -> str:
    harness.activities.receiver = slow_to_take(1, attempts=3)
    harness.activities.watches.extend([scripts.sees(scripts.BLACKOUT), scripts.ends()])
    return await _ended(await harness.start())


@scenario
async def delivery_failure_that_stops(harness: WorkflowHarness) -> str:
    harness.activities.receiver = failing(2, delay_sec=0.01)
    harness.activities.watches.append(scripts.sees(scripts.BLACKOUT, scripts.FREEZE))
    return await _ended(await harness.start())


@scenario
async def delivery_failure_of_the_last_event(harness: WorkflowHarness) -> str:
    harness.activities.receiver = failing(2)
    harness.activities.watches.append(scripts.ends())
    return await _ended(await harness.start())


@scenario
async def delivery_failure_that_continues(harness: WorkflowHarness) -> str:
    harness.activities.receiver = failing(1, 2)
    harness.activities.watches.extend([scripts.sees(scripts.BLACKOUT), scripts.ends()])
    return await _ended(await harness.start(on_delivery_failure=OnDeliveryFailure.CONTINUE))


@scenario
async def stopped_while_scheduled(harness: WorkflowHarness) -> str:
    handle = await harness.start(scheduled_start_time=await harness.now() + timedelta(hours=3))
    await harness.activities.until(lambda: bool(harness.activities.statuses))
    return await _stopped(handle)


@scenario
async def stopped_while_waiting(harness: WorkflowHarness) -> str:
    harness.activities.looks.append(scripts.not_live(look_again_sec=600))
    handle = await harness.start(scheduled_start_time=await harness.now())
    await harness.activities.until(
        lambda: bool(harness.activities.looked) and not harness.activities.looking
    )
    return await _stopped(handle)


@scenario
async def stopped_while_watching(harness: WorkflowHarness) -> str:
    harness.activities.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    handle = await harness.start()
    await harness.activities.until(lambda: harness.activities.watching == 1)
    return await _stopped(handle)


@scenario
async def stopped_while_delivering(harness: WorkflowHarness) -> str:
    opening = asyncio.Event()
    harness.activities.receiver = closed_until(opening)
    handle = await harness.start()
    await harness.activities.until(lambda: harness.activities.watching == 1)
    await handle.signal(STOP_SIGNAL)
    await harness.activities.until(lambda: harness.activities.watching == 0)
    opening.set()
    return await _ended(handle)


@scenario
async def cancelled_while_watching(harness: WorkflowHarness) -> str:
    harness.activities.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    handle = await harness.start()
    await harness.activities.until(lambda: harness.activities.watching == 1)
    return await _cancelled(handle)


@scenario
async def cancelled_while_waiting(harness: WorkflowHarness) -> str:
    harness.activities.looks.append(scripts.not_live(look_again_sec=600))
    handle = await harness.start()
    await harness.activities.until(
        lambda: bool(harness.activities.looked) and not harness.activities.looking
    )
    return await _cancelled(handle)


@scenario
async def unavailable_while_waiting(harness: WorkflowHarness) -> str:
    harness.activities.looks.append(scripts.never_live("video_private", "The video is private"))
    return await _ended(await harness.start())


@scenario
async def unavailable_while_watching(harness: WorkflowHarness) -> str:
    harness.activities.watches.append(
        scripts.lost_for_good("video_removed", "The video was removed")
    )
    return await _ended(await harness.start())


@scenario
async def taken_over_and_handed_back(harness: WorkflowHarness) -> str:
    harness.activities.watches.extend(
        [
            scripts.taken_over(scripts.sees(scripts.SILENCE)),
            scripts.handed_back(scripts.SILENCE_RECOVERED),
            scripts.ends(),
        ]
    )
    return await _ended(await harness.start())


@scenario
async def silenced(harness: WorkflowHarness) -> str:
    """One incident ends in a silence, another one outlives it."""
    black = _incident("inc-1", EventType.BLACKOUT), _incident("inc-1", EventType.BLACKOUT_RECOVERED)
    frozen = _incident("inc-2", EventType.FREEZE), _incident("inc-2", EventType.FREEZE_RECOVERED)
    activities, going_on = harness.activities, asyncio.Event()
    activities.silenced_until = scripts.MOMENT
    activities.watches.append(scripts.sees(black[0], black[1], frozen[0]))
    activities.watches.append(scripts.until(going_on, scripts.sees(frozen[1])))
    activities.watches.append(scripts.ends())
    handle = await harness.start()
    await activities.until(lambda: (4, None) in activities.asked)
    activities.silenced_until = None
    await handle.signal(SILENCE_ENDED_SIGNAL)
    await activities.until(lambda: len(activities.received) == 2)
    going_on.set()
    return await _ended(handle)


def _incident(incident_id: str, event_type: EventType) -> EventDraft:
    return scripts.happening(event_type, incident_id=incident_id)


@scenario
async def gateway_away(harness: WorkflowHarness) -> str:
    harness.activities.gateway_is_away = True
    harness.activities.watches.extend([scripts.sees(scripts.BLACKOUT), scripts.ends()])
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.received) == 3)
    harness.activities.gateway_is_away = False
    return await _ended(handle)


@scenario
async def changed_while_watching(harness: WorkflowHarness) -> str:
    harness.activities.watches.extend(
        [scripts.until_stopped(scripts.FREEZE), scripts.watch_that_says_nothing(), scripts.ends()]
    )
    handle = await harness.start()
    for recovery_sec in (1, 2):
        await _until_watched(harness, times=recovery_sec)
        change = MonitorChange(thresholds={"recovery_sec": recovery_sec})
        await handle.execute_update(MonitorWorkflow.change, change)
    return await _ended(handle)


@scenario
async def taken_over_by_the_next_pod(harness: WorkflowHarness) -> str:
    pods = harness.activities.pods
    harness.activities.looks.append(live_for_a_pod())
    going_on = asyncio.Event()
    harness.activities.watches.append(scripts.until(going_on, scripts.sees(scripts.BLACKOUT)))
    harness.activities.watches.append(scripts.ends())
    async with prober(harness.client, harness.activities, pod_queue(MONITOR_ID)):
        handle = await harness.start()
        await harness.activities.until(lambda: harness.activities.watching == 1 and bool(pods.made))
        await handle.signal(POD_FAILED_SIGNAL, pods.break_down("OOMKilled"))
        await harness.activities.until(lambda: len(pods.made) == 2)
        going_on.set()
        return await _ended(handle)


@scenario
async def pods_that_keep_failing(harness: WorkflowHarness) -> str:
    harness.activities.looks.append(live_for_a_pod())
    harness.activities.pods.stillborn.extend(["ErrImagePull"] * MAX_FAILURES)
    return await _ended(await harness.start())


@scenario
async def no_room_for_a_pod(harness: WorkflowHarness) -> str:
    pods = harness.activities.pods
    harness.activities.looks.append(live_for_a_pod())
    harness.activities.watches.append(scripts.ends())
    pods.used_up = "the Kubernetes API answered 403 exceeded quota: ten"
    handle = await harness.start()
    await harness.activities.until(lambda: pods.asked > 3)
    pods.used_up = None
    await harness.activities.until(lambda: bool(pods.made))
    async with prober(harness.client, harness.activities, pod_queue(MONITOR_ID)):
        return await _ended(handle)


@scenario
async def stopped_in_a_pod(harness: WorkflowHarness) -> str:
    harness.activities.looks.append(live_for_a_pod())
    harness.activities.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    async with prober(harness.client, harness.activities, pod_queue(MONITOR_ID)):
        handle = await harness.start()
        await harness.activities.until(
            lambda: harness.activities.watching == 1 and bool(harness.activities.pods.made)
        )
        return await _stopped(handle)


@scenario
async def redelivery(harness: WorkflowHarness) -> str:
    harness.activities.watches.append(scripts.ends())
    await harness.run()
    event = harness.activities.received[0]
    order = RedeliveryInput(monitor_id=event.monitor_id, event_id=event.event_id)
    workflow_id = redelivery_id(event.event_id)
    await harness.client.execute_workflow(
        RedeliveryWorkflow.run, order, id=workflow_id, task_queue=TASK_QUEUE
    )
    return workflow_id


@scenario
async def destination_served(harness: WorkflowHarness) -> str:
    """It has something to tell twice, waits for what is due, is woken, and is removed."""
    served = harness.activities.destination
    served.script.extend([ServeResult(delivery_id=2), ServeResult(wait_sec=5), ServeResult()])
    handle = await _destination(harness)
    await harness.activities.until(lambda: len(served.served) == 3)
    await handle.signal(WAKE_SIGNAL)
    return await _ended(handle)


@scenario
async def destination_interrupted(harness: WorkflowHarness) -> str:
    served = harness.activities.destination
    served.script.append(None)
    handle = await _destination(harness)
    await harness.activities.until(lambda: served.is_busy)
    await handle.signal(INTERRUPT_SIGNAL)
    return await _ended(handle)


@scenario
async def destination_without_its_gateway(harness: WorkflowHarness) -> str:
    """First it does not take an outcome, then it gives no answer in all attempts."""
    settled = NotificationOutcome(delivery_id=1, outcome="delivered", attempts=1)
    away = ApplicationError("no answer", type=GATEWAY_UNAVAILABLE, non_retryable=True)
    harness.activities.destination.script.extend([ServeResult(settled=settled), away])
    return await _ended(await _destination(harness))


@scenario
async def destination_that_gives_up(harness: WorkflowHarness) -> str:
    broken = ApplicationError("broken", type=DELIVERY_FAILED, non_retryable=True)
    harness.activities.destination.script.append(broken)
    return await _ended(await _destination(harness))


async def _destination(harness: WorkflowHarness) -> WorkflowHandle[Any, None]:
    return await harness.client.start_workflow(
        DestinationWorkflow.run,
        DestinationInput(destination_id="dst-1"),
        id="destination-dst-1",
        task_queue=TASK_QUEUE,
    )


async def _until_watched(harness: WorkflowHarness, *, times: int) -> None:
    await harness.activities.until(lambda: len(harness.activities.watched) == times)


async def _ended(handle: WorkflowHandle[Any, Any]) -> str:
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()
    return handle.id


async def _stopped(handle: Handle) -> str:
    await handle.signal(STOP_SIGNAL)
    return await _ended(handle)


async def _cancelled(handle: Handle) -> str:
    await handle.cancel()
    return await _ended(handle)
