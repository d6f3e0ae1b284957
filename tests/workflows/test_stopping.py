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


async def scheduled(harness: WorkflowHarness) -> Handle:
    handle = await harness.start(scheduled_start_time=await harness.now() + timedelta(hours=2))
    await harness.activities.until(lambda: bool(harness.activities.statuses))
    return handle


async def waiting_between_looks(harness: WorkflowHarness) -> Handle:
    harness.activities.looks.append(scripts.not_live(look_again_sec=3600))
    handle = await harness.start()
    await harness.activities.until(
        lambda: bool(harness.activities.looked) and not harness.activities.looking
    )
    return handle


async def waiting_for_a_late_stream(harness: WorkflowHarness) -> Handle:
    harness.activities.looks.append(scripts.not_live(look_again_sec=3600))
    handle = await harness.start(scheduled_start_time=await harness.now())
    await harness.activities.until(
        lambda: bool(harness.activities.looked) and not harness.activities.looking
    )
    return handle


async def monitoring(harness: WorkflowHarness) -> Handle:
    harness.activities.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    handle = await harness.start()
    await harness.activities.until(lambda: harness.activities.watching == 1)
    return handle


PHASES = [
    pytest.param(scheduled, [], id="scheduled"),
    pytest.param(waiting_between_looks, [], id="waiting"),
    pytest.param(waiting_for_a_late_stream, [], id="waiting-for-a-late-stream"),
    pytest.param(monitoring, [EventType.STREAM_STARTED, EventType.BLACKOUT], id="monitoring"),
]


@pytest.mark.parametrize(("phase", "told"), PHASES)
async def test_the_stop_signal_stops_a_monitor(
    harness: WorkflowHarness, phase: Phase, told: list[EventType]
) -> None:
    handle = await phase(harness)
    await handle.signal(STOP_SIGNAL)
    end = await handle.result()
    assert end.status is MonitorStatus.STOPPED
    assert harness.told() == told
    await _is_over(harness, handle)


@pytest.mark.parametrize(("phase", "told"), PHASES)
async def test_a_cancelled_monitor_ends_as_cancelled(
    harness: WorkflowHarness, phase: Phase, told: list[EventType]
) -> None:
    handle = await phase(harness)
    await handle.cancel()
    await _ends_cancelled(handle)
    assert harness.told() == told
    await _is_over(harness, handle)


async def test_a_stop_is_told_at_once_and_what_is_queued_is_still_delivered(
    harness: WorkflowHarness,
) -> None:
    opening = await _deliver_slowly(harness)
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.watched) == 2)
    await handle.signal(STOP_SIGNAL)
    await harness.activities.until(
        lambda: harness.activities.statuses[-1].status is MonitorStatus.STOPPED
    )
    assert harness.activities.received == []
    opening.set()
    end = await handle.result()
    assert end.status is MonitorStatus.STOPPED
    assert end.events_sent == 4
    assert [event.sequence for event in harness.activities.received] == [1, 2, 3, 4]
    await _is_over(harness, handle)


async def test_a_cancelled_monitor_delivers_what_is_queued(harness: WorkflowHarness) -> None:
    opening = await _deliver_slowly(harness)
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.watched) == 2)
    await handle.cancel()
    await harness.activities.until(lambda: harness.activities.watching == 0)
    opening.set()
    await _ends_cancelled(handle)
    assert [event.sequence for event in harness.activities.received] == [1, 2, 3, 4]
    await _is_over(harness, handle)


async def test_a_cancelled_monitor_ends_however_slow_its_receiver_is(
    harness: WorkflowHarness,
) -> None:
    harness.activities.receiver = failing(1, 2, 3, 4, delay_sec=250)
    harness.activities.watches.extend(
        [scripts.sees(scripts.BLACKOUT, scripts.SILENCE), scripts.until_stopped(scripts.FREEZE)]
    )
    handle = await harness.start(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    await harness.activities.until(lambda: len(harness.activities.watched) == 2)
    await handle.cancel()
    await _ends_cancelled(handle)
    assert [sequence for sequence, _ in harness.activities.attempts] == [1] * 4
    last = {report.event.sequence: report for report in harness.activities.reports}
    assert [last[number].webhook_attempts for number in (1, 2, 3, 4)] == [4, 0, 0, 0]
    assert {each.webhook_status for each in last.values()} == {DeliveryStatus.FAILED}


async def test_a_cancel_after_the_stream_ended_loses_no_event(harness: WorkflowHarness) -> None:
    opening = asyncio.Event()
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.append(scripts.ends())
    handle = await harness.start()
    await harness.activities.until(
        lambda: bool(harness.activities.watched and harness.activities.attempts)
    )
    await _until_queued(handle, 2)
    await handle.cancel()
    opening.set()
    end = await handle.result()
    assert end.status is MonitorStatus.COMPLETED
    assert harness.told() == [EventType.STREAM_STARTED, EventType.STREAM_ENDED]
    assert harness.activities.statuses[-1].status is MonitorStatus.COMPLETED


async def test_a_stop_does_not_wait_for_a_probe_that_says_nothing(harness: WorkflowHarness) -> None:
    harness.activities.watches.append(scripts.watch_that_says_nothing())
    handle = await harness.start()
    await harness.activities.until(lambda: harness.activities.watching == 1)
    await handle.signal(STOP_SIGNAL)
    end = await handle.result()
    assert end.status is MonitorStatus.STOPPED
    assert harness.told() == [EventType.STREAM_STARTED]


async def _deliver_slowly(harness: WorkflowHarness) -> asyncio.Event:
    opening = asyncio.Event()
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.extend(
        [
            scripts.sees(scripts.BLACKOUT, scripts.SILENCE),
            scripts.until_stopped(scripts.BLACKOUT_RECOVERED),
        ]
    )
    return opening


async def _until_queued(handle: Handle, events: int) -> None:
    while (await snapshot_of(handle)).events_queued < events:
        await asyncio.sleep(0.02)


async def _ends_cancelled(handle: Handle) -> None:
    with pytest.raises(WorkflowFailureError) as failure:
        await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def _is_over(harness: WorkflowHarness, handle: Handle) -> None:
    activities = harness.activities
    assert (activities.watching, activities.looking) == (0, 0)
    assert activities.statuses[-1].status is MonitorStatus.STOPPED
    assert (await snapshot_of(handle)).status is MonitorStatus.STOPPED
    assert {report.event.sequence for report in activities.reports} == {
        event.sequence for event in activities.received
    }
