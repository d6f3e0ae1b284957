"""Destinations are told the events of a monitor in their order, however they are recorded."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.destination_declarations import NextInput
from api.store.queueing import advanced
from monitors.reports import EventReport
from tests.testkit.destinations import (
    create_destination,
    dispatch_after,
    incident,
    next_notification,
    order,
    settle,
)
from tests.testkit.events import put_event
from tests.testkit.gateway import Running

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(seconds=11)
HOUR = timedelta(hours=1)


async def told(gateway: Running, destination_id: str) -> list[tuple[str, str]]:
    """Have all that is due told; return states and events."""
    found = []
    while due := (await next_notification(gateway, destination_id))["delivery_id"]:
        message = await order(gateway, destination_id, due)
        found.append((message["notification"]["state"], message["event"]["event_id"]))
        await settle(gateway, destination_id, due)
    return found


async def test_what_is_recorded_early_is_told_after_what_was_before_it(gateway: Running) -> None:
    destination_id = (await create_destination(gateway))["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    await put_event(gateway, monitor_id, incident(monitor_id, 2, closes=1))
    for sequence in (4, 3):
        await put_event(gateway, monitor_id, incident(monitor_id, sequence))
    due = await next_notification(gateway, destination_id)
    assert due["delivery_id"] is None
    assert 0 < due["wait_sec"] <= 10
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    assert await told(gateway, destination_id) == [
        ("opened", "evt-1"),
        ("closed", "evt-2"),
        ("opened", "evt-3"),
        ("opened", "evt-4"),
    ]


async def test_an_event_that_is_never_recorded_delays_the_others_once(
    light_gateway: Running,
) -> None:
    destination_id = (await create_destination(light_gateway))["destination_id"]
    monitor_id = await light_gateway.created_id(destinations=[destination_id])
    await put_event(light_gateway, monitor_id, incident(monitor_id, 1))
    await put_event(light_gateway, monitor_id, incident(monitor_id, 3))
    assert await told(light_gateway, destination_id) == [("opened", "evt-1")]
    later = timedelta(seconds=11)
    due = await dispatch_after(light_gateway, later).settle_and_pick(
        NextInput(destination_id=destination_id)
    )
    assert due.delivery_id
    await settle(light_gateway, destination_id, due.delivery_id)
    report = EventReport.model_validate(incident(monitor_id, 4))
    await light_gateway.store.events.record(monitor_id, report, datetime.now(UTC) + later)
    assert await told(light_gateway, destination_id) == [("opened", "evt-4")]


async def test_who_waits_for_an_event_is_woken_without_wanting_it(light_gateway: Running) -> None:
    made = await create_destination(light_gateway, events=["alert.*_recovered"])
    destination_id = made["destination_id"]
    monitor_id = await light_gateway.created_id(destinations=[destination_id])
    await put_event(light_gateway, monitor_id, incident(monitor_id, 2, closes=1))
    assert await told(light_gateway, destination_id) == []
    report = EventReport.model_validate(incident(monitor_id, 1))
    recorded = await light_gateway.store.events.record(monitor_id, report, datetime.now(UTC))
    assert recorded
    assert recorded.to_tell == [destination_id]
    assert await told(light_gateway, destination_id) == [("closed", "evt-2")]


@pytest.mark.parametrize(
    ("recorded", "through"),
    [
        pytest.param([(6, NOW)], 6, id="the next"),
        pytest.param([(7, NOW)], 5, id="one is missing"),
        pytest.param([(6, NOW), (7, NOW), (9, NOW)], 7, id="up to a gap"),
        pytest.param([(7, LONG_AGO), (8, NOW)], 8, id="the missing one is lost"),
        pytest.param([(7, NOW + HOUR), (8, NOW)], 8, id="lost, and the clock was set back"),
        pytest.param([(3, NOW), (4, NOW)], 5, id="of before"),
        pytest.param([], 5, id="nothing"),
    ],
)
def test_all_is_recorded_up_to_the_first_gap(
    recorded: list[tuple[int, datetime]], through: int
) -> None:
    assert advanced(5, recorded, NOW) == through
