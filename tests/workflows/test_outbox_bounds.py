"""The outbox is bounded: what has no room fails into the audit, and watching goes on."""

import asyncio

import pytest

from monitors.config import OnDeliveryFailure
from monitors.events import EventType
from monitors.status import DeliveryStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import closed_until, failing, sees_one_after_the_other
from tests.testkit.workflow_harness import LARGEST_METADATA, WorkflowHarness, snapshot_of
from workflows.options import OUTCOMES_MAX_BYTES, WAITING_MAX_BYTES

EVENT_BYTES = 16_600
ROOM = WAITING_MAX_BYTES // EVENT_BYTES
"""About this many events with `LARGEST_METADATA` have room, waiting or through."""

assert WAITING_MAX_BYTES == OUTCOMES_MAX_BYTES


def flapping(events: int) -> scripts.Watch:
    """Return a watch in which this much happens at once."""
    pairs = [scripts.BLACKOUT, scripts.BLACKOUT_RECOVERED] * (events // 2 + 1)
    return scripts.sees(*pairs[:events])


def statuses(harness: WorkflowHarness) -> set[DeliveryStatus]:
    return {report.webhook_status for report in harness.activities.reports}


async def test_hundreds_of_events_wait_for_a_slow_receiver_in_order(
    harness: WorkflowHarness,
) -> None:
    opening, many = asyncio.Event(), 300
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.extend([flapping(many), flapping(3)])
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.reports) == many + 4)
    assert (await snapshot_of(handle)).events_queued == many + 4
    opening.set()
    await harness.activities.until(lambda: len(harness.activities.received) == many + 4)
    await handle.signal("stop")
    end = await handle.result()
    assert [event.sequence for event in harness.activities.received] == [*range(1, many + 5)]
    assert (end.events_sent, end.events_failed) == (many + 4, 0)


@pytest.mark.parametrize("on_delivery_failure", OnDeliveryFailure)
async def test_the_oldest_that_wait_without_room_fail_into_the_audit(
    harness: WorkflowHarness, on_delivery_failure: OnDeliveryFailure
) -> None:
    opening, happened = asyncio.Event(), 2 * ROOM // 10 * 10 + 1
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.extend([flapping(10)] * (2 * ROOM // 10))
    handle = await harness.start(metadata=LARGEST_METADATA, on_delivery_failure=on_delivery_failure)
    await harness.activities.until(lambda: len(harness.activities.watched) == 2 * ROOM // 10 + 1)
    opening.set()
    await harness.activities.until(
        lambda: (
            {report.event.sequence for report in harness.activities.reports}
            == {*range(1, happened + 1)}
        )
    )
    await handle.signal("stop")
    end = await handle.result()
    received = [event.sequence for event in harness.activities.received]
    failed = happened - len(received)
    assert received == [1, *range(failed + 2, happened + 1)], "1 was on its way"
    assert ROOM - 3 <= len(received) <= ROOM
    assert (end.events_sent, end.events_failed, end.events_unaudited) == (len(received), failed, 0)
    last = {report.event.sequence: report for report in harness.activities.reports}
    assert [*sorted(last)] == [*range(1, happened + 1)]
    assert {last[sequence].webhook_status for sequence in range(2, failed + 2)} == {
        DeliveryStatus.FAILED
    }
    assert "too many later events" in (last[2].webhook_last_error or "")


async def test_room_is_counted_in_bytes_not_in_characters(harness: WorkflowHarness) -> None:
    opening = asyncio.Event()
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.extend([flapping(10)] * (2 * ROOM // 10))
    handle = await harness.start(
        metadata={"of": "映" * 5_300},  # as large as `LARGEST_METADATA`, a third as long
        on_delivery_failure=OnDeliveryFailure.CONTINUE,
    )
    await harness.activities.until(lambda: len(harness.activities.watched) == 2 * ROOM // 10 + 1)
    queued = (await snapshot_of(handle)).events_queued
    opening.set()
    await handle.signal("stop")
    await handle.result()
    assert queued <= ROOM + 1


async def test_events_that_the_store_refuses_are_delivered(harness: WorkflowHarness) -> None:
    harness.activities.gateway_refuses = True
    harness.activities.watches.extend([flapping(5), scripts.ends()])
    end = await harness.run()
    assert (end.events_sent, end.events_unaudited) == (7, 0)
    assert harness.activities.reports == []


async def test_a_payload_carries_no_text_without_end(harness: WorkflowHarness) -> None:
    error = scripts.happening(EventType.SEGMENT_ERROR, error="x" * 100_000, duration_sec=60.0)
    harness.activities.watches.extend([scripts.sees(error), scripts.ends()])
    await harness.run()
    assert len(harness.activities.received[1].body()) < 1_000
    assert harness.activities.received[1].data["error"].endswith("x…")


async def test_while_the_store_is_away_for_long_only_the_audit_of_the_oldest_is_lost(
    harness: WorkflowHarness,
) -> None:
    activities, happened, going = harness.activities, 2 * ROOM, asyncio.Event()
    activities.receiver = failing(4, attempts=1)
    activities.watches.extend([sees_one_after_the_other(activities, going)] * (happened - 1))
    handle = await harness.start(
        metadata=LARGEST_METADATA, on_delivery_failure=OnDeliveryFailure.CONTINUE
    )
    await activities.until(
        lambda: (
            [each.webhook_status for each in activities.reports[-1:]] == ["sent"]
            and [each.status for each in activities.statuses[-1:]] == ["monitoring"]
        )
    )
    activities.gateway_is_away = True
    going.set()
    await activities.until(lambda: len(activities.received) == happened - 1)
    assert ROOM // 2 < (await snapshot_of(handle)).events_unaudited < happened
    activities.gateway_is_away = False
    await handle.signal("stop")
    end = await handle.result()
    assert [event.sequence for event in activities.received] == [1, 2, 3, *range(5, happened + 1)]
    last = {report.event.sequence: report.webhook_status for report in activities.reports}
    assert len(last) + end.events_unaudited == happened
    first, reporting, failed = [*last][:3]
    assert (first, failed) == (1, 4), "4 may still be sent again"
    assert reporting in (2, 3), "its report was on its way: 3 may happen before 2 is through"
    assert [*last][3:] == [*range(happened + 4 - len(last), happened + 1)]
    assert DeliveryStatus.PENDING not in last.values()


async def test_what_nobody_takes_keeps_nobody_from_watching(harness: WorkflowHarness) -> None:
    opening = asyncio.Event()
    harness.activities.gateway_is_away = True
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.extend([flapping(10)] * (3 * ROOM // 10))
    handle = await harness.start(
        metadata=LARGEST_METADATA, on_delivery_failure=OnDeliveryFailure.CONTINUE
    )
    await harness.activities.until(lambda: len(harness.activities.watched) == 3 * ROOM // 10 + 1)
    assert harness.activities.watching == 1
    happened = 3 * ROOM // 10 * 10 + 1
    snapshot = await snapshot_of(handle)
    assert snapshot.events_unaudited > 0
    opening.set()
    harness.activities.gateway_is_away = False
    await handle.signal("stop")
    end = await handle.result()
    assert end.events_sent + end.events_failed == happened
    told = {report.event.sequence for report in harness.activities.reports}
    assert len(told) + end.events_unaudited == happened
