"""What is judged again before it is told: reminders, retries, recoveries of groups."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from activities.destination_declarations import NextInput, NotificationOutcome
from api.destinations.dispatch import FEW_ROWS, MANY_ROWS
from api.store import Store
from api.store.boards import Scope, load_board
from api.store.delivery_records import deliveries as delivery_rows
from api.store.tables import incidents
from tests.testkit.destinations import (
    create_destination,
    deliveries,
    dispatch_after,
    incident,
    next_notification,
    order,
    settle,
    silence_path,
)
from tests.testkit.events import put_event
from tests.testkit.gateway import Running

LATER = timedelta(seconds=61)
LONG_AGO = datetime.now(UTC) - timedelta(hours=2)  # older incidents are forgotten


async def reminded(gateway: Running) -> tuple[str, str, int]:
    """Have a reminder handed out; return its destination, monitor and id."""
    made = await create_destination(gateway, remind_every_sec=60)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    first = (await next_notification(gateway, destination_id))["delivery_id"]
    await settle(gateway, destination_id, first)
    due = await dispatch_after(gateway, LATER).settle_and_pick(
        NextInput(destination_id=destination_id)
    )
    assert due.delivery_id
    return destination_id, monitor_id, due.delivery_id


@pytest.mark.parametrize("change", ["acknowledged", "ended", "silenced", None])
async def test_a_reminder_that_is_tried_again_is_judged_again(
    light_gateway: Running, change: str | None
) -> None:
    gateway = light_gateway
    destination_id, monitor_id, reminder = await reminded(gateway)
    report = incident(monitor_id, 1)
    if change == "acknowledged":
        path = f"/api/v1/incidents/{report['event']['data']['incident_id']}/acknowledge"
        assert (await gateway.client.post(path, json={})).status_code == 200
    elif change == "ended":
        await put_event(gateway, monitor_id, incident(monitor_id, 2, closes=1))
    elif change == "silenced":
        await silence_path(gateway, all=True)
    due = await dispatch_after(gateway, LATER).settle_and_pick(
        NextInput(destination_id=destination_id)
    )
    states = [one["state"] for one in await deliveries(gateway, destination_id)]
    if change is None:
        assert due.delivery_id == reminder
        return
    assert due.delivery_id != reminder
    assert "reminder" not in states
    assert bool(due.delivery_id) is (change != "silenced")


async def test_a_disabled_destination_is_not_tried_again(light_gateway: Running) -> None:
    gateway = light_gateway
    made = await create_destination(gateway)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    first = (await next_notification(gateway, destination_id))["delivery_id"]
    path = f"/api/v1/destinations/{destination_id}"
    await gateway.client.patch(path, json={"enabled": False})
    assert (await next_notification(gateway, destination_id))["delivery_id"] is None
    (waiting,) = await deliveries(gateway, destination_id)
    assert waiting["status"] == "pending"
    await gateway.client.patch(path, json={"enabled": True})
    assert (await next_notification(gateway, destination_id))["delivery_id"] == first


async def fill(
    store: Store, destination_id: str, monitor_id: str, count: int, **delivery: Any
) -> None:
    """Have a destination know a group of open incidents, all told long ago."""
    numbers = range(1, count + 1)
    opened: dict[str, Any] = {"kind": "blackout", "severity": "critical", "is_open": True}
    opened |= {"monitor_id": monitor_id, "track": "", "is_flapping": False, "silenced": False}
    opened |= {"started_at": LONG_AGO, "opened_name": "", "opened_labels": {}}
    told: dict[str, Any] = {"destination_id": destination_id, "monitor_id": monitor_id}
    told |= {"event_type": "alert.blackout", "state": "opened", "status": "sent", "attempts": 1}
    told |= {"told_with": 1, "told_at": LONG_AGO, "happened_at": LONG_AGO, "created_at": LONG_AGO}
    told |= delivery
    ids = [{"incident_id": f"inc-{number}"} for number in numbers]
    async with store.database.write() as connection:
        await connection.execute(insert(incidents), [opened | each for each in ids])
        await connection.execute(insert(delivery_rows), [told | each for each in ids])


@pytest.mark.parametrize("has_reminders", [False, True])
async def test_of_many_open_incidents_few_are_read(
    light_gateway: Running, has_reminders: bool
) -> None:
    made = await create_destination(light_gateway)
    monitor_id = await light_gateway.created_id(destinations=[made["destination_id"]])
    await fill(light_gateway.store, made["destination_id"], monitor_id, 300)
    scope = Scope(limit=200, has_reminders=has_reminders)
    async with light_gateway.store.database.read() as connection:
        board = await load_board(connection, made["destination_id"], scope, now=datetime.now(UTC))
    assert len(board.told) == (200 if has_reminders else 0)


async def test_of_many_held_openings_few_are_read_and_none_hides_what_is_due(
    light_gateway: Running,
) -> None:
    made = await create_destination(light_gateway)
    destination_id = made["destination_id"]
    monitor_id = await light_gateway.created_id(destinations=[destination_id])
    held: dict[str, Any] = {"status": "silenced", "told_with": None, "told_at": None}
    await fill(light_gateway.store, destination_id, monitor_id, FEW_ROWS + 1, **held)
    scope = Scope(limit=FEW_ROWS, has_reminders=False, most_silenced=FEW_ROWS)
    async with light_gateway.store.database.read() as connection:
        board = await load_board(connection, destination_id, scope, now=datetime.now(UTC))
    assert (len(board.waiting), board.is_all_waiting) == (FEW_ROWS, False)
    await silence_path(light_gateway, kinds=["blackout"], all=True)
    async with light_gateway.store.database.write() as connection:
        last = delivery_rows.c.delivery_id == FEW_ROWS + 1
        freeze = update(delivery_rows).where(last).values(event_type="alert.freeze")
        await connection.execute(freeze)
    due = await next_notification(light_gateway, destination_id)
    assert due["delivery_id"] == FEW_ROWS + 1


async def test_recoveries_that_wait_for_their_group_hide_nothing(light_gateway: Running) -> None:
    gateway = light_gateway
    made = await create_destination(gateway, group_window_sec=60)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    count = MANY_ROWS + 1
    await fill(gateway.store, destination_id, monitor_id, count + 1)
    closed = {"destination_id": destination_id, "state": "closed", "status": "pending"}
    closed |= {"event_type": "alert.blackout_recovered", "monitor_id": monitor_id}
    rows = [
        {**closed, "attempts": 0, "happened_at": LONG_AGO, "created_at": LONG_AGO}
        | {"incident_id": f"inc-{number}"}
        for number in range(1, count + 1)
    ]
    async with gateway.store.database.write() as connection:
        await connection.execute(insert(delivery_rows), rows)
        ended = incidents.update().where(incidents.c.incident_id != f"inc-{count + 1}")
        await connection.execute(ended.values(is_open=False, ended_at=LONG_AGO))
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    due = await dispatch_after(gateway, LATER).settle_and_pick(
        NextInput(destination_id=destination_id)
    )
    assert due.delivery_id
    message = (await order(gateway, destination_id, due.delivery_id))["notification"]
    assert message["state"] == "opened"


async def test_a_reminder_that_is_interrupted_is_made_again_once(gateway: Running) -> None:
    made = await create_destination(gateway, remind_every_sec=60)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    first = (await next_notification(gateway, destination_id))["delivery_id"]
    await settle(gateway, destination_id, first)
    assert 0 < (await next_notification(gateway, destination_id))["wait_sec"] <= 60
    later = dispatch_after(gateway, timedelta(seconds=61))
    reminder = await later.settle_and_pick(NextInput(destination_id=destination_id))
    assert reminder.delivery_id
    told = await later.notification_order(destination_id, reminder.delivery_id)
    assert told.notification.state == "reminder"
    assert [one.monitor_id for one in told.notification.subjects] == [monitor_id]
    again = await later.settle_and_pick(NextInput(destination_id=destination_id, hand_back=True))
    assert again.delivery_id
    settled = NotificationOutcome(delivery_id=again.delivery_id, outcome="delivered", attempts=1)
    after = await later.settle_and_pick(NextInput(destination_id=destination_id, settled=settled))
    assert (after.delivery_id, after.wait_sec) == (None, 60)
    states = [one["state"] for one in await deliveries(gateway, destination_id)]
    assert states == ["reminder", "opened"]


async def test_an_acknowledgement_is_told_once_and_ends_the_reminders(gateway: Running) -> None:
    made = await create_destination(gateway, remind_every_sec=60)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    report = incident(monitor_id, 1)
    await put_event(gateway, monitor_id, report)
    first = (await next_notification(gateway, destination_id))["delivery_id"]
    await settle(gateway, destination_id, first)
    path = f"/api/v1/incidents/{report['event']['data']['incident_id']}/acknowledge"
    for _ in range(2):
        assert (await gateway.client.post(path, json={})).status_code == 200
    told = (await next_notification(gateway, destination_id))["delivery_id"]
    acknowledged = (await order(gateway, destination_id, told))["notification"]
    assert acknowledged["state"] == "acknowledged"
    await settle(gateway, destination_id, told)
    later = dispatch_after(gateway, timedelta(seconds=300))
    assert (
        await later.settle_and_pick(NextInput(destination_id=destination_id))
    ).delivery_id is None
