"""Changes of a running monitor, and events that are sent once more."""

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.declarations import GATEWAY_UNAVAILABLE, RedeliveryInput
from monitors.config import MonitorConfig
from monitors.events import EventType, StreamEvent
from monitors.status import DeliveryStatus, MonitorStatus, StreamStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import closed_until, failing
from tests.testkit.workflow_harness import Handle, WorkflowHarness, snapshot_of
from workflows.messages import (
    INVALID_CHANGE,
    NOT_ACTIVE,
    TASK_QUEUE,
    MonitorChange,
    redelivery_id,
)
from workflows.monitor import MonitorWorkflow
from workflows.options import DELIVERY_STARTS
from workflows.redelivery import RedeliveryWorkflow


async def test_new_thresholds_reach_the_watch_and_nothing_is_lost(harness: WorkflowHarness) -> None:
    harness.activities.watches.extend(
        [scripts.checkpoint(), scripts.until_stopped(scripts.BLACKOUT), scripts.until_stopped()]
    )
    handle = await harness.start(metadata={"channel": 7})
    await harness.activities.until(lambda: len(harness.activities.watched) == 2)
    config = await change(handle, thresholds={"blackout_threshold_sec": 3})
    assert config.blackout_threshold_sec == 3
    await harness.activities.until(lambda: len(harness.activities.watched) == 3)
    before, after = harness.activities.watched[1:]
    assert before.config.blackout_threshold_sec == 30
    assert after.config.blackout_threshold_sec == 3
    assert (before.state, after.state) == ({"watches": 1}, {"watches": 2})
    await handle.signal("stop")
    await handle.result()
    assert harness.told() == [EventType.STREAM_STARTED, EventType.BLACKOUT]


async def test_a_name_is_given_and_taken_back(harness: WorkflowHarness) -> None:
    handle = await harness.start()
    await change(handle, name="News 24")
    assert (await snapshot_of(handle)).name == "News 24"
    await change(handle, name="")
    assert (await snapshot_of(handle)).name is None
    await handle.signal("stop")
    await handle.result()


async def test_a_change_while_waiting_counts_once_the_stream_is_live(
    harness: WorkflowHarness,
) -> None:
    harness.activities.looks.append(scripts.not_live(look_again_sec=60))
    harness.activities.watches.append(scripts.ends())
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.looked) == 1)
    await change(handle, thresholds={"freeze_threshold_sec": 9})
    await handle.result()
    assert harness.activities.watched[0].config.freeze_threshold_sec == 9


async def test_headers_that_are_given_while_waiting_are_with_the_next_look(
    harness: WorkflowHarness,
) -> None:
    harness.activities.looks.extend([scripts.look_without_answer(), scripts.look_without_answer()])
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.looked) == 1)
    config = await change(handle, request_headers={"Cookie": "s3cr3t"})
    assert config.request_headers == {"Cookie": "***"}
    await harness.activities.until(lambda: len(harness.activities.looked) == 2)
    assert [each.has_request_headers for each in harness.activities.looked] == [False, True]
    await handle.signal("stop")
    await handle.result()


async def test_new_metadata_is_in_later_events(harness: WorkflowHarness) -> None:
    harness.activities.watches.extend([scripts.until_stopped(), scripts.ends()])
    handle = await harness.start(metadata={"channel": 7})
    await harness.activities.until(lambda: harness.activities.watching == 1)
    await change(handle, metadata={"channel": 8})
    await handle.result()
    assert [event.metadata["channel"] for event in harness.activities.received] == [7, 8]


async def test_a_watch_that_says_nothing_is_watched_on_from_its_last_state(
    harness: WorkflowHarness,
) -> None:
    harness.activities.watches.extend(
        [scripts.checkpoint(), scripts.watch_that_says_nothing(), scripts.ends()]
    )
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.watched) == 2)
    await change(handle, thresholds={"recovery_sec": 1})
    end = await handle.result()
    assert end.status is MonitorStatus.COMPLETED
    assert harness.activities.watched[2].state == {"watches": 1}


