"""Who is told what becomes of an incident, after its beginning."""

from typing import Any

import pytest

from notifications.alertmanager import labels_of
from notifications.notification import Subject
from tests.testkit.destinations import (
    create_destination,
    deliveries,
    incident,
    next_notification,
    order,
    settle,
    silence_path,
)
from tests.testkit.events import put_event
from tests.testkit.gateway import Running


@pytest.mark.parametrize("change", [{"enabled": False}, {"events": ["stream.*"]}, None])
async def test_a_recovery_goes_to_whoever_has_the_beginning(
    gateway: Running, change: dict[str, Any] | None
) -> None:
    made, other = await create_destination(gateway), await create_destination(gateway)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    first = (await next_notification(gateway, destination_id))["delivery_id"]
    await settle(gateway, destination_id, first)
    path = f"/api/v1/destinations/{destination_id}"
    if change:
        await gateway.client.patch(path, json=change)
    named = {"destinations": [other["destination_id"]]}
    await gateway.client.patch(f"/api/v1/monitors/{monitor_id}", json=named)
    await put_event(gateway, monitor_id, incident(monitor_id, 2, closes=1))
    assert await states(gateway, other["destination_id"]) == []
    assert await states(gateway, destination_id) == ["opened sent", "closed pending"]
    is_held = change == {"enabled": False}
    due = (await next_notification(gateway, destination_id))["delivery_id"]
    assert (due is None) is is_held
    await gateway.client.patch(path, json={"enabled": True})
    due = (await next_notification(gateway, destination_id))["delivery_id"]
    assert (await order(gateway, destination_id, due))["notification"]["state"] == "closed"


async def states(gateway: Running, destination_id: str) -> list[str]:
    """Return what a destination has, oldest first."""
    found = await deliveries(gateway, destination_id)
    return [f"{one['state']} {one['status']}" for one in reversed(found)]


async def test_what_ends_before_a_disabled_destination_heard_of_it_is_not_told(
    gateway: Running,
) -> None:
    made = await create_destination(gateway)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    for sequence in (1, 2):
        await put_event(gateway, monitor_id, incident(monitor_id, sequence))
    path = f"/api/v1/destinations/{destination_id}"
    await gateway.client.patch(path, json={"enabled": False})
    await put_event(gateway, monitor_id, incident(monitor_id, 3, closes=1))
    await gateway.client.patch(path, json={"enabled": True})
    assert await states(gateway, destination_id) == ["opened skipped", "opened pending"]


async def test_an_alert_keeps_its_labels_while_its_monitor_gets_others(gateway: Running) -> None:
    made = await create_destination(gateway)
    named = {"name": "News", "labels": {"site": "tokyo"}, "destinations": [made["destination_id"]]}
    monitor_id = await gateway.created_id(**named)
    told = []
    for report in (incident(monitor_id, 1), incident(monitor_id, 2, closes=1)):
        await put_event(gateway, monitor_id, report)
        due = (await next_notification(gateway, made["destination_id"]))["delivery_id"]
        message = (await order(gateway, made["destination_id"], due))["notification"]
        told.append(Subject.model_validate(message["subjects"][0]))
        await settle(gateway, made["destination_id"], due)
        change = {"name": "News 24", "labels": {"site": "osaka"}}
        await gateway.client.patch(f"/api/v1/monitors/{monitor_id}", json=change)
    opened, closed = told
    assert (closed.name, closed.labels) == ("News 24", {"site": "osaka"})
    assert labels_of(opened) == labels_of(closed)
    assert labels_of(closed)["name"] == "News"


async def test_who_wants_recoveries_alone_gets_these(gateway: Running) -> None:
    made = await create_destination(gateway, events=["alert.*_recovered"])
    monitor_id = await gateway.created_id(destinations=[made["destination_id"]])
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    await put_event(gateway, monitor_id, incident(monitor_id, 2, closes=1))
    assert await states(gateway, made["destination_id"]) == ["closed pending"]


async def test_a_recovery_that_is_known_first_is_told_after_its_beginning(gateway: Running) -> None:
    made = await create_destination(gateway)
    monitor_id = await gateway.created_id(destinations=[made["destination_id"]])
    await put_event(gateway, monitor_id, incident(monitor_id, 2, closes=1))
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    assert await states(gateway, made["destination_id"]) == ["opened pending", "closed pending"]


async def test_of_what_was_in_a_silence_a_late_acknowledgement_tells_nothing(
    gateway: Running,
) -> None:
    made = await create_destination(gateway)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    silence = await silence_path(gateway, all=True)
    report = incident(monitor_id, 1)
    await put_event(gateway, monitor_id, report)
    assert (await next_notification(gateway, destination_id))["delivery_id"] is None
    path = f"/api/v1/incidents/{report['event']['data']['incident_id']}/acknowledge"
    assert (await gateway.client.post(path, json={})).status_code == 200
    await put_event(gateway, monitor_id, incident(monitor_id, 2, closes=1))
    await gateway.client.delete(silence)
    assert (await next_notification(gateway, destination_id))["delivery_id"] is None


async def test_the_acknowledgement_of_what_is_over_is_kept_and_not_told(gateway: Running) -> None:
    made = await create_destination(gateway)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    report = incident(monitor_id, 1)
    await put_event(gateway, monitor_id, report)
    await put_event(gateway, monitor_id, incident(monitor_id, 2, closes=1))
    path = f"/api/v1/incidents/{report['event']['data']['incident_id']}"
    for _ in range(2):
        assert (await gateway.client.post(f"{path}/acknowledge", json={})).status_code == 200
    assert (await gateway.client.get(path)).json()["acknowledged_at"]
    assert await states(gateway, destination_id) == ["opened pending", "closed pending"]
