"""A worker is lost while its watch is told to stop: what it had told in time is not lost.

On a real server: the time-skipping one never misses a watch that it has told to stop.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from temporalio.client import Client, WorkflowFailureError

from monitors.events import EventType
from monitors.reports import Statistics
from monitors.status import MonitorStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import FakeActivities
from tests.testkit.temporal import SHORT_HISTORIES, connected, temporal_server
from tests.testkit.workflow_harness import Handle, an_order, snapshot_of, start_monitor, workers
from workflows.messages import STOP_SIGNAL, MonitorChange
from workflows.monitor import MonitorWorkflow

MEASURED = 7


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with temporal_server(*SHORT_HISTORIES) as address:
        yield address


@pytest.fixture
def activities() -> FakeActivities:
    """A stream that is live; the worker of its first watch is lost when it is told to stop."""
    activities = FakeActivities(looks=[scripts.live(heartbeat_timeout_sec=1)])
    statistics = Statistics(total_segments_analyzed=MEASURED)
    activities.beat = scripts.beat(scripts.BLACKOUT, statistics=statistics)
    activities.watches.append(scripts.lost_when_stopped(activities.fall_silent))
    return activities


@pytest.fixture
async def client(server: str, activities: FakeActivities) -> AsyncIterator[Client]:
    connection = await connected(server)
    async with workers(connection, activities):
        yield connection


async def test_a_stopped_monitor_tells_what_the_last_heartbeat_knew(
    client: Client, activities: FakeActivities
) -> None:
    handle = await _watched(client, activities)
    await handle.signal(STOP_SIGNAL)
    assert (await handle.result()).status is MonitorStatus.STOPPED
    await _told_once(handle, activities)


async def test_a_cancelled_monitor_tells_what_the_last_heartbeat_knew(
    client: Client, activities: FakeActivities
) -> None:
    handle = await _watched(client, activities)
    await handle.cancel()
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()
    await _told_once(handle, activities)


async def test_a_changed_monitor_goes_on_from_the_last_heartbeat(
    client: Client, activities: FakeActivities
) -> None:
    activities.watches.append(scripts.ends())
    handle = await _watched(client, activities)
    change = MonitorChange(thresholds={"recovery_sec": 1})
    await handle.execute_update(MonitorWorkflow.change, change)
    await handle.result()
    assert activities.watched[-1].state == {**activities.beat, "pending_events": []}
    assert _told(activities) == [
        EventType.STREAM_STARTED,
        EventType.BLACKOUT,
        EventType.STREAM_ENDED,
    ]


async def _watched(client: Client, activities: FakeActivities) -> Handle:
    handle = await start_monitor(client, an_order(datetime.now(UTC)))
    await activities.until(lambda: activities.watching == 1)
    return handle


async def _told_once(handle: Handle, activities: FakeActivities) -> None:
    assert _told(activities) == [EventType.STREAM_STARTED, EventType.BLACKOUT]
    assert (await snapshot_of(handle)).statistics.total_segments_analyzed == MEASURED
    assert activities.statuses[-1].status is MonitorStatus.STOPPED


def _told(activities: FakeActivities) -> list[EventType]:
    return [event.event_type for event in activities.received]