async def test_changes_are_counted_in_the_order_in_which_they_were_taken(
    harness: WorkflowHarness,
) -> None:
    handle = await harness.start(metadata={"channel": 7})
    await harness.activities.until(lambda: harness.activities.watching == 1)
    changes = [
        MonitorChange(thresholds={"recovery_sec": 1}),
        MonitorChange(metadata={"channel": 8}),
        MonitorChange(thresholds={"freeze_threshold_sec": 9}),
    ]
    taken = [await handle.execute_update(MonitorWorkflow.change, each) for each in changes]
    assert [each.changes for each in taken] == [1, 2, 3]
    assert [each.metadata["channel"] for each in taken] == [7, 8, 8]
    snapshot = await snapshot_of(handle)
    assert (snapshot.changes, snapshot.config, snapshot.metadata) == (
        *(3, taken[-1].config, {"channel": 8}),
    )
    await handle.signal("stop")
    await handle.result()


@pytest.mark.parametrize(
    "thresholds",
    [
        pytest.param({"blackout_threshold_sec": -1}, id="bad-value"),
        pytest.param({"scheduled_end_time": None}, id="no-threshold"),
        pytest.param({"nonsense": 1}, id="unknown-field"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    harness: WorkflowHarness, thresholds: dict[str, Any]
) -> None:
    handle = await harness.start()
    await harness.activities.until(lambda: harness.activities.watching == 1)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await change(handle, thresholds=thresholds)
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == INVALID_CHANGE
    assert (await snapshot_of(handle)).config == MonitorConfig()
    assert harness.activities.watching == 1
    await handle.signal("stop")
    await handle.result()


async def test_a_monitor_that_has_ended_cannot_be_changed(harness: WorkflowHarness) -> None:
    opening = asyncio.Event()
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.append(scripts.ends())
    handle = await harness.start()
    while (await snapshot_of(handle)).stream_status is not StreamStatus.ENDED:
        await asyncio.sleep(0.02)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await change(handle, metadata={"channel": 8})
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == NOT_ACTIVE
    opening.set()
    await handle.result()


@pytest.mark.parametrize(
    ("lost", "status", "attempts"),
    [
        pytest.param((), DeliveryStatus.SENT, 2, id="taken"),
        pytest.param((1,), DeliveryStatus.FAILED, 5, id="refused-again"),
    ],
)
async def test_an_event_is_sent_once_more(
    harness: WorkflowHarness, lost: tuple[int, ...], status: DeliveryStatus, attempts: int
) -> None:
    event = await an_event_of_the_past(harness)
    harness.activities.receiver = failing(*lost)
    assert await send_again(harness, event) == status
    last = harness.activities.reports[-1]
    assert (last.event, last.webhook_status, last.webhook_attempts) == (event, status, attempts)


async def test_a_redelivery_ends_however_its_attempts_break(harness: WorkflowHarness) -> None:
    event = await an_event_of_the_past(harness)
    starts = []

    async def breaking(event: StreamEvent, attempt: int) -> None:
        starts.append(attempt)
        raise LookupError

    harness.activities.receiver = breaking
    assert await send_again(harness, event) == DeliveryStatus.FAILED
    assert len(starts) == DELIVERY_STARTS
    assert harness.activities.reports[-1].webhook_status is DeliveryStatus.FAILED
    assert harness.activities.reports[-1].webhook_last_error


async def test_a_redelivery_outlasts_a_gateway_that_is_away(harness: WorkflowHarness) -> None:
    event = await an_event_of_the_past(harness)
    starts = []

    async def away_for_long(event: StreamEvent, attempt: int) -> None:
        starts.append(attempt)
        if len(starts) <= DELIVERY_STARTS:
            raise ApplicationError("no answer", type=GATEWAY_UNAVAILABLE)

    harness.activities.receiver = away_for_long
    assert await send_again(harness, event) == DeliveryStatus.SENT
    assert harness.activities.reports[-1].webhook_status is DeliveryStatus.SENT


async def an_event_of_the_past(harness: WorkflowHarness) -> StreamEvent:
    """Run a monitor; return the first event that its receiver took."""
    harness.activities.watches.append(scripts.ends())
    await harness.run()
    return harness.activities.received[0]


async def send_again(harness: WorkflowHarness, event: StreamEvent) -> str:
    """Redeliver the event and return the status with which that ends."""
    return await harness.client.execute_workflow(
        RedeliveryWorkflow.run,
        RedeliveryInput(monitor_id=event.monitor_id, event_id=event.event_id),
        id=redelivery_id(event.event_id),
        task_queue=TASK_QUEUE,
    )


async def change(handle: Handle, **fields: Any) -> MonitorConfig:
    """Change the monitor as the gateway does, and return its config."""
    return (await handle.execute_update(MonitorWorkflow.change, MonitorChange(**fields))).config
