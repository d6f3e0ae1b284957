"""Webhooks that fail, and what that means for their monitor."""

import asyncio

from temporalio.exceptions import ApplicationError

from activities.declarations import GATEWAY_UNAVAILABLE
from monitors.config import OnDeliveryFailure
from monitors.events import EndReason, EventType, StreamEvent
from monitors.status import DeliveryStatus, MonitorStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import FakeActivities, closed_until, failing, slow_to_take
from tests.testkit.workflow_harness import WorkflowHarness, snapshot_of
from workflows.options import DELIVERY_STARTS


async def test_events_keep_their_order_while_one_is_tried_again(harness: WorkflowHarness) -> None:
    harness.activities.receiver = slow_to_take(1, attempts=3)
    harness.activities.watches.extend(
        [scripts.sees(scripts.BLACKOUT), scripts.sees(scripts.FREEZE), scripts.ends()]
    )
    await harness.run()
    assert harness.activities.attempts == [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (4, 1)]
    assert [event.sequence for event in harness.activities.received] == [1, 2, 3, 4]
    assert final_reports(harness.activities)[1] == (DeliveryStatus.SENT, 3)


async def test_every_attempt_carries_the_same_event(harness: WorkflowHarness) -> None:
    harness.activities.receiver = slow_to_take(2, attempts=2)
    harness.activities.watches.append(scripts.ends())
    await harness.run()
    bodies = {
        report.event.body() for report in harness.activities.reports if report.event.sequence == 2
    }
    assert bodies == {harness.activities.received[1].body()}


async def test_the_watch_does_not_wait_for_the_receiver(harness: WorkflowHarness) -> None:
    opening = asyncio.Event()
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.extend([scripts.sees(scripts.BLACKOUT)] * 5)
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.watched) == 6)
    assert harness.activities.received == []
    assert (await snapshot_of(handle)).events_queued == 6
    opening.set()
    await harness.activities.until(lambda: len(harness.activities.received) == 6)
    await handle.signal("stop")
    await handle.result()


async def test_a_lost_webhook_stops_the_monitor_and_nothing_more_is_sent(
    harness: WorkflowHarness,
) -> None:
    harness.activities.receiver = failing(2, delay_sec=0.01)
    harness.activities.watches.extend(
        [
            scripts.sees(scripts.BLACKOUT, scripts.SILENCE, scripts.FREEZE),
            scripts.until_stopped(scripts.BLACKOUT_RECOVERED),
        ]
    )
    handle = await harness.start()
    await harness.activities.until(lambda: (2, 4) in harness.activities.attempts)
    end = await handle.result()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "delivery_failed")
    assert end.error_message == (
        "A webhook was not accepted: the receiver answered with HTTP status 503"
    )
    assert (end.events_sent, end.events_failed) == (1, 5)
    assert harness.told() == [EventType.STREAM_STARTED]
    assert final_reports(harness.activities) == {
        1: (DeliveryStatus.SENT, 1),
        2: (DeliveryStatus.FAILED, 4),
        3: (DeliveryStatus.FAILED, 0),
        4: (DeliveryStatus.FAILED, 0),
        5: (DeliveryStatus.FAILED, 0),
        6: (DeliveryStatus.FAILED, 0),
    }
    last = [report.event for report in harness.activities.reports[-2:]]
    assert [event.event_type for event in last] == [
        EventType.BLACKOUT_RECOVERED,
        EventType.MONITOR_ERROR,
    ], "destinations learn what the receiver does not"
    assert last[1].data["reason"] == "delivery_failed"
    assert harness.activities.watching == 0
    assert harness.activities.statuses[-1].status is MonitorStatus.ERROR


async def test_a_webhook_lost_while_waiting_stops_the_wait(harness: WorkflowHarness) -> None:
    harness.activities.receiver = failing(1)
    harness.activities.looks.extend([scripts.not_live(look_again_sec=30)] * 1000)
    end = await harness.run(scheduled_start_time=await harness.now(), start_delay_tolerance_sec=60)
    assert end.status is MonitorStatus.ERROR
    assert final_reports(harness.activities) == {
        1: (DeliveryStatus.FAILED, 4),
        2: (DeliveryStatus.FAILED, 0),
    }


async def test_the_webhook_of_the_end_counts_too(harness: WorkflowHarness) -> None:
    harness.activities.receiver = failing(2)
    harness.activities.watches.append(scripts.ends(EndReason.ENDLIST_DETECTED))
    end = await harness.run()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "delivery_failed")
    assert [
        report.status for report in harness.activities.statuses if not report.status.is_active
    ] == [MonitorStatus.ERROR]


async def test_monitoring_goes_on_after_a_lost_webhook_when_the_user_wants_it(
    harness: WorkflowHarness,
) -> None:
    harness.activities.receiver = failing(1, 3)
    harness.activities.watches.extend(
        [scripts.sees(scripts.BLACKOUT), scripts.sees(scripts.BLACKOUT_RECOVERED), scripts.ends()]
    )
    end = await harness.run(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    assert end.status is MonitorStatus.COMPLETED
    assert (end.events_sent, end.events_failed) == (2, 2)
    assert harness.told() == [EventType.BLACKOUT, EventType.STREAM_ENDED]
    assert final_reports(harness.activities) == {
        1: (DeliveryStatus.FAILED, 4),
        2: (DeliveryStatus.SENT, 1),
        3: (DeliveryStatus.FAILED, 4),
        4: (DeliveryStatus.SENT, 1),
    }


async def test_a_delivery_ends_however_its_attempts_break(harness: WorkflowHarness) -> None:
    async def breaking(event: StreamEvent, attempt: int) -> None:
        raise LookupError

    harness.activities.receiver = breaking
    harness.activities.watches.append(scripts.ends())
    end = await harness.run(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    assert end.status is MonitorStatus.COMPLETED
    assert len(harness.activities.attempts) == 2 * DELIVERY_STARTS
    assert {status for status, _ in final_reports(harness.activities).values()} == {
        DeliveryStatus.FAILED
    }


async def test_a_gateway_that_cannot_be_asked_for_the_address_fails_no_delivery(
    harness: WorkflowHarness,
) -> None:
    async def unaddressed(event: StreamEvent, attempt: int) -> None:
        if len(harness.activities.attempts) <= DELIVERY_STARTS + 1:
            raise ApplicationError("no answer", type=GATEWAY_UNAVAILABLE)

    harness.activities.receiver = unaddressed
    harness.activities.watches.append(scripts.ends())
    end = await harness.run(on_delivery_failure=OnDeliveryFailure.STOP)
    assert (end.status, end.events_failed) == (MonitorStatus.COMPLETED, 0)
    assert [event.sequence for event in harness.activities.received] == [1, 2]


async def test_a_failure_of_another_kind_ends_a_delivery_too(harness: WorkflowHarness) -> None:
    async def failing_otherwise(event: StreamEvent, attempt: int) -> None:
        raise ApplicationError("no such kind", {"not": "ours"}, non_retryable=True)

    harness.activities.receiver = failing_otherwise
    harness.activities.watches.append(scripts.ends())
    end = await harness.run(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    assert end.status is MonitorStatus.COMPLETED
    assert {status for status, _ in final_reports(harness.activities).values()} == {
        DeliveryStatus.FAILED
    }


def final_reports(activities: FakeActivities) -> dict[int, tuple[DeliveryStatus, int]]:
    """Return what the store knows in the end: status and attempts by sequence number."""
    return {
        report.event.sequence: (report.webhook_status, report.webhook_attempts)
        for report in activities.reports
    }
