"""Streams that can never be watched, and activities that fail in ways nobody foresaw."""

import pytest
from temporalio.exceptions import ApplicationError

from activities.declarations import WaitResult
from monitors.events import EventType
from monitors.status import MonitorStatus
from tests.testkit import scripts
from tests.testkit.workflow_harness import WorkflowHarness, snapshot_of


async def test_a_stream_that_can_never_be_watched_is_told_while_waiting(
    harness: WorkflowHarness,
) -> None:
    harness.activities.looks.append(scripts.never_live("video_private", "The video is private"))
    end = await harness.run()
    assert end.status is MonitorStatus.ERROR
    assert end.error_reason == "video_private"
    assert harness.told() == [EventType.MONITOR_ERROR]
    assert harness.activities.received[0].data == {
        "reason": "video_private",
        "message": "The video is private",
    }
    last = harness.activities.statuses[-1]
    assert (last.status, last.error_reason) == (MonitorStatus.ERROR, "video_private")


async def test_a_stream_that_is_taken_away_is_told_while_watching(harness: WorkflowHarness) -> None:
    harness.activities.watches.extend(
        [
            scripts.sees(scripts.SILENCE),
            scripts.lost_for_good("video_removed", "The video was removed"),
        ]
    )
    handle = await harness.start()
    end = await handle.result()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "video_removed")
    assert harness.told() == [
        EventType.STREAM_STARTED,
        EventType.SILENCE,
        EventType.MONITOR_ERROR,
    ]
    assert harness.activities.statuses[-1].error_message == "The video was removed"
    snapshot = await snapshot_of(handle)
    assert (snapshot.status, snapshot.error_reason) == (MonitorStatus.ERROR, "video_removed")


async def test_a_failure_of_unknown_kind_is_an_internal_error(harness: WorkflowHarness) -> None:
    async def look() -> WaitResult:
        raise ApplicationError("no such thing", type="Surprise", non_retryable=True)

    harness.activities.looks.append(look)
    end = await harness.run()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "internal_error")
    assert harness.told() == [EventType.MONITOR_ERROR]


@pytest.mark.parametrize("failures", [pytest.param(3, id="thrice")])
async def test_a_defect_of_an_activity_is_tried_again(
    harness: WorkflowHarness, failures: int
) -> None:
    async def look() -> WaitResult:
        raise ValueError("a defect")

    harness.activities.looks.extend([look] * failures)
    harness.activities.watches.append(scripts.ends())
    end = await harness.run()
    assert end.status is MonitorStatus.COMPLETED
