"""Timelines, availability and reports over HTTP."""

import csv
import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import update

from api.store.tables import monitors
from monitors.incidents import IncidentRef
from monitors.status import IncidentKind
from tests.testkit.events import begin_of, end_of, put_event
from tests.testkit.gateway import Running

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
CONDITIONS = ("ok", "faulty", "unknown", "unwatched", "not_live")


def at(sec: float) -> datetime:
    return START + timedelta(seconds=sec)


def span(start: float, end: float, reason: str | None = None) -> dict[str, Any]:
    return {"start": at(start).isoformat(), "end": at(end).isoformat(), "reason": reason}


async def monitor(gateway: Running, **fields: Any) -> str:
    """Create a monitor that is as old as `START`."""
    monitor_id = await gateway.created_id(**fields)
    created = update(monitors).where(monitors.c.monitor_id == monitor_id)
    await gateway.store.database.write_one(created.values(created_at=START))
    return monitor_id


async def tell(gateway: Running, monitor_id: str, as_of: float, *spans: dict[str, Any]) -> None:
    status = await gateway.report(
        monitor_id, "monitoring", at(as_of).isoformat(), stream_status="live", coverage=spans
    )
    assert status == 200


async def happen(gateway: Running, monitor_id: str, event_type: str, sec: float) -> None:
    told = {
        "event_id": f"evt-{event_type}",
        "event_type": event_type,
        "monitor_id": monitor_id,
        "stream_url": "https://media.example/live/index.m3u8",
        "timestamp": at(sec).isoformat(),
        "sequence": 1,
        "data": {},
    }
    await put_event(gateway, monitor_id, {"event": told})


async def broadcast(gateway: Running, **fields: Any) -> str:
    """Play a stream from 100 s to 3,700 s with one black picture and one blind spot."""
    monitor_id = await monitor(gateway, **fields)
    await happen(gateway, monitor_id, "stream.started", 100)
    await tell(gateway, monitor_id, 1000, span(95, 1000))
    await put_event(gateway, monitor_id, begin_of(monitor_id, IncidentKind.BLACKOUT, at(400)))
    await put_event(gateway, monitor_id, end_of(monitor_id, IncidentKind.BLACKOUT, at(400), 60))
    await tell(gateway, monitor_id, 3700, span(1000, 1300, "http_403"), span(1600, 3690))
    await happen(gateway, monitor_id, "stream.ended", 3700)
    assert await gateway.report(monitor_id, "completed", at(3705).isoformat()) == 200
    ended = update(monitors).where(monitors.c.monitor_id == monitor_id)
    await gateway.store.database.write_one(ended.values(finished_at=at(3710)))
    return monitor_id


