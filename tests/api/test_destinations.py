"""Destinations and silences over the API, and what the workers' side hands out."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from activities.destination_declarations import NextInput
from api.destinations.dispatch import FEW_ROWS
from monitors.reports import EventReport
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
from tests.testkit.gateway import FORBIDDEN_HOST, Running, running_gateway
from tests.testkit.waiting import until_true

UNKNOWN = "dst-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1c"
URL = "https://hooks.example/secret-path?token=secret"


async def test_a_destination_is_made_changed_and_removed(gateway: Running) -> None:
    answer = await gateway.client.post(
        "/api/v1/destinations", json={"name": "Ops", "type": "webhook", "url": URL}
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()
    path = f"/api/v1/destinations/{made['destination_id']}"
    assert answer.headers["location"] == path
    assert made["secret"].startswith("whsec_")
    assert made["url"] == "https://hooks.example/***"
    assert made["events"] == ["*"]
    shown = (await gateway.client.get(path)).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    changed = await gateway.client.patch(path, json={"name": "On-call", "enabled": False})
    assert changed.json() == {**shown, "name": "On-call", "enabled": False}
    listed = (await gateway.client.get("/api/v1/destinations")).json()
    assert [one["name"] for one in listed["destinations"]] == ["On-call"]
    assert (await gateway.client.delete(path)).status_code == 204
    for gone in (await gateway.client.get(path), await gateway.client.delete(path)):
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "DESTINATION_NOT_FOUND")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "name: "),
        ({"type": "pigeon"}, "type: "),
        ({"url": "ftp://h/"}, "url: must be an http:// or https:// URL"),
        ({"url": f"https://{FORBIDDEN_HOST}/"}, "url: its host cannot be resolved"),
        ({"type": "pagerduty"}, "url: must be https://events.pagerduty.com"),
        ({"type": "apprise", "url": "dbus://x"}, "url: dbus:// is not allowed"),
        ({"events": []}, "events: must name at least one"),
        ({"events": ["Alert"]}, "events.0: "),
        ({"min_severity": "bad"}, "min_severity: "),
        ({"remind_every_sec": 1}, "remind_every_sec: "),
        ({"group_window_sec": 3601}, "group_window_sec: "),
        ({"retry": "never"}, "retry: "),
        ({"surprise": 1}, "surprise: is not known"),
        (
            {"type": "apprise", "url": "json://h.example", "ed25519": True},
            "ed25519: only a webhook",
        ),
    ],
)
async def test_a_bad_destination_is_refused_by_the_field(
    light_gateway: Running, fields: dict[str, Any], says: str
) -> None:
    body = {"name": "Ops", "type": "webhook", "url": URL, **fields}
    answer = await light_gateway.client.post("/api/v1/destinations", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(says)
    assert "secret" not in answer.text.replace("a secret", "")


async def test_without_a_key_there_are_no_secrets(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, secrets_key=[]) as gateway:
        answer = await gateway.client.post(
            "/api/v1/destinations", json={"name": "Ops", "type": "webhook", "url": URL}
        )
        assert answer.status_code == 400
        assert "SECRETS_KEY" in answer.json()["error"]["message"]


async def test_a_monitor_with_destinations_needs_no_callback(gateway: Running) -> None:
    made = await create_destination(gateway)
    body = {"stream_url": "https://media.example/a.m3u8"}
    refused = await gateway.client.post("/api/v1/monitors", json=body)
    assert refused.json()["error"]["message"].startswith("callback_url: is required")
    unknown = await gateway.client.post(
        "/api/v1/monitors", json={**body, "destinations": [UNKNOWN]}
    )
    assert unknown.json()["error"]["message"].startswith("destinations: there is no destination")
    twice = {**body, "destinations": [made["destination_id"]] * 2}
    assert (await gateway.client.post("/api/v1/monitors", json=twice)).status_code == 400
    monitor_id = await gateway.created_id(callback_url=None, destinations=[made["destination_id"]])
    shown = await gateway.show(monitor_id)
    assert shown["callback_url"] is None
    assert shown["destinations"] == [made["destination_id"]]
    path = f"/api/v1/monitors/{monitor_id}"
    nobody = await gateway.client.patch(path, json={"destinations": []})
    assert nobody.json()["error"]["message"].startswith("destinations: must name one")
    other = await create_destination(gateway)
    change = {"destinations": [other["destination_id"]]}
    assert (await gateway.client.patch(path, json=change)).json()["destinations"] == [
        other["destination_id"]
    ]
    await gateway.client.delete(f"/api/v1/destinations/{other['destination_id']}")
    assert (await gateway.show(monitor_id))["destinations"] == []


async def test_an_event_is_handed_out_once_with_its_secrets_to_workers_alone(
    gateway: Running,
) -> None:
    made = await create_destination(gateway, url=URL)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id], name="News")
    opening = incident(monitor_id, 1)
    await put_event(gateway, monitor_id, opening)
    await put_event(gateway, monitor_id, opening)
    due = await next_notification(gateway, destination_id)
    assert due == await next_notification(gateway, destination_id)
    told = await order(gateway, destination_id, due["delivery_id"])
    assert told["secrets"]["url"] == URL
    assert told["event"]["event_id"] == "evt-1"
    (subject,) = told["notification"]["subjects"]
    assert (subject["name"], subject["kind"]) == ("News", "blackout")
    path = f"/internal/v1/destinations/{destination_id}/deliveries/{due['delivery_id']}"
    assert (await gateway.client.get(path)).status_code == 401
    await settle(gateway, destination_id, due["delivery_id"])
    (delivery,) = await deliveries(gateway, destination_id)
    assert (delivery["status"], delivery["attempts"], delivery["event_id"]) == ("sent", 1, "evt-1")
    assert await next_notification(gateway, destination_id) == {
        "is_gone": False,
        "delivery_id": None,
        "wait_sec": None,
    }


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"events": ["alert.*"]}, True),
        ({"events": ["stream.*", "alert.freeze"]}, False),
        ({"min_severity": "critical"}, True),
        ({"enabled": False}, False),
    ],
)
async def test_a_destination_gets_what_it_wants(
    light_gateway: Running, fields: dict[str, Any], is_told: bool
) -> None:
    made = await create_destination(light_gateway, **fields)
    monitor_id = await light_gateway.created_id(destinations=[made["destination_id"]])
    await put_event(light_gateway, monitor_id, incident(monitor_id, 1))
    assert bool(await deliveries(light_gateway, made["destination_id"])) == is_told


async def test_an_event_wakes_the_destinations_that_want_it(light_gateway: Running) -> None:
    made = await create_destination(light_gateway)
    await create_destination(light_gateway)
    monitor_id = await light_gateway.created_id(destinations=[made["destination_id"]])
    await put_event(light_gateway, monitor_id, incident(monitor_id, 1))
    waker = light_gateway.gateway.waker
    while not light_gateway.engine.woken:
        await waker.wake_waiting()
        await asyncio.sleep(0.01)
    assert light_gateway.engine.woken[0] == (made["destination_id"], False)


@pytest.mark.parametrize("end", ["acknowledged", "stopped", "completed"])
async def test_what_has_no_event_wakes_them_too(light_gateway: Running, end: str) -> None:
    made = await create_destination(light_gateway)
    destination_id, woken = made["destination_id"], light_gateway.engine.woken
    monitor_id = await light_gateway.created_id(destinations=[destination_id])
    report = incident(monitor_id, 1)
    await put_event(light_gateway, monitor_id, report)
    await until_true(lambda: (destination_id, False) in woken, "a signal of the event")
    first = (await next_notification(light_gateway, destination_id))["delivery_id"]
    await settle(light_gateway, destination_id, first)
    woken.clear()
    if end == "acknowledged":
        incident_id = report["event"]["data"]["incident_id"]
        await light_gateway.client.post(f"/api/v1/incidents/{incident_id}/acknowledge", json={})
    elif end == "stopped":
        await light_gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    else:
        await light_gateway.report(monitor_id, "completed", "2026-01-01T00:02:00Z")
    await until_true(lambda: (destination_id, False) in woken, "a signal")
    told = (await next_notification(light_gateway, destination_id))["delivery_id"]
    message = (await order(light_gateway, destination_id, told))["notification"]
    assert message["state"] == ("acknowledged" if end == "acknowledged" else "closed")


async def test_a_silenced_incident_is_recorded_and_told_when_the_silence_is_ended(
    gateway: Running,
) -> None:
    made = await create_destination(gateway)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(
        destinations=[destination_id], labels={"site": "tokyo", "team": "news"}
    )
    silence = await gateway.client.post(
        "/api/v1/silences",
        json={
            "labels": {"site": "tokyo"},
            "starts_at": "2025-12-01T00:00:00Z",
            "ends_at": "2030-01-01T00:00:00Z",
        },
    )
    assert silence.status_code == 400, "more than a year"
    path = await silence_path(gateway, labels={"site": "tokyo"})
    report = incident(monitor_id, 1)
    await put_event(gateway, monitor_id, report)
    due = await next_notification(gateway, destination_id)
    assert due["delivery_id"] is None
    assert 3000 < due["wait_sec"] <= 3600
    (delivery,) = await deliveries(gateway, destination_id)
    assert delivery["status"] == "silenced"
    (known,) = await gateway.store.incidents.by_ids([report["event"]["data"]["incident_id"]])
    assert known.silenced
    assert (await gateway.client.delete(path)).status_code == 204
    assert (await next_notification(gateway, destination_id))["delivery_id"]
    listed = (await gateway.client.get("/api/v1/silences")).json()
    assert listed["silences"] == []
    assert (await gateway.client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "monitor_ids, labels, all: must be exactly one"),
        ({"all": True, "labels": {"a": "b"}}, "monitor_ids, labels, all: must be exactly one"),
        ({"labels": {}}, "monitor_ids, labels, all: must be exactly one"),
        ({"all": True, "ends_at": "2020-01-01T00:00:00Z"}, "ends_at: is in the past"),
        ({"all": True, "ends_at": "2999-01-01T00:00:00Z"}, "ends_at: is more than"),
        ({"all": True, "starts_at": "2999-01-01T00:00:00Z"}, "ends_at: must be after"),
        ({"all": True, "kinds": ["rain"]}, "kinds.0: "),
    ],
)
async def test_a_bad_silence_is_refused_by_the_field(
    light_gateway: Running, fields: dict[str, Any], says: str
) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = await light_gateway.client.post("/api/v1/silences", json={"ends_at": later, **fields})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(says)


async def test_a_group_is_one_notification_that_names_all(gateway: Running) -> None:
    made = await create_destination(gateway, group_window_sec=1)
    destination_id = made["destination_id"]
    ids = [
        await gateway.created_id(
            stream_url=f"https://{host}.example/{number}.m3u8", destinations=[destination_id]
        )
        for host, number in (("dead", 1), ("dead", 2), ("dead", 3), ("other", 4))
    ]
    for monitor_id in ids:
        host = "other" if monitor_id == ids[3] else "dead"
        url = f"https://{host}.example/x.m3u8"
        await put_event(gateway, monitor_id, incident(monitor_id, 1, stream_url=url))
    first = await wait_for_next(gateway, destination_id)
    told = await order(gateway, destination_id, first)
    assert [one["monitor_id"] for one in told["notification"]["subjects"]] == ids[:3]
    assert told["event"] is None
    assert told["notification"]["origin_host"] == "dead.example"
    await settle(gateway, destination_id, first)
    alone = await wait_for_next(gateway, destination_id)
    assert (await order(gateway, destination_id, alone))["event"]["monitor_id"] == ids[3]
    await settle(gateway, destination_id, alone)
    statuses = [one["status"] for one in await deliveries(gateway, destination_id)]
    assert statuses == ["sent"] * 4
    for monitor_id in ids[:2]:
        await put_event(gateway, monitor_id, incident(monitor_id, 2, closes=1))
    assert (await next_notification(gateway, destination_id))["delivery_id"] is None
    # The third ends because its monitor does
    await gateway.client.delete(f"/api/v1/monitors/{ids[2]}")
    over = await wait_for_next(gateway, destination_id)
    closing = (await order(gateway, destination_id, over))["notification"]
    assert closing["state"] == "closed"
    assert {one["monitor_id"] for one in closing["subjects"]} == set(ids[:3])
    assert closing["thread_id"] == told["notification"]["thread_id"]
    ended_as = {one["monitor_id"]: one["monitor_ended_as"] for one in closing["subjects"]}
    assert ended_as == {ids[0]: None, ids[1]: None, ids[2]: "stopped"}


async def wait_for_next(gateway: Running, destination_id: str) -> int:
    while True:
        due = await next_notification(gateway, destination_id)
        if due["delivery_id"] is not None:
            return int(due["delivery_id"])
        await asyncio.sleep(0.05)


async def test_a_test_goes_before_what_is_tried_in_vain(gateway: Running) -> None:
    made = await create_destination(gateway)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    first = (await next_notification(gateway, destination_id))["delivery_id"]
    answer = await gateway.client.post(f"/api/v1/destinations/{destination_id}/test")
    assert answer.status_code == 202
    test_id = answer.json()["delivery_id"]
    due = await next_notification(gateway, destination_id, hand_back=True)
    assert due["delivery_id"] == test_id
    assert (await order(gateway, destination_id, test_id))["notification"]["subjects"] == []
    await settle(gateway, destination_id, test_id, error="no")
    assert (await next_notification(gateway, destination_id))["delivery_id"] == first


async def test_the_audit_shows_attempts_that_failed(gateway: Running) -> None:
    made = await create_destination(gateway)
    destination_id = made["destination_id"]
    monitor_id = await gateway.created_id(destinations=[destination_id])
    await put_event(gateway, monitor_id, incident(monitor_id, 1))
    due = (await next_notification(gateway, destination_id))["delivery_id"]
    path = f"/internal/v1/destinations/{destination_id}/deliveries/{due}/attempt"
    noted = await gateway.worker.put(path, json={"attempts": 2, "error": "HTTP status 500"})
    assert noted.status_code == 204
    (delivery,) = await deliveries(gateway, destination_id)
    assert (delivery["status"], delivery["attempts"]) == ("sending", 2)
    assert delivery["last_error"] == "HTTP status 500"
    await settle(gateway, destination_id, due, attempts=3)
    await gateway.worker.put(path, json={"attempts": 9, "error": "late"})
    (delivery,) = await deliveries(gateway, destination_id)
    assert (delivery["status"], delivery["attempts"], delivery["last_error"]) == ("sent", 3, None)
    metrics = (await gateway.client.get("/metrics")).text
    assert 'stream_tracker_notifications_total{outcome="delivered",type="webhook"} 1.0' in metrics


async def test_a_removed_destination_is_gone_for_its_workflow(gateway: Running) -> None:
    made = await create_destination(gateway)
    destination_id = made["destination_id"]
    await gateway.client.delete(f"/api/v1/destinations/{destination_id}")
    assert (await next_notification(gateway, destination_id))["is_gone"]


async def test_a_probe_reads_no_secrets(sqlite_url: str) -> None:
    probe_key = "probe-key-of-at-least-32-characters"
    async with running_gateway(sqlite_url, probe_api_key=probe_key) as gateway:
        made = await create_destination(gateway)
        path = f"/internal/v1/destinations/{made['destination_id']}/next"
        async with httpx.AsyncClient(base_url=str(gateway.worker.base_url)) as probe:
            headers = {"X-Internal-API-Key": probe_key}
            answer = await probe.post(path, json={}, headers=headers)
            assert answer.status_code == 401


async def test_a_group_may_be_larger_than_what_is_read_at_first(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, max_monitors=1000) as gateway:
        made = await create_destination(gateway, group_window_sec=60)
        destination_id, count = made["destination_id"], FEW_ROWS + 10
        template = await gateway.created_id(destinations=[destination_id])
        for sequence in range(1, count + 1):
            report = EventReport.model_validate(incident(template, sequence))
            await gateway.store.events.record(template, report, datetime.now(UTC))
        later = dispatch_after(gateway, timedelta(seconds=61))
        due = await later.settle_and_pick(NextInput(destination_id=destination_id))
        assert due.delivery_id
        told = await later.notification_order(destination_id, due.delivery_id)
        assert len(told.notification.subjects) == count
