"""What a silence holds back is told at its end, in order, or never."""

from datetime import UTC, datetime

from temporalio.client import WorkflowHandle

from activities.declarations import WatchInput, WatchResult
from monitors.config import OnDeliveryFailure
from monitors.events import EventDraft, EventType
from monitors.status import DeliveryStatus, MonitorStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import failing
from tests.testkit.scripts import Watch
from tests.testkit.workflow_harness import WorkflowHarness
from workflows.messages import SILENCE_ENDED_SIGNAL

LATER = datetime(2030, 1, 1, tzinfo=UTC)
MOST_EVENTS = 20
"""What a silenced beginning may add to the history, with the watch that saw it and the next one."""

BLACK = scripts.happening(EventType.BLACKOUT, incident_id="inc-1")
BLACK_RECOVERED = scripts.happening(EventType.BLACKOUT_RECOVERED, incident_id="inc-1")
SILENT = scripts.happening(EventType.SILENCE, incident_id="inc-2")
SILENT_RECOVERED = scripts.happening(EventType.SILENCE_RECOVERED, incident_id="inc-2")


def sees_when_reported(harness: WorkflowHarness, sequence: int, *drafts: EventDraft) -> Watch:
    """See something as soon as the gateway knows what became of an event."""

    async def watch(order: WatchInput) -> WatchResult:
        await harness.activities.until(lambda: sequence in outcomes(harness))
        return await scripts.sees(*drafts)(order)

    return watch


def outcomes(harness: WorkflowHarness) -> dict[int, DeliveryStatus]:
    """Return what the gateway learned last of each event, but for those under way."""
    return {
        report.event.sequence: report.webhook_status
        for report in harness.activities.reports
        if report.webhook_status is not DeliveryStatus.PENDING
    }


async def until_silenced(harness: WorkflowHarness, *sequences: int) -> None:
    silenced = DeliveryStatus.SILENCED
    await harness.activities.until(
        lambda: all(outcomes(harness).get(each) is silenced for each in sequences)
    )


async def release(harness: WorkflowHarness, handle: WorkflowHandle[object, object]) -> None:
    harness.activities.silenced_until = None
    await handle.signal(SILENCE_ENDED_SIGNAL)


async def test_an_incident_within_a_silence_is_told_neither_at_its_beginning_nor_at_its_end(
    harness: WorkflowHarness,
) -> None:
    harness.activities.silenced_until = LATER
    harness.activities.watches.extend(
        [scripts.sees(BLACK), sees_when_reported(harness, 2, BLACK_RECOVERED), scripts.ends()]
    )
    end = await harness.run()
    assert end.status is MonitorStatus.COMPLETED
    assert (end.events_sent, end.events_failed) == (2, 0)
    assert harness.told() == [EventType.STREAM_STARTED, EventType.STREAM_ENDED]
    assert outcomes(harness)[2] is outcomes(harness)[3] is DeliveryStatus.SILENCED


async def test_what_is_still_open_when_a_silence_ends_is_told_then(
    harness: WorkflowHarness,
) -> None:
    harness.activities.silenced_until = LATER
    harness.activities.watches.append(scripts.sees(BLACK))
    harness.activities.watches.append(scripts.until_stopped(BLACK_RECOVERED))
    handle = await harness.start()
    await until_silenced(harness, 2)
    await release(harness, handle)
    await harness.activities.until(lambda: EventType.BLACKOUT in harness.told())
    await handle.signal("stop")
    await handle.result()
    assert harness.told() == [
        EventType.STREAM_STARTED,
        EventType.BLACKOUT,
        EventType.BLACKOUT_RECOVERED,
    ]


async def test_other_events_do_not_wait_for_what_is_held(harness: WorkflowHarness) -> None:
    harness.activities.silenced_until = LATER
    harness.activities.watches.append(scripts.sees(BLACK))
    harness.activities.watches.append(
        sees_when_reported(harness, 2, scripts.happening(EventType.STREAM_UNMEASURABLE))
    )
    handle = await harness.start()
    await harness.activities.until(lambda: EventType.STREAM_UNMEASURABLE in harness.told())
    await release(harness, handle)
    await harness.activities.until(lambda: EventType.BLACKOUT in harness.told())
    assert [event.sequence for event in harness.activities.received] == [1, 3, 2]
    await handle.signal("stop")
    await handle.result()


async def test_one_that_another_silence_holds_is_held_on(harness: WorkflowHarness) -> None:
    harness.activities.silenced_until = LATER
    harness.activities.watches.append(scripts.sees(BLACK))
    handle = await harness.start()
    await until_silenced(harness, 2)
    await handle.signal(SILENCE_ENDED_SIGNAL)
    await harness.activities.until(lambda: harness.activities.asked == [(2, None), (2, LATER)])
    await release(harness, handle)
    await harness.activities.until(lambda: EventType.BLACKOUT in harness.told())
    await handle.signal("stop")
    await handle.result()


async def test_the_beginning_comes_before_an_end_that_outlived_the_silence(
    harness: WorkflowHarness,
) -> None:
    harness.activities.silenced_until = LATER

    async def end_after_the_silence(order: WatchInput) -> WatchResult:
        await until_silenced(harness, 2, 3)
        harness.activities.silenced_until = None  # and nobody has told the monitor yet
        return await scripts.sees(SILENT_RECOVERED, BLACK_RECOVERED)(order)

    harness.activities.watches.extend(
        [scripts.sees(BLACK, SILENT), end_after_the_silence, scripts.ends()]
    )
    await harness.run()
    assert harness.told() == [
        EventType.STREAM_STARTED,
        EventType.SILENCE,
        EventType.SILENCE_RECOVERED,
        EventType.BLACKOUT,
        EventType.BLACKOUT_RECOVERED,
        EventType.STREAM_ENDED,
    ]


async def test_a_silence_takes_no_failure_back(harness: WorkflowHarness) -> None:
    """The beginning failed before the silence: the end is tried, as always."""
    harness.activities.receiver = failing(2, delay_sec=0.01)
    harness.activities.watches.extend([scripts.sees(BLACK), scripts.sees(BLACK_RECOVERED)])
    handle = await harness.start(on_delivery_failure=OnDeliveryFailure.CONTINUE)
    await harness.activities.until(lambda: EventType.BLACKOUT_RECOVERED in harness.told())
    await handle.signal("stop")
    await handle.result()


async def test_the_gateway_learns_later_what_it_could_not_be_told_at_once(
    harness: WorkflowHarness,
) -> None:
    harness.activities.silenced_until = LATER
    harness.activities.gateway_is_away = True
    harness.activities.watches.append(scripts.sees(BLACK))
    handle = await harness.start()
    await harness.activities.until(lambda: harness.activities.asked == [(2, None)])
    harness.activities.gateway_is_away = False
    await until_silenced(harness, 2)
    await release(harness, handle)
    await harness.activities.until(lambda: EventType.BLACKOUT in harness.told())
    await handle.signal("stop")
    await handle.result()


async def test_a_silenced_incident_costs_less_history_than_one_that_is_told(
    harness: WorkflowHarness,
) -> None:
    harness.activities.silenced_until = LATER
    harness.activities.watches.append(scripts.sees(BLACK))
    handle = await harness.start()
    await harness.activities.until(lambda: bool(harness.activities.received))
    before = (await handle.describe()).history_length
    await until_silenced(harness, 2)
    assert (await handle.describe()).history_length - before <= MOST_EVENTS
    await handle.signal("stop")
    await handle.result()
