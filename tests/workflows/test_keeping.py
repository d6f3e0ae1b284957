"""More events than the queue holds: they wait in the store, and none is lost."""

import asyncio

import pytest

from monitors.config import OnDeliveryFailure
from monitors.events import EventType, StreamEvent
from monitors.status import DeliveryStatus, Health, MonitorStatus
from tests.workflows import scripts
from tests.workflows.stage import LARGEST_METADATA, Stage, snapshot_of, until_it_says
from tests.workflows.world import closed_until, failing, sees_one_after_the_other
from workflows.options import CARRIED_MAX_BYTES, QUEUE_MAX

MANY = QUEUE_MAX + 25
ROOM = CARRIED_MAX_BYTES // 16_500
"""About so many events with `LARGEST_METADATA` are all that a workflow keeps."""


def flapping(events: int) -> scripts.Watch:
    """So much happens at once."""
    pairs = [scripts.BLACKOUT, scripts.BLACKOUT_RECOVERED] * (events // 2 + 1)
    return scripts.sees(*pairs[:events])


async def test_what_finds_no_room_comes_back_from_the_store_in_order(stage: Stage) -> None:
    opening = asyncio.Event()
    stage.world.receiver = closed_until(opening)
    stage.world.watches.extend([flapping(MANY), flapping(3)])
    handle = await stage.start()
    await stage.world.until(lambda: len(stage.world.reports) == MANY + 4)
    assert (await snapshot_of(handle)).events_queued == MANY + 4
    opening.set()
    await stage.world.until(lambda: len(stage.world.received) == MANY + 4)
    await handle.signal("stop")
    end = await handle.result()
    assert [event.sequence for event in stage.world.received] == [*range(1, MANY + 5)]
    assert (end.events_sent, end.events_failed) == (MANY + 4, 0)
    assert stage.world.loaded[0] == QUEUE_MAX + 1
    assert len(stage.world.loaded) > 1


async def test_what_happens_meanwhile_waits_behind_what_is_kept(stage: Stage) -> None:
    opening, later = asyncio.Event(), asyncio.Event()
    stage.world.receiver = closed_until(opening)
    stage.world.watches.extend([flapping(MANY), scripts.until(later, scripts.sees(scripts.FREEZE))])
    handle = await stage.start()
    await stage.world.until(lambda: len(stage.world.reports) == MANY + 1)
    opening.set()
    await stage.world.until(lambda: len(stage.world.loaded) == 1)
    later.set()
    await stage.world.until(lambda: len(stage.world.received) == MANY + 2)
    await handle.signal("stop")
    await handle.result()
    assert [event.sequence for event in stage.world.received] == [*range(1, MANY + 3)]
    assert stage.world.received[-1].event_type is EventType.FREEZE


async def test_what_the_store_does_not_know_yet_needs_no_store(stage: Stage) -> None:
    opening = asyncio.Event()
    stage.world.receiver = closed_until(opening)
    stage.world.gateway_is_away = True
    stage.world.watches.append(flapping(MANY))
    handle = await stage.start()
    await stage.world.until(lambda: len(stage.world.watched) == 2)
    opening.set()
    await stage.world.until(lambda: len(stage.world.received) == MANY + 1)
    assert stage.world.loaded == []
    stage.world.gateway_is_away = False
    await handle.signal("stop")
    await handle.result()
    assert [event.sequence for event in stage.world.received] == [*range(1, MANY + 2)]
    assert {report.webhook_status for report in stage.world.reports[-MANY:]} == {
        DeliveryStatus.SENT
    }


@pytest.mark.parametrize(
    ("on_failure", "sent", "status"),
    [
        pytest.param(OnDeliveryFailure.CONTINUE, MANY, MonitorStatus.STOPPED, id="continue"),
        pytest.param(OnDeliveryFailure.STOP, 0, MonitorStatus.ERROR, id="stop"),
    ],
)
async def test_each_event_that_is_kept_gets_an_outcome(
    stage: Stage, on_failure: OnDeliveryFailure, sent: int, status: MonitorStatus
) -> None:
    opening = asyncio.Event()
    fails = failing(1, attempts=1)

    async def receive(event: StreamEvent, attempt: int) -> None:
        await opening.wait()
        await fails(event, attempt)

    stage.world.receiver = receive
    stage.world.watches.append(flapping(MANY))
    handle = await stage.start(on_delivery_failure=on_failure)
    await stage.world.until(lambda: len(stage.world.reports) == MANY + 1)
    opening.set()
    if on_failure is OnDeliveryFailure.CONTINUE:
        await stage.world.until(lambda: len(stage.world.received) == sent)
        await handle.signal("stop")
    end = await handle.result()
    assert (end.status, end.events_sent, end.events_failed) == (status, sent, MANY + 1 - sent)
    last = {report.event.sequence: report.webhook_status for report in stage.world.reports}
    assert len(last) == MANY + 1
    assert DeliveryStatus.PENDING not in last.values()


async def test_events_that_the_store_refused_do_not_hold_up_later_ones(stage: Stage) -> None:
    opening, later = asyncio.Event(), asyncio.Event()
    stage.world.receiver = closed_until(opening)
    stage.world.gateway_refuses = True
    stage.world.watches.extend(
        [flapping(QUEUE_MAX + 2), scripts.until(later, scripts.sees(scripts.FREEZE))]
    )
    handle = await stage.start()
    statuses, events = 2, QUEUE_MAX + 3
    await stage.world.until(lambda: stage.world.refused_reports == statuses + events)
    stage.world.gateway_refuses = False
    later.set()
    await stage.world.until(lambda: bool(stage.world.reports))
    opening.set()
    await stage.world.until(lambda: len(stage.world.received) == QUEUE_MAX + 1)
    await handle.signal("stop")
    await handle.result()
    sequences = [event.sequence for event in stage.world.received]
    assert sequences == [*range(1, QUEUE_MAX + 1), QUEUE_MAX + 4]


async def test_a_payload_carries_no_text_without_end(stage: Stage) -> None:
    error = scripts.happening(EventType.SEGMENT_ERROR, error="x" * 100_000, duration_sec=60.0)
    stage.world.watches.extend([scripts.sees(error), scripts.ends()])
    await stage.run()
    assert len(stage.world.received[1].body()) < 1_000
    assert stage.world.received[1].data["error"].endswith("x…")


async def test_while_the_store_is_away_for_long_only_the_audit_of_the_oldest_is_lost(
    stage: Stage,
) -> None:
    world, happened, going = stage.world, 2 * ROOM, asyncio.Event()
    world.receiver = failing(4, attempts=1)
    world.watches.extend([sees_one_after_the_other(world, going)] * (happened - 1))
    handle = await stage.start(
        metadata=LARGEST_METADATA, on_delivery_failure=OnDeliveryFailure.CONTINUE
    )
    await world.until(lambda: [each.webhook_status for each in world.reports[-1:]] == ["sent"])
    world.gateway_is_away = True
    going.set()
    await world.until(lambda: len(world.received) == happened - 1)
    assert ROOM // 2 < (await snapshot_of(handle)).events_unaudited < happened
    world.gateway_is_away = False
    await handle.signal("stop")
    end = await handle.result()
    assert [event.sequence for event in world.received] == [1, 2, 3, *range(5, happened + 1)]
    last = {report.event.sequence: report.webhook_status for report in world.reports}
    assert len(last) + end.events_unaudited == happened
    assert [*last][:3] == [1, 2, 4], "2 was being told, and 4 may still be sent again"
    assert [*last][3:] == [*range(happened + 4 - len(last), happened + 1)]
    assert DeliveryStatus.PENDING not in last.values()


async def test_what_nobody_takes_is_not_lost_and_nothing_more_is_watched_meanwhile(
    stage: Stage,
) -> None:
    opening = asyncio.Event()
    stage.world.gateway_is_away = True
    stage.world.receiver = closed_until(opening)
    stage.world.watches.extend([flapping(10)] * (ROOM // 5))
    handle = await stage.start(metadata=LARGEST_METADATA)
    await until_it_says(handle, "Nothing is watched")
    assert (await snapshot_of(handle)).health.video is Health.UNKNOWN
    assert len(stage.world.watched) * 10 < ROOM
    assert stage.world.watching == 0
    opening.set()
    happened = ROOM // 5 * 10 + 1
    await stage.world.until(lambda: len(stage.world.received) == happened)
    stage.world.gateway_is_away = False
    await handle.signal("stop")
    end = await handle.result()
    assert [event.sequence for event in stage.world.received] == [*range(1, happened + 1)]
    assert (end.events_sent, end.events_failed) == (happened, 0)
