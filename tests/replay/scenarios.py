"""The stories whose histories are kept: one of every path through a monitor's workflow.

Each plays on a stage and returns when its monitor has ended. `SCENARIOS` names them.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio.client import WorkflowFailureError

from activities.declarations import RedeliveryInput
from monitors.config import OnDeliveryFailure
from monitors.events import EventDraft
from tests.testkit import scripts
from tests.testkit.fake_activities import closed_until, failing, slow_to_take
from tests.testkit.scripted_pods import MAX_FAILURES, live_for_a_pod
from tests.testkit.workflow_harness import MONITOR_ID, Handle, WorkflowHarness, prober
from workflows.messages import (
    POD_FAILURE_SIGNAL,
    STOP_SIGNAL,
    TASK_QUEUE,
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
async def healthy(stage: WorkflowHarness) -> str:
    stage.world.looks.extend([scripts.not_live(look_again_sec=5)] * 3)
    stage.world.watches.extend([scripts.lasting(600, scripts.checkpoint())] * 6)
    stage.world.watches.append(scripts.ends())
    return await _ended(await stage.start())


def incident(name: str, opened: EventDraft, closed: EventDraft) -> None:
    """Keep the history of an incident that opens and closes."""

    async def play(stage: WorkflowHarness) -> str:
        stage.world.watches.extend([scripts.sees(opened), scripts.sees(closed), scripts.ends()])
        return await _ended(await stage.start())

    SCENARIOS[name] = play


incident("blackout", scripts.BLACKOUT, scripts.BLACKOUT_RECOVERED)
incident("silence", scripts.SILENCE, scripts.SILENCE_RECOVERED)
incident("freeze", scripts.FREEZE, scripts.FREEZE_RECOVERED)
incident("suspended", scripts.SUSPENDED, scripts.RESUMED)
incident("segment_error", scripts.SEGMENT_ERROR, scripts.SEGMENT_ERROR_RECOVERED)


@scenario
async def delayed(stage: WorkflowHarness) -> str:
    stage.world.looks.extend([scripts.not_live(look_again_sec=60)] * 8)
    stage.world.watches.append(scripts.ends())
    return await _ended(await stage.start(scheduled_start_time=await stage.now()))


@scenario
async def unseen_while_late(stage: WorkflowHarness) -> str:
    """It may well be live: nothing is told of a delay that nobody can see."""
    stage.world.looks.append(scripts.unseen("nothing is asked for a while"))
    stage.world.looks.append(scripts.not_live(look_again_sec=600))
    stage.world.watches.append(scripts.ends())
    return await _ended(await stage.start(scheduled_start_time=await stage.now()))


@scenario
async def scheduled_far_ahead(stage: WorkflowHarness) -> str:
    stage.world.watches.append(scripts.ends())
    start = await stage.now() + timedelta(hours=3)
    return await _ended(await stage.start(scheduled_start_time=start))


@scenario
async def rescheduled_by_the_site(stage: WorkflowHarness) -> str:
    stage.world.looks.append(scripts.announced(await stage.now() + timedelta(hours=1)))
    stage.world.watches.append(scripts.ends())
    return await _ended(await stage.start())


@scenario
async def scheduled_end_while_waiting(stage: WorkflowHarness) -> str:
    stage.world.looks.extend([scripts.not_live(look_again_sec=60)] * 20)
    end = await stage.now() + timedelta(minutes=5)
    return await _ended(await stage.start(scheduled_end_time=end))


@scenario
async def scheduled_end_while_watching(stage: WorkflowHarness) -> str:
    stage.world.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    end = await stage.now() + timedelta(seconds=1)
    return await _ended(await stage.start(scheduled_end_time=end))


@scenario
async def slow_receiver(stage: WorkflowHarness) -> str:
    stage.world.receiver = slow_to_take(1, attempts=3)
    stage.world.watches.extend([scripts.sees(scripts.BLACKOUT), scripts.ends()])
    return await _ended(await stage.start())


@scenario
async def delivery_failure_that_stops(stage: WorkflowHarness) -> str:
    stage.world.receiver = failing(2, delay_sec=0.01)
    stage.world.watches.append(scripts.sees(scripts.BLACKOUT, scripts.FREEZE))
    return await _ended(await stage.start())


@scenario
async def delivery_failure_of_the_last_event(stage: WorkflowHarness) -> str:
    stage.world.receiver = failing(2)
    stage.world.watches.append(scripts.ends())
    return await _ended(await stage.start())


@scenario
async def delivery_failure_that_continues(stage: WorkflowHarness) -> str:
    stage.world.receiver = failing(1, 2)
    stage.world.watches.extend([scripts.sees(scripts.BLACKOUT), scripts.ends()])
    return await _ended(await stage.start(on_delivery_failure=OnDeliveryFailure.CONTINUE))


@scenario
async def stopped_while_scheduled(stage: WorkflowHarness) -> str:
    handle = await stage.start(scheduled_start_time=await stage.now() + timedelta(hours=3))
    await stage.world.until(lambda: bool(stage.world.statuses))
    return await _stopped(handle)


@scenario
async def stopped_while_waiting(stage: WorkflowHarness) -> str:
    stage.world.looks.append(scripts.not_live(look_again_sec=600))
    handle = await stage.start(scheduled_start_time=await stage.now())
    await stage.world.until(lambda: bool(stage.world.looked) and not stage.world.looking)
    return await _stopped(handle)


@scenario
async def stopped_while_watching(stage: WorkflowHarness) -> str:
    stage.world.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    handle = await stage.start()
    await stage.world.until(lambda: stage.world.watching == 1)
    return await _stopped(handle)


@scenario
async def stopped_while_delivering(stage: WorkflowHarness) -> str:
    opening = asyncio.Event()
    stage.world.receiver = closed_until(opening)
    handle = await stage.start()
    await stage.world.until(lambda: stage.world.watching == 1)
    await handle.signal(STOP_SIGNAL)
    await stage.world.until(lambda: stage.world.watching == 0)
    opening.set()
    return await _ended(handle)


@scenario
async def cancelled_while_watching(stage: WorkflowHarness) -> str:
    stage.world.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    handle = await stage.start()
    await stage.world.until(lambda: stage.world.watching == 1)
    return await _cancelled(handle)


@scenario
async def cancelled_while_waiting(stage: WorkflowHarness) -> str:
    stage.world.looks.append(scripts.not_live(look_again_sec=600))
    handle = await stage.start()
    await stage.world.until(lambda: bool(stage.world.looked) and not stage.world.looking)
    return await _cancelled(handle)


@scenario
async def unavailable_while_waiting(stage: WorkflowHarness) -> str:
    stage.world.looks.append(scripts.never_live("video_private", "The video is private"))
    return await _ended(await stage.start())


@scenario
async def unavailable_while_watching(stage: WorkflowHarness) -> str:
    stage.world.watches.append(scripts.lost_for_good("video_removed", "The video was removed"))
    return await _ended(await stage.start())


@scenario
async def taken_over_and_handed_back(stage: WorkflowHarness) -> str:
    stage.world.watches.extend(
        [
            scripts.taken_over(scripts.sees(scripts.SILENCE)),
            scripts.handed_back(scripts.SILENCE_RECOVERED),
            scripts.ends(),
        ]
    )
    return await _ended(await stage.start())


@scenario
async def gateway_away(stage: WorkflowHarness) -> str:
    stage.world.gateway_is_away = True
    stage.world.watches.extend([scripts.sees(scripts.BLACKOUT), scripts.ends()])
    handle = await stage.start()
    await stage.world.until(lambda: len(stage.world.received) == 3)
    stage.world.gateway_is_away = False
    return await _ended(handle)


@scenario
async def changed_while_watching(stage: WorkflowHarness) -> str:
    stage.world.watches.extend(
        [scripts.until_stopped(scripts.FREEZE), scripts.watch_that_says_nothing(), scripts.ends()]
    )
    handle = await stage.start()
    for recovery_sec in (1, 2):
        await _until_watched(stage, times=recovery_sec)
        change = MonitorChange(thresholds={"recovery_sec": recovery_sec})
        await handle.execute_update(MonitorWorkflow.change, change)
    return await _ended(handle)


@scenario
async def taken_over_by_the_next_pod(stage: WorkflowHarness) -> str:
    pods = stage.world.pods
    stage.world.looks.append(live_for_a_pod())
    going_on = asyncio.Event()
    stage.world.watches.append(scripts.until(going_on, scripts.sees(scripts.BLACKOUT)))
    stage.world.watches.append(scripts.ends())
    async with prober(stage.client, stage.world, pod_queue(MONITOR_ID)):
        handle = await stage.start()
        await stage.world.until(lambda: stage.world.watching == 1 and bool(pods.made))
        await handle.signal(POD_FAILURE_SIGNAL, pods.break_down("OOMKilled"))
        await stage.world.until(lambda: len(pods.made) == 2)
        going_on.set()
        return await _ended(handle)


@scenario
async def pods_that_keep_failing(stage: WorkflowHarness) -> str:
    stage.world.looks.append(live_for_a_pod())
    stage.world.pods.stillborn.extend(["ErrImagePull"] * MAX_FAILURES)
    return await _ended(await stage.start())


@scenario
async def no_room_for_a_pod(stage: WorkflowHarness) -> str:
    pods = stage.world.pods
    stage.world.looks.append(live_for_a_pod())
    stage.world.watches.append(scripts.ends())
    pods.used_up = "the Kubernetes API answered 403 exceeded quota: ten"
    handle = await stage.start()
    await stage.world.until(lambda: pods.asked > 3)
    pods.used_up = None
    await stage.world.until(lambda: bool(pods.made))
    async with prober(stage.client, stage.world, pod_queue(MONITOR_ID)):
        return await _ended(handle)


@scenario
async def stopped_in_a_pod(stage: WorkflowHarness) -> str:
    stage.world.looks.append(live_for_a_pod())
    stage.world.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    async with prober(stage.client, stage.world, pod_queue(MONITOR_ID)):
        handle = await stage.start()
        await stage.world.until(lambda: stage.world.watching == 1 and bool(stage.world.pods.made))
        return await _stopped(handle)


@scenario
async def redelivery(stage: WorkflowHarness) -> str:
    stage.world.watches.append(scripts.ends())
    await stage.run()
    event = stage.world.received[0]
    order = RedeliveryInput(monitor_id=event.monitor_id, event_id=event.event_id)
    workflow_id = redelivery_id(event.event_id)
    await stage.client.execute_workflow(
        RedeliveryWorkflow.run, order, id=workflow_id, task_queue=TASK_QUEUE
    )
    return workflow_id


async def _until_watched(stage: WorkflowHarness, *, times: int) -> None:
    await stage.world.until(lambda: len(stage.world.watched) == times)


async def _ended(handle: Handle) -> str:
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()
    return handle.id


async def _stopped(handle: Handle) -> str:
    await handle.signal(STOP_SIGNAL)
    return await _ended(handle)


async def _cancelled(handle: Handle) -> str:
    await handle.cancel()
    return await _ended(handle)
