"""Streams that can never be watched, and activities that fail in ways nobody foresaw."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.declarations import WaitResult
from monitors.events import EventType
from monitors.status import MonitorStatus
from tests.testkit import scripts
from tests.testkit.workflow_harness import WorkflowHarness, snapshot_of


async def test_a_stream_that_can_never_be_watched_is_told_while_waiting(
    stage: WorkflowHarness,
) -> None:
    stage.world.looks.append(scripts.never_live("video_private", "The video is private"))
    end = await stage.run()
    assert end.status is MonitorStatus.ERROR
    assert end.error_reason == "video_private"
    assert stage.told() == [EventType.MONITOR_ERROR]
    assert stage.world.received[0].data == {
        "reason": "video_private",
        "message": "The video is private",
    }
    last = stage.world.statuses[-1]
    assert (last.status, last.error_reason) == (MonitorStatus.ERROR, "video_private")


async def test_a_stream_that_is_taken_away_is_told_while_watching(stage: WorkflowHarness) -> None:
    stage.world.watches.extend(
        [
            scripts.sees(scripts.SILENCE),
            scripts.lost_for_good("video_removed", "The video was removed"),
        ]
    )
    handle = await stage.start()
    end = await handle.result()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "video_removed")
    assert stage.told() == [
        EventType.STREAM_STARTED,
        EventType.SILENCE,
        EventType.MONITOR_ERROR,
    ]
    assert stage.world.statuses[-1].error_message == "The video was removed"
    snapshot = await snapshot_of(handle)
    assert (snapshot.status, snapshot.error_reason) == (MonitorStatus.ERROR, "video_removed")


async def test_a_failure_of_unknown_kind_is_an_internal_error(stage: WorkflowHarness) -> None:
    async def look() -> WaitResult:
        raise ApplicationError("no such thing", type="Surprise", non_retryable=True)

    stage.world.looks.append(look)
    end = await stage.run()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "internal_error")
    assert stage.told() == [EventType.MONITOR_ERROR]


@pytest.mark.parametrize("failures", [pytest.param(3, id="thrice")])
async def test_a_defect_of_an_activity_is_tried_again(
    stage: WorkflowHarness, failures: int
) -> None:
    async def look() -> WaitResult:
        raise ValueError("a defect")

    stage.world.looks.extend([look] * failures)
    stage.world.watches.append(scripts.ends())
    end = await stage.run()
    assert end.status is MonitorStatus.COMPLETED
