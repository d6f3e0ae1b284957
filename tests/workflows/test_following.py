"""From the order to the end of the stream."""

from datetime import timedelta
from itertools import pairwise

import pytest
from temporalio.api.enums.v1 import EventType as HistoryEvent

from monitors.events import EndReason, EventType
from monitors.status import IncidentKind, MonitorStatus, StreamStatus
from tests.testkit import scripts
from tests.testkit.workflow_harness import MONITOR_ID, Handle, WorkflowHarness, events_of


async def test_a_stream_is_followed_from_waiting_to_its_end(harness: WorkflowHarness) -> None:
    harness.activities.looks.extend(
        [scripts.not_live(look_again_sec=5), scripts.live("Evening news")]
    )
    harness.activities.watches.extend(
        [
            scripts.sees(scripts.BLACKOUT),
            scripts.lasting(600, scripts.checkpoint()),
            scripts.sees(scripts.BLACKOUT_RECOVERED, scripts.SILENCE),
            scripts.ends(EndReason.ENDLIST_DETECTED, scripts.SILENCE_RECOVERED),
        ]
    )
    end = await harness.run(metadata={"channel": 7})
    assert end.status is MonitorStatus.COMPLETED
    assert (end.events_sent, end.events_failed) == (6, 0)
    assert harness.told() == [
        EventType.STREAM_STARTED,
        EventType.BLACKOUT,
        EventType.BLACKOUT_RECOVERED,
        EventType.SILENCE,
        EventType.SILENCE_RECOVERED,
        EventType.STREAM_ENDED,
    ]
    received = harness.activities.received
    assert [event.sequence for event in received] == [1, 2, 3, 4, 5, 6]
    assert {event.monitor_id for event in received} == {MONITOR_ID}
    assert {event.metadata["channel"] for event in received} == {7}
    assert len({event.event_id for event in received}) == 6
    assert received[0].data == {"title": "Evening news"}
    assert received[1].timestamp == scripts.MOMENT
    assert received[-1].data == {"reason": "endlist_detected"}
    assert [report.status for report in harness.activities.statuses] == [
        MonitorStatus.WAITING,
        MonitorStatus.MONITORING,
        MonitorStatus.COMPLETED,
    ]
    assert harness.activities.statuses[-1].stream_status is StreamStatus.ENDED


async def test_each_watch_goes_on_where_the_last_one_stopped(harness: WorkflowHarness) -> None:
    harness.activities.watches.extend(
        [
            scripts.checkpoint(),
            scripts.handed_back(),
            scripts.taken_over(scripts.sees(scripts.FREEZE)),
            scripts.ends(),
        ]
    )
    await harness.run()
    states = [order.state for order in harness.activities.watched]
    lost_worker, its_successor = states[2:4]
    assert lost_worker == its_successor == {"watches": 2}
    assert [state["watches"] if state else 0 for state in states] == [0, 1, 2, 2, 3]
    assert harness.told() == [
        EventType.STREAM_STARTED,
        EventType.FREEZE,
        EventType.STREAM_ENDED,
    ]


async def test_looks_follow_the_delay_that_each_one_asks_for(harness: WorkflowHarness) -> None:
    delays_sec = [5, 60, 900]
    harness.activities.looks.extend(scripts.not_live(look_again_sec=delay) for delay in delays_sec)
    harness.activities.watches.append(scripts.ends())
    await harness.run()
    times = harness.activities.look_times
    waits = [(late - early).total_seconds() for early, late in pairwise(times)]
    assert waits == [pytest.approx(delay, abs=1) for delay in delays_sec]


async def test_waiting_costs_no_history(harness: WorkflowHarness) -> None:
    harness.activities.looks.extend([scripts.not_live(look_again_sec=30)] * 1000)
    handle = await harness.start()
    await harness.activities.until(
        lambda: bool(harness.activities.looked and harness.activities.statuses)
    )
    before = await _history_length(handle)
    await harness.pass_time(3600)
    await harness.activities.until(lambda: len(harness.activities.looked) > 100)
    assert await _history_length(handle) <= before + 10
    await handle.signal("stop")
    await handle.result()


async def test_a_healthy_monitor_costs_at_most_60_history_events_an_hour(
    harness: WorkflowHarness,
) -> None:
    hours = 4
    harness.activities.watches.append(scripts.checkpoint())
    harness.activities.watches.extend([scripts.lasting(600, scripts.checkpoint())] * (6 * hours))
    handle = await harness.start()
    await harness.activities.until(lambda: len(harness.activities.watched) == 2)
    before = await _history_length(handle)
    await harness.pass_time(timedelta(hours=hours).total_seconds())
    await harness.activities.until(lambda: len(harness.activities.watched) >= 2 + 12 * hours)
    assert await _history_length(handle) - before <= 60 * hours
    await handle.signal("stop")
    await handle.result()


async def test_search_attributes_are_written_only_when_they_change(
    harness: WorkflowHarness,
) -> None:
    harness.activities.watches.extend([scripts.checkpoint()] * 10)
    harness.activities.watches.append(scripts.ends())
    handle = await harness.start()
    await handle.result()
    # waiting; monitoring a live stream; the first measured health; ended; completed
    upserts = HistoryEvent.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES
    assert await events_of(handle, upserts) == 5


async def _history_length(handle: Handle) -> int:
    return len((await handle.fetch_history()).events)


@pytest.mark.parametrize(
    ("events", "most"),
    [pytest.param(7, 300, id="steadily"), pytest.param(20, 600, id="in the worst rhythm")],
)
async def test_what_a_stream_that_flaps_for_an_hour_costs_in_history_events(
    harness: WorkflowHarness, events: int, most: int
) -> None:
    """It sends at most 20 events, mostly 7; see `incident_tracker`."""
    changes = ([scripts.FREEZE, scripts.FREEZE_RECOVERED] * 10)[:events]
    open_then = ([(IncidentKind.FREEZE,), ()] * 10)[:events]
    every_sec = 3600 / len(changes)
    harness.activities.watches.extend(
        [
            *(
                scripts.lasting(every_sec, scripts.sees(each, open_incidents=open_now))
                for each, open_now in zip(changes, open_then, strict=True)
            ),
            scripts.ends(),
        ]
    )
    handle = await harness.start()
    await handle.result()
    assert len(harness.told()) == events + 2  # the start and the end of the stream
    assert await _history_length(handle) <= most
