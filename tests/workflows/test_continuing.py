"""What only a real server does: long histories, and activities that fail while they are to stop."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from monitors.events import EndReason, StreamEvent, timestamp_text
from monitors.random_ids import new_monitor_id
from monitors.reports import Statistics
from monitors.status import DeliveryStatus, Health, IncidentKind, MonitorStatus
from tests.testkit import scripts
from tests.testkit.fake_activities import (
    FakeActivities,
    closed_until,
    refusal,
    sees_one_after_the_other,
)
from tests.testkit.temporal import LONG_HISTORY, SHORT_HISTORIES, connected, temporal_server
from tests.testkit.workflow_harness import (
    Handle,
    an_order,
    snapshot_of,
    start_monitor,
    workers,
)
from workflows import options
from workflows.messages import STOP_SIGNAL, MonitorChange
from workflows.monitor import MonitorWorkflow

ENOUGH = LONG_HISTORY // 6 + 2
"""Checkpoints enough for a history that is called long."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with temporal_server(*SHORT_HISTORIES) as where:
        yield where


@pytest.fixture
async def client(address: str) -> Client:
    return await connected(address)


async def test_a_long_history_is_continued_with_all_that_was_learned(client: Client) -> None:
    statistics = Statistics(total_segments_analyzed=9, blackout_events=1)
    activities = FakeActivities(
        watches=[
            scripts.sees(scripts.BLACKOUT),
            *[
                scripts.checkpoint(
                    statistics=statistics,
                    video=Health.ERROR,
                    open_incidents=(IncidentKind.BLACKOUT,),
                )
            ]
            * ENOUGH,
        ]
    )
    async with workers(client, activities):
        handle = await start(client, metadata={"channel": 7}, blackout_threshold_sec=12)
        await activities.until(lambda: len(activities.watched) == ENOUGH + 2)
        assert len(activities.runs) > 1
        snapshot = await snapshot_of(handle)
        assert snapshot.status is MonitorStatus.MONITORING
        assert snapshot.statistics == statistics
        assert snapshot.health.video is Health.ERROR
        assert [incident.kind for incident in snapshot.open_incidents] == [IncidentKind.BLACKOUT]
        assert (snapshot.title, snapshot.events_sent) == ("A stream", 2)
        assert snapshot.metadata == {"channel": 7}
        await handle.signal(STOP_SIGNAL)
        await handle.result()
    states = [order.state["watches"] if order.state else 0 for order in activities.watched]
    assert states == list(range(ENOUGH + 2))
    assert {order.config.blackout_threshold_sec for order in activities.watched} == {12}
    assert len(activities.looked) == 1
    assert [event.sequence for event in activities.received] == [1, 2]
    assert [report.status for report in activities.statuses] == [
        MonitorStatus.WAITING,
        MonitorStatus.MONITORING,
        MonitorStatus.STOPPED,
    ]


async def test_events_of_a_continued_monitor_count_on(client: Client) -> None:
    activities = FakeActivities(
        watches=[
            scripts.sees(scripts.BLACKOUT),
            *[scripts.checkpoint()] * ENOUGH,
            scripts.ends(EndReason.ENDLIST_DETECTED, scripts.BLACKOUT_RECOVERED),
        ]
    )
    async with workers(client, activities):
        end = await (await start(client)).result()
    assert len(activities.runs) > 1
    assert (end.status, end.events_sent) == (MonitorStatus.COMPLETED, 4)
    assert [event.sequence for event in activities.received] == [1, 2, 3, 4]
    assert len({event.event_id for event in activities.received}) == 4


