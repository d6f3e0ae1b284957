"""A monitor whose stream is watched in a Pod.

On a real server: the time-skipping one takes no cancellation of an activity that ends just then.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.testing import WorkflowEnvironment

from monitors.events import EventType
from monitors.pods import MISSING, pod_name
from monitors.status import MonitorStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import PATIENCE_SEC, FakeActivities
from tests.testkit.scripted_pods import MAX_FAILURES, PLACEMENT, ScriptedPods, live_for_a_pod
from tests.testkit.temporal import LONG_HISTORY, SHORT_HISTORIES, connected, temporal_server
from tests.testkit.workflow_harness import (
    LOOK_SEC,
    MONITOR_ID,
    Handle,
    WorkflowHarness,
    an_order,
    prober,
    snapshot_of,
    start_monitor,
    until_it_says,
    workers,
)
from workflows import options
from workflows.messages import POD_FAILED_SIGNAL, POD_READY_SIGNAL, STOP_SIGNAL, MonitorChange
from workflows.monitor import MonitorWorkflow
from workflows.options import pod_queue


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with temporal_server(*SHORT_HISTORIES) as where:
        yield where


@pytest.fixture
async def client(address: str) -> Client:
    return await connected(address)


@pytest.fixture
async def harness(client: Client) -> AsyncIterator[WorkflowHarness]:
    activities = FakeActivities()
    async with workers(client, activities):
        yield WorkflowHarness(WorkflowEnvironment.from_client(client), activities)


@pytest.fixture
def activities(harness: WorkflowHarness) -> FakeActivities:
    return harness.activities


@pytest.fixture
def pods(activities: FakeActivities) -> ScriptedPods:
    activities.looks.append(live_for_a_pod())
    return activities.pods


@pytest.fixture
async def pod_worker(harness: WorkflowHarness, pods: ScriptedPods) -> AsyncIterator[None]:
    """What runs in the Pods: one worker stands for those of all Pods."""
    async with prober(harness.client, harness.activities, pod_queue(MONITOR_ID)):
        yield


async def watched(harness: WorkflowHarness) -> Handle:
    """Start the monitor and wait until its Pod is there and watches."""
    handle = await harness.start()
    await harness.activities.until(
        lambda: harness.activities.watching == 1 and bool(harness.activities.pods.made)
    )
    return handle


@pytest.mark.usefixtures("pod_worker")
async def test_a_live_stream_is_watched_in_a_pod_that_goes_with_it(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    harness.activities.watches.extend([scripts.sees(scripts.BLACKOUT), scripts.ends()])
    end = await harness.run()
    assert end.status is MonitorStatus.COMPLETED
    assert harness.told() == [
        EventType.STREAM_STARTED,
        EventType.BLACKOUT,
        EventType.STREAM_ENDED,
    ]
    assert pods.made == ["uid-1"]
    assert pods.present is None
    assert [deletion.uid for deletion in pods.deletions] == [None]


async def test_a_monitor_that_waits_has_no_pod(harness: WorkflowHarness) -> None:
    harness.activities.looks.extend([scripts.not_live(look_again_sec=0.1)] * 3)
    harness.activities.looks.append(scripts.never_live("video_private", "The video is private"))
    await harness.run()
    assert harness.activities.pods.made == []
    assert harness.activities.pods.deletions == []


async def test_a_pool_has_no_pod(harness: WorkflowHarness) -> None:
    harness.activities.watches.append(scripts.ends())
    await harness.run()
    assert (harness.activities.pods.made, harness.activities.pods.deletions) == ([], [])


async def test_a_look_that_is_lost_with_its_worker_is_missed_long_before_it_should_end(
    harness: WorkflowHarness,
) -> None:
    harness.activities.looks.extend([scripts.lost_look(), live_for_a_pod()])
    handle = await harness.start()
    await harness.activities.until(lambda: bool(harness.activities.pods.made))
    await handle.signal(STOP_SIGNAL)
    await handle.result()
    first, second = harness.activities.look_times
    limit = options.WAIT_FOR_LIVE["start_to_close_timeout"]
    assert limit
    assert second - first < limit / 2


@pytest.mark.usefixtures("pod_worker")
async def test_a_pod_that_fails_is_made_anew_and_the_watch_goes_on(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    going_on = asyncio.Event()
    harness.activities.watches.append(scripts.until(going_on, scripts.ends()))
    handle = await watched(harness)
    await handle.signal(POD_FAILED_SIGNAL, pods.break_down("OOMKilled"))
    await harness.activities.until(lambda: len(pods.made) == 2)
    assert [deletion.uid for deletion in pods.deletions] == ["uid-1"]
    assert "OOMKilled, exit code 137" in (await snapshot_of(handle)).doing
    going_on.set()
    assert (await handle.result()).status is MonitorStatus.COMPLETED
    assert len(harness.activities.watched) == 1, (
        "the watch is not disturbed by what becomes of the Pod"
    )


@pytest.mark.usefixtures("pod_worker")
async def test_a_monitor_says_that_all_is_well_again_when_its_new_pod_is_ready(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    harness.activities.watches.append(scripts.until_stopped())
    handle = await watched(harness)
    await handle.signal(POD_FAILED_SIGNAL, pods.break_down("OOMKilled"))
    await harness.activities.until(lambda: len(pods.made) == 2)
    await handle.signal(POD_READY_SIGNAL, "uid-1")
    assert (await snapshot_of(handle)).doing.startswith("The Pod failed")
    await handle.signal(POD_READY_SIGNAL, "uid-2")
    assert (await snapshot_of(handle)).doing == "Watching the stream"
    await handle.signal(STOP_SIGNAL)
    await handle.result()


async def test_pods_that_fail_quickly_end_the_monitor_only_after_a_while(
    harness: WorkflowHarness, activities: FakeActivities
) -> None:
    """A registry that is away for a minute makes five Pods fail."""
    placement = PLACEMENT.model_copy(update={"pod_max_failures": 2, "pod_patience_sec": 4})
    activities.looks.append(live_for_a_pod(placement))
    activities.pods.stillborn.extend(["ErrImagePull"] * 100)
    end = await harness.run()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "pod_failure")
    assert activities.pods.made == ["uid-1", "uid-2", "uid-3"], "1 s, then 3 s lie between them"
    assert [order.number for order in activities.pods.deletions] == [1, 2, 3]


@pytest.mark.usefixtures("pod_worker")
async def test_news_of_a_pod_are_no_news_of_the_stream(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    going_on = asyncio.Event()
    harness.activities.watches.append(scripts.until(going_on, scripts.ends()))
    handle = await watched(harness)
    before = await snapshot_of(handle)
    await handle.signal(POD_FAILED_SIGNAL, pods.break_down("OOMKilled"))
    await until_it_says(handle, "The Pod failed")
    assert (await snapshot_of(handle)).as_of == before.as_of
    going_on.set()
    await handle.result()


async def test_a_pod_that_keeps_failing_ends_the_monitor(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    pods.stillborn.extend(["ErrImagePull"] * MAX_FAILURES)
    end = await harness.run()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "pod_failure")
    assert len(pods.made) == MAX_FAILURES
    assert pods.present is None
    assert harness.told() == [EventType.STREAM_STARTED, EventType.MONITOR_ERROR]
    data = harness.activities.received[-1].data
    assert data["reason"] == "pod_failure"
    assert data["pod_name"] == pod_name(MONITOR_ID, MAX_FAILURES)
    assert (data["exit_code"], data["termination_reason"]) == (137, "ErrImagePull")
    assert data["message"].startswith("3 Pods failed in a row: ErrImagePull")


@pytest.mark.usefixtures("pod_worker")
async def test_a_pod_that_worked_has_all_its_failures_before_it(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    pods.stillborn.extend(["Error"] * (MAX_FAILURES - 1))
    working = asyncio.Event()
    harness.activities.watches.extend(
        [scripts.until(working, scripts.sees(scripts.BLACKOUT)), scripts.until_stopped()]
    )
    handle = await watched(harness)
    await harness.activities.until(lambda: len(pods.made) == MAX_FAILURES)
    working.set()
    await harness.activities.until(lambda: len(harness.activities.watched) == 2)
    await handle.signal(POD_FAILED_SIGNAL, pods.break_down("OOMKilled"))
    await harness.activities.until(lambda: len(pods.made) == MAX_FAILURES + 1)
    await handle.signal(STOP_SIGNAL)
    assert (await handle.result()).status is MonitorStatus.STOPPED


@pytest.mark.usefixtures("pod_worker")
async def test_stale_and_false_news_mean_nothing(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    harness.activities.watches.append(scripts.until_stopped())
    handle = await watched(harness)
    await handle.signal(POD_FAILED_SIGNAL, pods.failure("Error", uid="uid-of-long-ago"))
    await handle.signal(POD_FAILED_SIGNAL, pods.failure("Deleted"))
    await harness.activities.until(lambda: pods.inspections == 1)
    missing = pods.failure(MISSING).model_copy(update={"uid": None})
    await handle.signal(POD_FAILED_SIGNAL, missing)
    await harness.activities.until(lambda: pods.inspections == 2)
    assert pods.made == ["uid-1"]
    assert pods.deletions == []
    await handle.signal(STOP_SIGNAL)
    await handle.result()


@pytest.mark.usefixtures("pod_worker")
async def test_a_pod_that_is_missing_is_made_again(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    harness.activities.watches.append(scripts.until_stopped())
    handle = await watched(harness)
    await handle.signal(POD_FAILED_SIGNAL, pods.failure("Deleted"))
    await harness.activities.until(lambda: pods.inspections == 1)  # so it knows its Pod
    pods.present = None
    await handle.signal(POD_FAILED_SIGNAL, pods.failure(MISSING))
    await harness.activities.until(lambda: len(pods.made) == 2)
    await handle.signal(STOP_SIGNAL)
    await handle.result()


async def test_a_cluster_that_refuses_the_pod_ends_the_monitor(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    pods.refusal = "creating a Pod: the Kubernetes API answered 403"
    end = await harness.run()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "pod_failure")
    assert end.error_message
    assert "answered 403" in end.error_message


async def test_a_cluster_without_room_is_waited_for_and_says_why(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    pods.used_up = "creating a Pod: the Kubernetes API answered 403 exceeded quota: ten"
    handle = await harness.start()
    words = f"Waiting for a Pod: {pods.used_up}"
    while (await snapshot_of(handle)).doing != words:
        await asyncio.sleep(0.1)
    pods.used_up = None
    await harness.activities.until(lambda: bool(pods.made))
    while (await snapshot_of(handle)).doing != "The Pod was made":
        await asyncio.sleep(0.1)
    await handle.signal(STOP_SIGNAL)
    assert (await handle.result()).status is MonitorStatus.STOPPED
    assert pods.present is None


async def test_stopped_before_its_worker_comes_up(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    handle = await harness.start()
    await harness.activities.until(lambda: bool(harness.activities.looked))
    await harness.activities.until(lambda: pods.asked == 1)
    await handle.signal(STOP_SIGNAL)
    assert (await handle.result()).status is MonitorStatus.STOPPED
    assert pods.present is None


async def test_a_pod_that_is_being_made_does_not_outlive_a_stop(
    harness: WorkflowHarness, pods: ScriptedPods
) -> None:
    pods.opening.clear()
    handle = await harness.start()
    await harness.activities.until(lambda: pods.asked == 1)
    await handle.signal(STOP_SIGNAL)
    await harness.activities.until(
        lambda: harness.activities.statuses[-1].status is MonitorStatus.STOPPED
    )
    pods.opening.set()
    await handle.result()
    assert pods.made == ["uid-1"]
    assert pods.present is None


async def test_a_new_run_goes_on_with_the_same_pod(client: Client) -> None:
    many = LONG_HISTORY // 6 + 2
    activities = FakeActivities(looks=[live_for_a_pod()], watches=[scripts.checkpoint()] * many)
    async with workers(client, activities), prober(client, activities, pod_queue(MONITOR_ID)):
        order = an_order(scripts.MOMENT)
        handle = await start_monitor(client, order)
        await activities.until(lambda: len(activities.watched) > many and len(activities.runs) > 1)
        assert activities.pods.made == ["uid-1"]
        assert activities.pods.deletions == []
        await client.get_workflow_handle(MONITOR_ID).signal(STOP_SIGNAL)
        assert (await handle.result()).status is MonitorStatus.STOPPED
    assert activities.pods.present is None


async def test_a_new_run_still_says_that_a_new_pod_is_to_take_over(client: Client) -> None:
    """No worker takes the watch: each change interrupts it, and it returns nothing."""
    activities = FakeActivities(looks=[live_for_a_pod()])
    async with workers(client, activities):
        handle = await start_monitor(client, an_order(scripts.MOMENT))
        await activities.until(lambda: bool(activities.pods.made))
        await handle.signal(POD_FAILED_SIGNAL, activities.pods.break_down("OOMKilled"))
        await activities.until(lambda: len(activities.pods.made) == 2)
        first_run = (await handle.describe()).run_id
        while (await handle.describe()).run_id == first_run:
            await handle.execute_update(MonitorWorkflow.change, MonitorChange(metadata={}))
        await until_it_says(handle, "The Pod failed (OOMKilled")
        await handle.signal(POD_READY_SIGNAL, "uid-2")
        await until_it_says(handle, "Watching the stream")
        await handle.signal(STOP_SIGNAL)
        assert (await handle.result()).status is MonitorStatus.STOPPED


async def test_a_cancellation_between_two_runs_leaves_nothing_behind(client: Client) -> None:
    """The run that is about to end waits for its Pod: it tells of its end all the same."""
    many = LONG_HISTORY // 6 + 2
    activities = FakeActivities(looks=[live_for_a_pod()], watches=[scripts.checkpoint()] * many)
    activities.pods.opening.clear()
    async with workers(client, activities), prober(client, activities, pod_queue(MONITOR_ID)):
        handle = await start_monitor(client, an_order(scripts.MOMENT))
        await until_it_changes_runs(handle)
        await handle.cancel()
        activities.pods.opening.set()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert len(activities.runs) == 1
    assert activities.statuses[-1].status is MonitorStatus.STOPPED
    assert activities.pods.deletions[-1].uid is None
    assert activities.pods.present is None


async def until_it_changes_runs(handle: Handle) -> None:
    """Wait until a run that is too long has nothing more to watch, and is not over."""
    async with asyncio.timeout(PATIENCE_SEC):
        while True:
            described = await handle.describe()
            pending = described.raw_description.pending_activities
            watches = [each for each in pending if each.activity_type.name == "watch_stream"]
            has_work = described.raw_description.HasField("pending_workflow_task")
            if not (watches or has_work) and described.history_length >= LONG_HISTORY:
                return
            await asyncio.sleep(LOOK_SEC)