async def get(gateway: Running, path: str, **query: str) -> dict[str, Any]:
    answer = await gateway.client.get(f"/api/v1{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_timeline_tells_each_moment_of_a_monitors_life(gateway: Running) -> None:
    monitor_id = await broadcast(gateway)
    told = (await get(gateway, f"/monitors/{monitor_id}/timeline"))["intervals"]
    assert [
        (datetime.fromisoformat(each["to"]), each["condition"], each["kinds"], each["reason"])
        for each in told
    ] == [
        (at(100), "not_live", [], None),
        (at(400), "ok", [], None),
        (at(460), "faulty", ["blackout"], None),
        (at(1000), "ok", [], None),
        (at(1300), "unknown", [], "http_403"),
        (at(1600), "unwatched", [], None),
        (at(3700), "ok", [], None),
        (at(3710), "not_live", [], None),
    ]
    assert datetime.fromisoformat(told[0]["from"]) == START
    assert all(one["to"] == other["from"] for one, other in pairwise(told))


async def test_good_time_between_the_faults_of_an_incident_is_good(gateway: Running) -> None:
    monitor_id = await monitor(gateway)
    await happen(gateway, monitor_id, "stream.started", 0)
    begin = begin_of(monitor_id, IncidentKind.BLACKOUT, at(100))
    incident = IncidentRef(kind=IncidentKind.BLACKOUT, started_at=at(100))
    quiet = [
        {"incident": incident.model_dump(mode="json"), "start": at(since).isoformat()}
        | {"end": at(since + 14).isoformat()}
        for since in (106, 126)
    ]
    for spans in (quiet[:1], quiet, []):
        status = await gateway.report(
            monitor_id,
            "monitoring",
            at(1000).isoformat(),
            stream_status="live",
            coverage=[span(0, 110), span(115, 1000)],
            quiet_spans=spans,
        )
        assert status == 200
    await put_event(gateway, monitor_id, begin)
    await put_event(gateway, monitor_id, end_of(monitor_id, IncidentKind.BLACKOUT, at(100), 60))
    asked = {"from": START.isoformat(), "to": at(200).isoformat()}
    told = (await get(gateway, f"/monitors/{monitor_id}/timeline", **asked))["intervals"]
    assert [(datetime.fromisoformat(each["to"]), each["condition"]) for each in told] == [
        (at(100), "ok"),
        (at(106), "faulty"),
        (at(110), "ok"),
        (at(115), "unwatched"),
        (at(120), "ok"),
        (at(126), "faulty"),
        (at(140), "ok"),
        (at(160), "faulty"),
        (at(200), "ok"),
    ]


async def test_availability_adds_up_to_the_live_period(gateway: Running) -> None:
    monitor_id = await broadcast(gateway)
    path = f"/monitors/{monitor_id}/availability"
    found = await get(gateway, path, resolution="hour")
    assert {each: found[f"{each}_sec"] for each in CONDITIONS} == {
        "ok": 2940.0,
        "faulty": 60.0,
        "unknown": 300.0,
        "unwatched": 300.0,
        "not_live": 110.0,
    }
    assert (found["availability_low"], found["availability_high"]) == (81.6666, 98.3333)
    assert len(found["periods"]) == 2 if START.minute < 58 else 3
    for each in CONDITIONS:
        parts = [period[f"{each}_sec"] for period in found["periods"]]
        assert round(sum(parts), 3) == found[f"{each}_sec"]
    part = await get(gateway, path, **{"from": at(400).isoformat(), "to": at(430.5).isoformat()})
    assert (part["faulty_sec"], part["availability_high"], part["periods"]) == (30.5, 0.0, [])


@pytest.mark.parametrize(("check_interval_sec", "ago_sec"), [(None, 12), (300, 500)])
async def test_a_stream_that_is_watched_is_known_to_its_last_report(
    gateway: Running, check_interval_sec: float | None, ago_sec: float
) -> None:
    config = {"check_interval_sec": check_interval_sec}
    monitor_id = await monitor(gateway, config=config)
    now = datetime.now(UTC)
    await happen(gateway, monitor_id, "stream.started", 0)
    last = (now - START).total_seconds() - ago_sec
    await tell(gateway, monitor_id, last + 10, span(0, last))
    found = (await get(gateway, f"/monitors/{monitor_id}/timeline"))["intervals"]
    assert [each["condition"] for each in found] == ["ok"]
    assert abs(datetime.fromisoformat(found[0]["to"]) - at(last)) < timedelta(milliseconds=2)


async def test_a_stream_that_nobody_tells_of_any_more_is_unwatched(
    light_gateway: Running,
) -> None:
    monitor_id = await monitor(light_gateway)
    await happen(light_gateway, monitor_id, "stream.started", 0)
    await tell(light_gateway, monitor_id, 600, span(0, 600))
    path = f"/monitors/{monitor_id}/timeline"
    found = (await get(light_gateway, path))["intervals"]
    assert [each["condition"] for each in found] == ["ok", "unwatched"]
    await tell(light_gateway, monitor_id, 1200, span(600, 1200))  # the gateway was away
    await tell(light_gateway, monitor_id, 600, span(0, 600))
    later = (await get(light_gateway, path))["intervals"]
    assert [each["condition"] for each in later] == ["ok", "unwatched"]
    assert datetime.fromisoformat(later[0]["to"]) == at(1200)


async def test_what_comes_after_the_end_of_a_monitor_still_counts(light_gateway: Running) -> None:
    monitor_id = await monitor(light_gateway)
    await happen(light_gateway, monitor_id, "stream.started", 0)
    answer = await light_gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    assert answer.status_code == 200
    status = await light_gateway.report(
        monitor_id, "stopped", at(620).isoformat(), coverage=[span(0, 600)]
    )
    assert status == 200
    found = (await get(light_gateway, f"/monitors/{monitor_id}/timeline"))["intervals"]
    assert [each["condition"] for each in found] == ["ok", "not_live"]
    assert datetime.fromisoformat(found[0]["to"]) == at(620)


async def test_a_report_has_a_row_for_each_monitor_with_the_labels(gateway: Running) -> None:
    names = ["News", "=1+1", "-2", '@sum "x", y']
    ids = [
        await broadcast(
            gateway, stream_url=f"https://h.example/{name[0]}.m3u8", name=name, labels={"team": "a"}
        )
        for name in names
    ]
    await monitor(gateway, stream_url="https://h.example/other.m3u8", labels={"team": "b"})
    found = await get(gateway, "/reports/availability", label="team:a")
    assert [(each["monitor_id"], each["name"]) for each in found["monitors"]] == list(
        zip(ids, names, strict=True)
    )
    assert {each["availability_low"] for each in found["monitors"]} == {81.6666}
    answer = await gateway.client.get(
        "/api/v1/reports/availability", params={"label": "team:a", "format": "csv"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [each["name"] for each in rows] == ["News", "'=1+1", "'-2", '\'@sum "x", y']
    assert {each["faulty_sec"] for each in rows} == {"60.0"}
    everything = await get(gateway, "/reports/availability")
    assert len(everything["monitors"]) == len(ids) + 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"from": "yesterday"}, "from: must be an ISO 8601 time"),
        ({"from": "1767225600"}, "from: must be an ISO 8601 time"),
        ({"from": "2026-01-01T00:00:00"}, "from: "),
        ({"to": "0001-01-01T00:00:00+12:00"}, "to: is outside of the calendar"),
        ({"to": "0001-01-01T00:00:00Z"}, "to: is outside of the calendar"),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from: must be before"),
        ({"from": "2020-01-02T00:00:00Z"}, "from: must be at most 366 days"),
        ({"resolution": "minute"}, "resolution: "),
        (
            {
                "from": "2025-01-01T00:00:00Z",
                "to": "2025-06-01T00:00:00Z",
                "resolution": "hour",
            },
            "resolution: makes more than 1000 periods",
        ),
        ({"label": "team:a"}, "label: is not known"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    light_gateway: Running, query: dict[str, str], message: str
) -> None:
    monitor_id = await light_gateway.created_id()
    answer = await light_gateway.client.get(
        f"/api/v1/monitors/{monitor_id}/availability", params=query
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(message)


async def test_an_unknown_monitor_has_no_timeline(light_gateway: Running) -> None:
    for path in ("timeline", "availability"):
        answer = await light_gateway.client.get(f"/api/v1/monitors/mon-1/{path}")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "told",
    [
        {"start": at(1).isoformat(), "end": at(1).isoformat()},
        {"start": "0001-01-01T00:00:00+12:00", "end": at(1).isoformat()},
        {"start": at(1).isoformat(), "end": at(2).isoformat(), "reason": "x" * 65},
    ],
)
async def test_no_span_that_makes_no_sense_is_taken(
    light_gateway: Running, told: dict[str, Any]
) -> None:
    monitor_id = await light_gateway.created_id()
    status = await light_gateway.report(
        monitor_id, "monitoring", at(2).isoformat(), coverage=[told]
    )
    assert status == 400
