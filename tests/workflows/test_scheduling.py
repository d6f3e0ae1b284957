"""Starts and ends that are known beforehand."""

from datetime import timedelta

import pytest

from monitors.events import EventType
from monitors.status import MonitorStatus, StreamStatus
from tests.testkit import scripts
from tests.testkit.workflow_harness import WorkflowHarness, snapshot_of


async def test_a_far_start_is_slept_through_without_any_look(harness: WorkflowHarness) -> None:
    start = await harness.now() + timedelta(hours=3)
    harness.activities.watches.append(scripts.ends())
    handle = await harness.start(scheduled_start_time=start)
    await harness.activities.until(lambda: bool(harness.activities.statuses))
    await harness.pass_time(2 * 3600)
    snapshot = await snapshot_of(handle)
    assert snapshot.status is MonitorStatus.SCHEDULED
    assert snapshot.stream_status is StreamStatus.SCHEDULED
    assert not harness.activities.looked
    await handle.result()
    early_sec = (start - harness.activities.look_times[0]).total_seconds()
    assert early_sec == pytest.approx(300, abs=5)
    assert [report.status for report in harness.activities.statuses] == [
        MonitorStatus.SCHEDULED,
        MonitorStatus.WAITING,
        MonitorStatus.MONITORING,
        MonitorStatus.COMPLETED,
    ]


async def test_a_late_stream_is_told_once_at_the_tolerance_and_started_later(
    harness: WorkflowHarness,
) -> None:
    start = await harness.now() + timedelta(minutes=1)
    harness.activities.looks.extend([scripts.not_live(look_again_sec=60)] * 15)
    harness.activities.watches.append(scripts.ends())
    await harness.run(scheduled_start_time=start, start_delay_tolerance_sec=120)
    assert harness.told() == [
        EventType.STREAM_DELAYED,
        EventType.STREAM_STARTED,
        EventType.STREAM_ENDED,
    ]
    data = harness.activities.received[0].data
    assert data["delay_sec"] == pytest.approx(120, abs=5)
    assert data["tolerance_sec"] == 120
    assert data["scheduled_start_time"] == start.isoformat(timespec="milliseconds")


async def test_a_stream_that_cannot_be_seen_is_called_late_when_it_is_seen_not_to_be_there(
    harness: WorkflowHarness,
) -> None:
    start = await harness.now() + timedelta(minutes=1)
    harness.activities.looks.extend(
        [
            scripts.unseen("a bot check"),
            *[scripts.not_live(look_again_sec=300)] * 2,
            scripts.announced(start),
            *[scripts.not_live(look_again_sec=60)] * 2,
        ]
    )
    harness.activities.watches.append(scripts.ends())
    await harness.run(scheduled_start_time=start, start_delay_tolerance_sec=120)
    assert harness.told() == [
        EventType.STREAM_DELAYED,
        EventType.STREAM_STARTED,
        EventType.STREAM_ENDED,
    ]
    assert harness.activities.received[0].data["delay_sec"] == pytest.approx(550, abs=30)


async def test_a_stream_that_was_live_when_it_is_seen_again_is_not_called_late(
    harness: WorkflowHarness,
) -> None:
    start = await harness.now() + timedelta(minutes=1)
    unseen = [scripts.unseen("a bot check"), *[scripts.not_live(look_again_sec=300)] * 2]
    harness.activities.looks.extend(unseen)
    harness.activities.watches.append(scripts.ends())
    await harness.run(scheduled_start_time=start, start_delay_tolerance_sec=120)
    assert harness.told() == [EventType.STREAM_STARTED, EventType.STREAM_ENDED]


@pytest.mark.parametrize(
    ("start_in", "looks"),
    [
        pytest.param(timedelta(minutes=2), 2, id="on-time"),
        pytest.param(timedelta(hours=-2), 0, id="it-began-long-before-its-monitor"),
    ],
)
async def test_a_stream_in_time_is_not_called_late(
    harness: WorkflowHarness, start_in: timedelta, looks: int
) -> None:
    harness.activities.looks.extend([scripts.not_live(look_again_sec=60)] * looks)
    harness.activities.watches.append(scripts.ends())
    await harness.run(scheduled_start_time=await harness.now() + start_in)
    assert harness.told() == [EventType.STREAM_STARTED, EventType.STREAM_ENDED]


async def test_a_start_that_passed_long_ago_is_told_when_the_stream_is_not_there(
    harness: WorkflowHarness,
) -> None:
    harness.activities.looks.extend([scripts.not_live(look_again_sec=60)] * 2)
    harness.activities.watches.append(scripts.ends())
    await harness.run(scheduled_start_time=await harness.now() - timedelta(hours=2))
    assert harness.told()[0] is EventType.STREAM_DELAYED
    assert harness.activities.received[0].data["delay_sec"] == pytest.approx(7200, abs=30)


async def test_the_scheduled_end_ends_the_wait(harness: WorkflowHarness) -> None:
    harness.activities.looks.extend([scripts.not_live(look_again_sec=60)] * 100)
    end = await harness.run(scheduled_end_time=await harness.now() + timedelta(minutes=10))
    assert end.status is MonitorStatus.COMPLETED
    assert harness.told() == [EventType.STREAM_ENDED]
    assert harness.activities.received[0].data == {"reason": "scheduled_end"}
    assert harness.activities.statuses[-1].status is MonitorStatus.COMPLETED


async def test_the_scheduled_end_ends_the_watch_after_what_it_saw(harness: WorkflowHarness) -> None:
    harness.activities.watches.append(scripts.until_stopped(scripts.BLACKOUT))
    handle = await harness.start(scheduled_end_time=await harness.now() + timedelta(seconds=1))
    await harness.activities.until(lambda: harness.activities.watching == 1)
    end = await handle.result()
    assert end.status is MonitorStatus.COMPLETED
    assert harness.told() == [
        EventType.STREAM_STARTED,
        EventType.BLACKOUT,
        EventType.STREAM_ENDED,
    ]
    assert harness.activities.received[-1].data == {"reason": "scheduled_end"}
    assert harness.activities.watching == 0


async def test_an_end_that_passed_already_ends_the_monitor_at_once(
    harness: WorkflowHarness,
) -> None:
    end = await harness.run(scheduled_end_time=await harness.now() - timedelta(seconds=1))
    assert end.status is MonitorStatus.COMPLETED
    assert harness.told() == [EventType.STREAM_ENDED]
    assert not harness.activities.looked


async def test_the_start_that_the_site_says_counts(harness: WorkflowHarness) -> None:
    now = await harness.now()
    later = now + timedelta(hours=1)
    harness.activities.looks.append(scripts.announced(later))
    harness.activities.looks.extend([scripts.not_live(look_again_sec=300)] * 20)
    harness.activities.watches.append(scripts.ends())
    await harness.run(scheduled_start_time=now, start_delay_tolerance_sec=60)
    assert harness.told() == [
        EventType.STREAM_DELAYED,
        EventType.STREAM_STARTED,
        EventType.STREAM_ENDED,
    ]
    assert harness.activities.received[0].data["delay_sec"] == pytest.approx(60, abs=5)
    assert [order.site_start_time for order in harness.activities.looked[:2]] == [None, later]
