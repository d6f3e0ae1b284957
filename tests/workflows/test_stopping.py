"""A monitor that is stopped: nothing keeps running, nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError

from monitors.config import OnDeliveryFailure
from monitors.events import EventType
from monitors.status import DeliveryStatus, MonitorStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import closed_until, failing
from tests.testkit.workflow_harness import Handle, WorkflowHarness, snapshot_of
from workflows.messages import STOP_SIGNAL

Phase = Callable[[WorkflowHarness], Awaitable[Handle]]


async def scheduled(stage: WorkflowHarness) -> Handle:
    handle = await stage.start(scheduled_start_time=await stage.now() + timedelta(hours=2))
    await stage.world.until(lambda: bool(stage.world.statuses))
    return handle


async def waiting_between_looks(stage: WorkflowHarness) -> Handle:
    stage.world.looks.append(scripts.not_live(look_again_sec=3600))
    handle = await stage.start()
    await stage.world.until(lambda: bool(stage.world.looked) and not stage.world.looking)
    return handle


async def waiting_for_a_late_stream(stage: WorkflowHarness) -> Handle:
    stage.world.looks.append(scripts.not_live(look_again_sec=3600))
    handle = await stage.start(scheduled_start_time=await stage.now())
    await stage.world.until(lambda: bool(stage.world.looked) and not stage.world.looking)
    return handle


async def monitoring(stage: WorkflowHarness) -> Handle:
    stage.world.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    handle = await stage.start()
    await stage.world.until(lambda: stage.world.watching == 1)
    return handle


PHASES = [
    pytest.param(scheduled, [], id="scheduled"),
    pytest.param(waiting_between_looks, [], id="waiting"),
    pytest.param(waiting_for_a_late_stream, [], id="waiting-for-a-late-stream"),
    pytest.param(monitoring, [EventType.STREAM_STARTED, EventType.BLACKOUT], id="monitoring"),
]


@pytest.mark.parametrize(("phase", "told"), PHASES)
async def test_the_stop_signal_stops_a_monitor(
    stage: WorkflowHarness, phase: Phase, told: list[EventType]
) -> None:
    handle = await phase(stage)
    await handle.signal(STOP_SIGNAL)
    end = await handle.result()
    assert end.status is MonitorStatus.STOPPED
    assert stage.told() == told
    await _is_over(stage, handle)


@pytest.mark.parametrize(("phase", "told"), PHASES)
async def test_a_cancelled_monitor_ends_as_cancelled(
    stage: WorkflowHarness, phase: Phase, told: list[EventType]
) -> None:
    handle = await phase(stage)
    await handle.cancel()
    await _ends_cancelled(handle)
    assert stage.told() == told
    await _is_over(stage, handle)


async def test_a_stop_is_told_at_once_and_what_is_queued_is_still_delivered(
    stage: WorkflowHarness,
) -> None:
    opening = await _deliver_slowly(stage)
    handle = await stage.start()
    await stage.world.until(lambda: len(stage.world.watched) == 2)
    await handle.signal(STOP_SIGNAL)
    await stage.world.until(lambda: stage.world.statuses[-1].status is MonitorStatus.STOPPED)
    assert stage.world.received == []
    opening.set()
    end = await handle.result()
    assert end.status is MonitorStatus.STOPPED
    assert end.events_sent == 4
    assert [event.sequence for event in stage.world.received] == [1, 2, 3, 4]
    await _is_over(stage, handle)


async def test_a_cancelled_monitor_delivers_what_is_queued(stage: WorkflowHarness) -> None:
    opening = await _deliver_slowly(stage)
    handle = await stage.start()
    await stage.world.until(lambda: len(stage.world.watched) == 2)
    await handle.cancel()
    await stage.world.until(lambda: stage.world.watching == 0)
    opening.set()
    await _ends_cancelled(handle)
    assert [event.sequence for event in stage.world.received] == [1, 2, 3, 4]
    await _is_over(stage, handle)


async def test_a_cancelled_monitor_ends_however_slow_its_receiver_is(
    stage: WorkflowHarness,
) -> None:
    stage.world.receiver = failing(1, 2, 3, 4, delay_sec=250)
    stage.world.watches.extend(
        [scripts.sees(scripts.BLACKOUT, scripts.SILENCE), scripts.until_stopped(scripts.FREEZE)]
    )
    handle = await stage.start(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    await stage.world.until(lambda: len(stage.world.watched) == 2)
    await handle.cancel()
    await _ends_cancelled(handle)
    assert [sequence for sequence, _ in stage.world.attempts] == [1] * 4
    last = {report.event.sequence: report for report in stage.world.reports}
    assert [last[number].webhook_attempts for number in (1, 2, 3, 4)] == [4, 0, 0, 0]
    assert {each.webhook_status for each in last.values()} == {DeliveryStatus.FAILED}


async def test_a_cancel_after_the_stream_ended_loses_no_event(stage: WorkflowHarness) -> None:
    opening = asyncio.Event()
    stage.world.receiver = closed_until(opening)
    stage.world.watches.append(scripts.ends())
    handle = await stage.start()
    await stage.world.until(lambda: bool(stage.world.watched and stage.world.attempts))
    await _until_queued(handle, 2)
    await handle.cancel()
    opening.set()
    end = await handle.result()
    assert end.status is MonitorStatus.COMPLETED
    assert stage.told() == [EventType.STREAM_STARTED, EventType.STREAM_ENDED]
    assert stage.world.statuses[-1].status is MonitorStatus.COMPLETED


async def test_a_stop_does_not_wait_for_a_probe_that_says_nothing(stage: WorkflowHarness) -> None:
    stage.world.watches.append(scripts.watch_that_says_nothing())
    handle = await stage.start()
    await stage.world.until(lambda: stage.world.watching == 1)
    await handle.signal(STOP_SIGNAL)
    end = await handle.result()
    assert end.status is MonitorStatus.STOPPED
    assert stage.told() == [EventType.STREAM_STARTED]


async def _deliver_slowly(stage: WorkflowHarness) -> asyncio.Event:
    opening = asyncio.Event()
    stage.world.receiver = closed_until(opening)
    stage.world.watches.extend(
        [
            scripts.sees(scripts.BLACKOUT, scripts.SILENCE),
            scripts.until_stopped(scripts.BLACKOUT_RECOVERED),
        ]
    )
    return opening


async def _until_queued(handle: Handle, events: int) -> None:
    while (await snapshot_of(handle)).events_queued < events:
        await asyncio.sleep(0)


async def _ends_cancelled(handle: Handle) -> None:
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def _is_over(stage: WorkflowHarness, handle: Handle) -> None:
    world = stage.world
    assert (world.watching, world.looking) == (0, 0)
    assert world.statuses[-1].status is MonitorStatus.STOPPED
    assert (await snapshot_of(handle)).status is MonitorStatus.STOPPED
    assert {report.event.sequence for report in world.reports} == {
        event.sequence for event in world.received
    }
