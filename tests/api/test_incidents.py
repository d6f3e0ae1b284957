"""Incidents as clients list, read and acknowledge them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from monitors.incidents import IncidentRef
from monitors.status import IncidentKind
from tests.testkit.destinations import create_destination, next_notification, settle
from tests.testkit.events import begin_of, end_of, put_event
from tests.testkit.gateway import Running, running_gateway

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)  # older ones are forgotten
FREEZE, RENDITION = IncidentKind.FREEZE, IncidentKind.RENDITION
NOWHERE = "inc-019a0b1c-2d3e-5f40-8a5b-6c7d8e9f0a1b"


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


async def listed(gateway: Running, query: str = "") -> list[dict[str, Any]]:
    answer = await gateway.client.get(f"/api/v1/incidents{query}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["pagination"]["total"] >= len(body["incidents"])
    found: list[dict[str, Any]] = body["incidents"]
    return found


@asynccontextmanager
async def _with_incidents(url: str) -> AsyncIterator[tuple[Running, dict[str, str]]]:
    async with running_gateway(url) as gateway:
        first = await gateway.created_id(name="News", labels={"team": "sport", "tier": "1"})
        second = await gateway.created_id(
            stream_url="https://media.example/b.m3u8", labels={"team": "sport"}
        )
        for number, (monitor_id, kind) in enumerate(
            [(first, FREEZE), (second, FREEZE), (first, RENDITION), (second, RENDITION)]
        ):
            await put_event(gateway, monitor_id, begin_of(monitor_id, kind, later(number)))
        await put_event(gateway, first, end_of(first, FREEZE, later(0), 45.5))
        yield gateway, {"first": first, "second": second}


async def test_filters_and_pages(database_url: str) -> None:
    at = {minute: quote(later(minute).isoformat()) for minute in range(5)}
    async with _with_incidents(database_url) as (gateway, ids):
        expected = {
            "": [3, 2, 1, 0],
            "?status=open": [3, 2, 1],
            "?status=closed": [0],
            f"?monitor_id={ids['first']}": [2, 0],
            "?kind=freeze": [1, 0],
            "?severity=warning": [3, 2],
            "?kind=freeze&severity=warning": [],
            f"?since={at[1]}": [3, 2, 1],
            f"?until={at[2]}": [1, 0],
            f"?since={at[1]}&until={at[2]}": [1],
            "?label=team:sport": [3, 2, 1, 0],
            "?label=team:sport&label=tier:1": [2, 0],
            "?label=team:sport&label=tier:1&status=open": [2],
            "?label=team:none": [],
            "?limit=1&offset=1": [2],
        }
        for query, minutes in expected.items():
            found = await listed(gateway, query)
            assert [one["started_at"] for one in found] == [
                later(minute).isoformat().replace("+00:00", "Z") for minute in minutes
            ], query


async def test_an_incident_is_shown_with_its_events(gateway: Running) -> None:
    monitor_id = await gateway.created_id(name="News", config={"evidence": "none"})
    await put_event(gateway, monitor_id, begin_of(monitor_id, FREEZE, NOON, reason="why"))
    await put_event(gateway, monitor_id, end_of(monitor_id, FREEZE, NOON, 45.5))
    incident_id = IncidentRef(kind=FREEZE, started_at=NOON).id_in(monitor_id)
    answer = await gateway.client.get(f"/api/v1/incidents/{incident_id}")
    shown = answer.json()
    events = shown.pop("events")
    assert [each["status"] for each in shown.pop("deliveries")] == ["pending", "pending"]
    assert shown == {
        "incident_id": incident_id,
        "monitor_id": monitor_id,
        "name": "News",
        "kind": "freeze",
        "severity": "critical",
        "status": "closed",
        "started_at": _shown(0),
        "detected_at": _shown(30),
        "ended_at": _shown(45.5),
        "duration_sec": 45.5,
        "reason": "why",
        "track": None,
        "flapping": False,
        "silenced": False,
        "acknowledged_at": None,
        "note": None,
        "evidence": [],
    }
    types = [event["event_type"] for event in events]
    assert types == ["alert.freeze", "alert.freeze_recovered"]
    assert {event["payload"]["data"]["incident_id"] for event in events} == {incident_id}
    assert await listed(gateway) == [shown]


async def test_the_first_acknowledgement_stays(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await put_event(gateway, monitor_id, begin_of(monitor_id, FREEZE, NOON))
    incident_id = IncidentRef(kind=FREEZE, started_at=NOON).id_in(monitor_id)
    path = f"/api/v1/incidents/{incident_id}/acknowledge"
    first = await gateway.client.post(path, json={"note": "on it"})
    again = await gateway.client.post(path, json={"note": "me, too"})
    without = await gateway.client.post(path)
    assert first.status_code == again.status_code == without.status_code == 200
    assert first.json()["note"] == "on it"
    assert first.json()["acknowledged_at"]
    assert first.json() == again.json() == without.json()
    (open_one,) = await listed(gateway, "?status=open")
    assert open_one["acknowledged_at"] == first.json()["acknowledged_at"]


@pytest.mark.parametrize("incident_id", [NOWHERE, "inc-1", "%00", "mon-1"])
async def test_an_incident_that_is_nowhere(gateway: Running, incident_id: str) -> None:
    shown = await gateway.client.get(f"/api/v1/incidents/{incident_id}")
    told = await gateway.client.post(f"/api/v1/incidents/{incident_id}/acknowledge")
    for answer in (shown, told):
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "INCIDENT_NOT_FOUND"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        pytest.param("?status=over", "status", id="status"),
        pytest.param("?kind=boredom", "kind", id="kind"),
        pytest.param("?severity=high", "severity", id="severity"),
        pytest.param("?since=yesterday", "since", id="no time"),
        pytest.param("?until=2026-01-01T12:00:00", "until", id="no offset"),
        pytest.param("?until=0001-01-01T00:00:00%2B14:00", "until", id="no time of the calendar"),
        pytest.param("?label=sport", "label", id="label"),
        pytest.param("?limit=0", "limit", id="limit"),
        pytest.param("?monitor_id=%00", "monitor_id", id="NUL"),
        pytest.param("?states=open", "states", id="unknown"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused(
    light_gateway: Running, query: str, field: str
) -> None:
    answer = await light_gateway.client.get(f"/api/v1/incidents{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert answer.json()["error"]["message"].startswith(f"{field}")


@pytest.mark.parametrize("body", [{"note": 1}, {"note": "x" * 2001}, {"who": "me"}, {"note": "\0"}])
async def test_an_acknowledgement_that_cannot_be_is_refused(
    light_gateway: Running, body: dict[str, Any]
) -> None:
    path = f"/api/v1/incidents/{NOWHERE}/acknowledge"
    answer = await light_gateway.client.post(path, json=body)
    assert answer.status_code == 400


async def test_incidents_need_a_key(light_gateway: Running) -> None:
    answer = await light_gateway.client.get("/api/v1/incidents", headers={"X-API-Key": "x"})
    assert answer.status_code == 401


def _shown(after_sec: float) -> str:
    return (NOON + timedelta(seconds=after_sec)).isoformat().replace("+00:00", "Z")


async def test_an_incident_says_who_was_told(gateway: Running) -> None:
    named = await create_destination(gateway, name="Ops")
    monitor_id = await gateway.created_id(destinations=[named["destination_id"]])
    begin = begin_of(monitor_id, FREEZE, NOON)
    await put_event(gateway, monitor_id, begin)
    incident_id = IncidentRef(kind=FREEZE, started_at=NOON).id_in(monitor_id)
    due = await next_notification(gateway, named["destination_id"])
    error = "the receiver answered with HTTP status 500"
    await settle(gateway, named["destination_id"], due["delivery_id"], attempts=4, error=error)
    sent = {"webhook_status": "sent", "webhook_attempts": 1, "sent_at": NOON.isoformat()}
    await put_event(gateway, monitor_id, begin | sent)
    answer = await gateway.client.get(f"/api/v1/incidents/{incident_id}")
    told = {each["name"]: each for each in answer.json()["deliveries"]}
    assert set(told) == {None, "Ops"}
    assert (told["Ops"]["type"], told["Ops"]["state"]) == ("webhook", "opened")
    assert (told["Ops"]["status"], told["Ops"]["attempts"]) == ("failed", 4)
    assert told["Ops"]["last_error"] == error
    assert (told[None]["destination_id"], told[None]["status"]) == (None, "sent")
