"""The store learns everything in the end, and nobody waits for it."""

import asyncio

from monitors.events import EventType
from monitors.status import DeliveryStatus, MonitorStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import closed_until
from tests.testkit.workflow_harness import WorkflowHarness, an_order, start_monitor


async def test_an_event_is_reported_when_it_waits_and_when_it_was_sent(
    harness: WorkflowHarness,
) -> None:
    opening = asyncio.Event()
    harness.activities.receiver = closed_until(opening)
    harness.activities.watches.append(scripts.ends())
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.reports) == 2)
    opening.set()
    await handle.result()
    told = [(each.event.sequence, each.webhook_status) for each in harness.activities.reports]
    assert sorted(told[:2]) == [(1, DeliveryStatus.PENDING), (2, DeliveryStatus.PENDING)]
    assert told[2:] == [(1, DeliveryStatus.SENT), (2, DeliveryStatus.SENT)]
    sent = harness.activities.reports[2]
    assert (sent.webhook_attempts, sent.sent_at) == (1, scripts.MOMENT)


async def test_an_absent_gateway_holds_up_neither_the_watch_nor_the_webhooks(
    harness: WorkflowHarness,
) -> None:
    harness.activities.gateway_is_away = True
    harness.activities.watches.extend(
        [scripts.sees(scripts.BLACKOUT), scripts.sees(scripts.SILENCE)]
    )
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.received) == 3)
    await harness.activities.until(lambda: harness.activities.watching == 1)
    assert harness.activities.statuses == []
    harness.activities.gateway_is_away = False
    await handle.signal("stop")
    await handle.result()


async def test_the_store_catches_up_after_an_outage(harness: WorkflowHarness) -> None:
    harness.activities.gateway_is_away = True
    harness.activities.watches.extend([scripts.sees(scripts.BLACKOUT), scripts.ends()])
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.received) == 3)
    await harness.pass_time(600)
    assert harness.activities.failed_reports > 10
    harness.activities.gateway_is_away = False
    end = await handle.result()
    assert end.status is MonitorStatus.COMPLETED
    # What was on its way at the outage arrives as it was; the rest as it is now, once.
    assert [report.status for report in harness.activities.statuses] == [
        MonitorStatus.WAITING,
        MonitorStatus.COMPLETED,
    ]
    assert [
        (report.event.event_type, report.webhook_status) for report in harness.activities.reports
    ] == [
        (EventType.STREAM_STARTED, DeliveryStatus.SENT),
        (EventType.BLACKOUT, DeliveryStatus.SENT),
        (EventType.STREAM_ENDED, DeliveryStatus.SENT),
    ]


async def test_a_refused_report_does_not_stop_the_monitor(harness: WorkflowHarness) -> None:
    harness.activities.gateway_refuses = True
    harness.activities.watches.append(scripts.ends())
    end = await harness.run()
    assert end.status is MonitorStatus.COMPLETED
    assert harness.told() == [EventType.STREAM_STARTED, EventType.STREAM_ENDED]


async def test_without_a_callback_events_are_reported_and_not_posted(
    harness: WorkflowHarness,
) -> None:
    harness.activities.watches.append(scripts.ends())
    order = an_order(await harness.now()).model_copy(update={"callback_url": None})
    result = await (await start_monitor(harness.client, order)).result()
    assert result.status is MonitorStatus.COMPLETED
    assert harness.activities.received == []
    assert [
        (report.event.sequence, report.webhook_status) for report in harness.activities.reports
    ] == [(1, DeliveryStatus.NONE), (2, DeliveryStatus.NONE)]