async def test_nothing_that_is_on_its_way_is_left_behind(client: Client) -> None:
    opening = asyncio.Event()
    activities = FakeActivities(
        watches=[
            scripts.sees(scripts.BLACKOUT),
            *[scripts.checkpoint()] * ENOUGH,
            scripts.until(opening, scripts.checkpoint()),
        ]
    )
    activities.receiver = closed_until(opening)
    activities.gateway_is_away = True
    async with workers(client, activities):
        handle = await start(client)
        await activities.until(lambda: len(activities.watched) == ENOUGH + 2)
        assert len(activities.runs) == 1
        assert activities.watched[0].checkpoint_sec == options.SHORT_CHECKPOINT.total_seconds()
        assert activities.watched[1].checkpoint_sec == options.CHECKPOINT.total_seconds()
        assert activities.watched[-1].checkpoint_sec == options.SHORT_CHECKPOINT.total_seconds()
        activities.gateway_is_away = False
        opening.set()
        await activities.until(lambda: len(activities.received) == 2)
        await handle.signal(STOP_SIGNAL)
        await handle.result()
    assert [event.sequence for event in activities.received] == [1, 2]
    assert activities.statuses[-1].status is MonitorStatus.STOPPED
    last = {report.event.sequence: report.webhook_status for report in activities.reports}
    assert last == {1: DeliveryStatus.SENT, 2: DeliveryStatus.SENT}


async def test_a_receiver_that_is_away_does_not_keep_a_long_history_from_being_continued(
    client: Client,
) -> None:
    """Only the webhook that is on its way is waited for; the rest is carried on."""
    activities = FakeActivities(
        watches=[scripts.sees(scripts.BLACKOUT, scripts.FREEZE)] * (2 * ENOUGH)
    )

    async def receive(event: StreamEvent, attempt: int) -> None:
        if event.sequence == 1 and attempt == 1:
            await activities.until(lambda: len(activities.watched) >= ENOUGH)
            raise refusal(attempt, final=False, delay_sec=0.01)

    activities.receiver = receive
    async with workers(client, activities):
        handle = await start(client)
        await activities.until(lambda: len(activities.received) == 4 * ENOUGH + 1)
        await handle.signal(STOP_SIGNAL)
        end = await handle.result()
    assert len(activities.runs) > 1
    assert [event.sequence for event in activities.received] == [*range(1, 4 * ENOUGH + 2)]
    assert (end.events_sent, end.events_failed) == (4 * ENOUGH + 1, 0)


async def test_a_gateway_that_is_away_does_not_keep_a_long_history_from_being_continued(
    client: Client,
) -> None:
    """A run that went on until it is back would end at Temporal's limits, its monitor with it."""
    activities, going = FakeActivities(), asyncio.Event()
    going.set()
    activities.gateway_is_away = True
    event_bytes = 80_000  # larger than any real one: fewer of them fill what a run may carry
    most = options.OUTCOMES_MAX_BYTES // event_bytes
    # More than are needed: a watch that is interrupted for a new run takes its step with it.
    activities.watches.extend([sees_one_after_the_other(activities, going)] * (6 * most))
    async with workers(client, activities):
        handle = await start(client, metadata={"note": "x" * event_bytes})
        await activities.until(lambda: len(activities.received) > most)
        runs = len(activities.runs)
        await activities.until(lambda: len(activities.received) > 3 * most)
        assert len(activities.runs) > runs + 1
        going.clear()
        activities.gateway_is_away = False
        await handle.signal(STOP_SIGNAL)
        end = await handle.result()
    assert [event.sequence for event in activities.received] == [*range(1, end.events_sent + 1)]
    told = {report.event.sequence for report in activities.reports}
    assert len(told) + end.events_unaudited == end.events_sent
    assert most // 2 < len(told) < most + 4


async def test_a_long_history_of_waiting_is_continued_with_all_that_was_learned(
    client: Client,
) -> None:
    """Each reschedule wakes the workflow up; over months they would fill its history."""
    now = datetime.now(UTC)
    starts = [now + timedelta(days=day) for day in range(1, ENOUGH)]
    activities = FakeActivities(
        looks=[
            scripts.unseen("a bot check"),
            *map(scripts.announced, starts),
            scripts.unseen("a bot check"),
            scripts.look_without_answer(),
        ]
    )
    async with workers(client, activities):
        handle = await start(client, start_delay_tolerance_sec=0)
        await activities.until(lambda: len(activities.looked) == ENOUGH + 2)
        snapshot = await snapshot_of(handle)
        assert len(activities.runs) > 1
        assert snapshot.status is MonitorStatus.WAITING
        assert snapshot.doing.endswith("cannot be seen: a bot check")
        assert snapshot.title == "A stream"
        await handle.signal(STOP_SIGNAL)
        await handle.result()
    assert [order.site_start_time for order in activities.looked[2:-1]] == starts
    assert activities.looked[-1].state == {"unknown": "a bot check"}
    assert [report.status for report in activities.statuses] == [
        MonitorStatus.WAITING,
        MonitorStatus.STOPPED,
    ]


