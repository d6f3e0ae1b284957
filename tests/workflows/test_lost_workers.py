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
def world() -> FakeActivities:
    """A stream that is live; the worker of its first watch is lost when it is told to stop."""
    world = FakeActivities(looks=[scripts.live(heartbeat_timeout_sec=1)])
    statistics = Statistics(total_segments_analyzed=MEASURED)
    world.beat = scripts.beat(scripts.BLACKOUT, statistics=statistics)
    world.watches.append(scripts.lost_when_stopped(world.fall_silent))
    return world


@pytest.fixture
async def client(server: str, world: FakeActivities) -> AsyncIterator[Client]:
    connection = await connected(server)
    async with workers(connection, world):
        yield connection


async def test_a_stopped_monitor_tells_what_the_last_heartbeat_knew(
    client: Client, world: FakeActivities
) -> None:
    handle = await _watched(client, world)
    await handle.signal(STOP_SIGNAL)
    assert (await handle.result()).status is MonitorStatus.STOPPED
    await _told_once(handle, world)


async def test_a_cancelled_monitor_tells_what_the_last_heartbeat_knew(
    client: Client, world: FakeActivities
) -> None:
    handle = await _watched(client, world)
    await handle.cancel()
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()
    await _told_once(handle, world)


async def test_a_changed_monitor_goes_on_from_the_last_heartbeat(
    client: Client, world: FakeActivities
) -> None:
    world.watches.append(scripts.ends())
    handle = await _watched(client, world)
    change = MonitorChange(thresholds={"recovery_sec": 1})
    await handle.execute_update(MonitorWorkflow.change, change)
    await handle.result()
    assert world.watched[-1].state == {**world.beat, "pending_events": []}
    assert _told(world) == [EventType.STREAM_STARTED, EventType.BLACKOUT, EventType.STREAM_ENDED]


async def _watched(client: Client, world: FakeActivities) -> Handle:
    handle = await start_monitor(client, an_order(datetime.now(UTC)))
    await world.until(lambda: world.watching == 1)
    return handle


async def _told_once(handle: Handle, world: FakeActivities) -> None:
    assert _told(world) == [EventType.STREAM_STARTED, EventType.BLACKOUT]
    assert (await snapshot_of(handle)).statistics.total_segments_analyzed == MEASURED
    assert world.statuses[-1].status is MonitorStatus.STOPPED


def _told(world: FakeActivities) -> list[EventType]:
    return [event.event_type for event in world.received]
