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


async def test_events_keep_their_order_while_one_is_tried_again(stage: WorkflowHarness) -> None:
    stage.world.receiver = slow_to_take(1, attempts=3)
    stage.world.watches.extend(
        [scripts.sees(scripts.BLACKOUT), scripts.sees(scripts.FREEZE), scripts.ends()]
    )
    await stage.run()
    assert stage.world.attempts == [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (4, 1)]
    assert [event.sequence for event in stage.world.received] == [1, 2, 3, 4]
    assert final_reports(stage.world)[1] == (DeliveryStatus.SENT, 3)


async def test_every_attempt_carries_the_same_event(stage: WorkflowHarness) -> None:
    stage.world.receiver = slow_to_take(2, attempts=2)
    stage.world.watches.append(scripts.ends())
    await stage.run()
    bodies = {report.event.body() for report in stage.world.reports if report.event.sequence == 2}
    assert bodies == {stage.world.received[1].body()}


async def test_the_watch_does_not_wait_for_the_receiver(stage: WorkflowHarness) -> None:
    opening = asyncio.Event()
    stage.world.receiver = closed_until(opening)
    stage.world.watches.extend([scripts.sees(scripts.BLACKOUT)] * 5)
    handle = await stage.start()
    await stage.world.until(lambda: len(stage.world.watched) == 6)
    assert stage.world.received == []
    assert (await snapshot_of(handle)).events_queued == 6
    opening.set()
    await stage.world.until(lambda: len(stage.world.received) == 6)
    await handle.signal("stop")
    await handle.result()


async def test_a_lost_webhook_stops_the_monitor_and_nothing_more_is_sent(
    stage: WorkflowHarness,
) -> None:
    stage.world.receiver = failing(2, delay_sec=0.01)
    stage.world.watches.extend(
        [
            scripts.sees(scripts.BLACKOUT, scripts.SILENCE, scripts.FREEZE),
            scripts.until_stopped(scripts.BLACKOUT_RECOVERED),
        ]
    )
    handle = await stage.start()
    await stage.world.until(lambda: (2, 4) in stage.world.attempts)
    end = await handle.result()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "delivery_failed")
    assert end.error_message == (
        "A webhook was not accepted: the receiver answered with HTTP status 503"
    )
    assert (end.events_sent, end.events_failed) == (1, 3)
    assert stage.told() == [EventType.STREAM_STARTED]
    assert final_reports(stage.world) == {
        1: (DeliveryStatus.SENT, 1),
        2: (DeliveryStatus.FAILED, 4),
        3: (DeliveryStatus.FAILED, 0),
        4: (DeliveryStatus.FAILED, 0),
    }
    assert stage.world.watching == 0
    assert stage.world.statuses[-1].status is MonitorStatus.ERROR


async def test_a_webhook_lost_while_waiting_stops_the_wait(stage: WorkflowHarness) -> None:
    stage.world.receiver = failing(1)
    stage.world.looks.extend([scripts.not_live(look_again_sec=30)] * 1000)
    end = await stage.run(scheduled_start_time=await stage.now(), start_delay_tolerance_sec=60)
    assert end.status is MonitorStatus.ERROR
    assert final_reports(stage.world) == {1: (DeliveryStatus.FAILED, 4)}


async def test_the_webhook_of_the_end_counts_too(stage: WorkflowHarness) -> None:
    stage.world.receiver = failing(2)
    stage.world.watches.append(scripts.ends(EndReason.ENDLIST_DETECTED))
    end = await stage.run()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "delivery_failed")
    assert [report.status for report in stage.world.statuses if not report.status.is_active] == [
        MonitorStatus.ERROR
    ]


async def test_monitoring_goes_on_after_a_lost_webhook_when_the_user_wants_it(
    stage: WorkflowHarness,
) -> None:
    stage.world.receiver = failing(1, 3)
    stage.world.watches.extend(
        [scripts.sees(scripts.BLACKOUT), scripts.sees(scripts.BLACKOUT_RECOVERED), scripts.ends()]
    )
    end = await stage.run(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    assert end.status is MonitorStatus.COMPLETED
    assert (end.events_sent, end.events_failed) == (2, 2)
    assert stage.told() == [EventType.BLACKOUT, EventType.STREAM_ENDED]
    assert final_reports(stage.world) == {
        1: (DeliveryStatus.FAILED, 4),
        2: (DeliveryStatus.SENT, 1),
        3: (DeliveryStatus.FAILED, 4),
        4: (DeliveryStatus.SENT, 1),
    }


async def test_a_delivery_ends_however_its_attempts_break(stage: WorkflowHarness) -> None:
    async def breaking(event: StreamEvent, attempt: int) -> None:
        raise LookupError

    stage.world.receiver = breaking
    stage.world.watches.append(scripts.ends())
    end = await stage.run(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    assert end.status is MonitorStatus.COMPLETED
    assert len(stage.world.attempts) == 2 * DELIVERY_STARTS
    assert {status for status, _ in final_reports(stage.world).values()} == {DeliveryStatus.FAILED}


async def test_a_gateway_that_cannot_be_asked_for_the_address_fails_no_delivery(
    stage: WorkflowHarness,
) -> None:
    async def unaddressed(event: StreamEvent, attempt: int) -> None:
        if len(stage.world.attempts) <= DELIVERY_STARTS + 1:
            raise ApplicationError("no answer", type=GATEWAY_UNAVAILABLE)

    stage.world.receiver = unaddressed
    stage.world.watches.append(scripts.ends())
    end = await stage.run(on_delivery_failure=OnDeliveryFailure.STOP)
    assert (end.status, end.events_failed) == (MonitorStatus.COMPLETED, 0)
    assert [event.sequence for event in stage.world.received] == [1, 2]


async def test_a_failure_of_another_kind_ends_a_delivery_too(stage: WorkflowHarness) -> None:
    async def failing_otherwise(event: StreamEvent, attempt: int) -> None:
        raise ApplicationError("no such kind", {"not": "ours"}, non_retryable=True)

    stage.world.receiver = failing_otherwise
    stage.world.watches.append(scripts.ends())
    end = await stage.run(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    assert end.status is MonitorStatus.COMPLETED
    assert {status for status, _ in final_reports(stage.world).values()} == {DeliveryStatus.FAILED}


def final_reports(world: FakeActivities) -> dict[int, tuple[DeliveryStatus, int]]:
    """Return what the store knows in the end: status and attempts by sequence number."""
    return {
        report.event.sequence: (report.webhook_status, report.webhook_attempts)
        for report in world.reports
    }