@pytest.mark.parametrize(
    ("starts_in", "status"),
    [
        pytest.param(timedelta(days=1), MonitorStatus.SCHEDULED, id="scheduled"),
        pytest.param(timedelta(0), MonitorStatus.WAITING, id="waiting"),
    ],
)
async def test_many_changes_of_a_monitor_that_is_not_live_yet_make_no_endless_history(
    client: Client, starts_in: timedelta, status: MonitorStatus
) -> None:
    activities = FakeActivities(looks=[scripts.not_live(look_again_sec=3600)] * 9)
    async with workers(client, activities):
        start_at = datetime.now(UTC) + starts_in
        handle = await start(client, scheduled_start_time=start_at)
        await activities.until(lambda: status in [report.status for report in activities.statuses])
        for number in range(LONG_HISTORY):
            change = MonitorChange(metadata={"number": number})
            changed = await handle.execute_update(MonitorWorkflow.change, change)
            assert changed.changes == number + 1
        snapshot = await snapshot_of(handle)
        assert (snapshot.status, snapshot.metadata) == (status, {"number": LONG_HISTORY - 1})
        run = await handle.describe()
        assert run.history_length < 2 * LONG_HISTORY
        await handle.signal(STOP_SIGNAL)
        end = await handle.result()
    assert end.status is MonitorStatus.STOPPED
    assert [report.status for report in activities.statuses][-2:] == [status, MonitorStatus.STOPPED]


@pytest.mark.parametrize("lengths_of_waiting", [pytest.param(n, id=str(n)) for n in range(5, 9)])
async def test_what_a_continued_wait_goes_on_with_is_told(
    client: Client, lengths_of_waiting: int
) -> None:
    """Whatever look begins the next run, its details say what was learned before."""
    day = datetime.now(UTC) + timedelta(days=1)
    looks = [scripts.announced(day + timedelta(hours=n)) for n in range(lengths_of_waiting)]
    activities = FakeActivities(looks=[*looks, scripts.look_without_answer()])
    async with workers(client, activities):
        handle = await start(client)
        await activities.until(lambda: len(activities.looked) == len(looks) + 1)
        snapshot = await snapshot_of(handle)
        last = timestamp_text(day + timedelta(hours=lengths_of_waiting - 1))
        assert snapshot.doing == f"Waiting for {last}"
        await handle.signal(STOP_SIGNAL)
        await handle.result()


@pytest.mark.parametrize("checkpoints", [pytest.param(n, id=f"after-{n}") for n in (6, 8, 10)])
async def test_a_stop_around_the_change_of_runs_is_not_lost(
    client: Client, checkpoints: int
) -> None:
    activities = FakeActivities(watches=[scripts.checkpoint()] * ENOUGH)
    async with workers(client, activities):
        handle = await start(client)
        await activities.until(lambda: len(activities.watched) >= checkpoints)
        await handle.signal(STOP_SIGNAL)
        end = await handle.result()
    assert end.status is MonitorStatus.STOPPED
    assert activities.statuses[-1].status is MonitorStatus.STOPPED


async def test_a_watch_that_fails_while_it_is_stopped_is_no_reason_to_give_up(
    client: Client,
) -> None:
    activities = FakeActivities(
        watches=[
            scripts.checkpoint(),
            scripts.watch_that_fails_when_stopped(),
            scripts.ends(),
        ]
    )
    async with workers(client, activities):
        handle = await start(client)
        await activities.until(lambda: len(activities.watched) == 2)
        await handle.execute_update(
            MonitorWorkflow.change, MonitorChange(thresholds={"recovery_sec": 1})
        )
        end = await handle.result()
    assert end.status is MonitorStatus.COMPLETED
    assert activities.watched[2].state == {"watches": 1}


async def start(client: Client, **fields: Any) -> Handle:
    """Start a monitor of its own; the handle follows it from run to run."""
    order = an_order(datetime.now(UTC), **fields)
    return await start_monitor(client, order.model_copy(update={"monitor_id": new_monitor_id()}))
