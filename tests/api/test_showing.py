"""Lists, details and the audit."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.body import MAX_DEPTH
from monitors.events import StreamEvent
from monitors.reports import HealthReport, Statistics
from monitors.status import Health, MonitorStatus, StreamStatus
from tests.testkit.events import event, put_event
from tests.testkit.gateway import Running, snapshot

NOW = datetime.now(UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def statistics(segments: int) -> dict[str, int]:
    return {"total_segments_analyzed": segments}


async def page(gateway: Running, query: str) -> dict[str, Any]:
    answer = await gateway.client.get(f"/api/v1/monitors{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_list_is_newest_first_and_pages_without_gaps(gateway: Running) -> None:
    made = [
        await gateway.created_id(stream_url=f"https://media.example/{number}.m3u8")
        for number in range(7)
    ]
    for offset in range(10):  # the last ones are past the end
        some = await page(gateway, f"?limit=3&offset={offset}")
        assert [one["monitor_id"] for one in some["monitors"]] == made[::-1][offset:][:3]
    pages = [await page(gateway, f"?limit=3&offset={offset}") for offset in (0, 3, 6, 9)]
    listed = [one["monitor_id"] for each in pages for one in each["monitors"]]
    assert listed == made[::-1]
    assert pages[2]["pagination"] == {"total": 7, "limit": 3, "offset": 6}
    assert pages[3]["monitors"] == []
    assert gateway.engine.asked == []


async def test_the_list_shows_the_condition_of_each_monitor(gateway: Running) -> None:
    monitor_id = await gateway.created_id(name="News 24")
    (started,) = gateway.engine.started
    assert started.name == "News 24"
    (listed,) = (await page(gateway, ""))["monitors"]
    assert (listed["name"], listed["title"], listed["open_incidents"]) == ("News 24", None, [])
    blackout = {"kind": "blackout", "started_at": ago(40).isoformat()}
    await gateway.report(
        monitor_id, "monitoring", ago(20).isoformat(), stream_status="live", title="News, live"
    )
    await gateway.report(  # the probe's, which knows no title
        monitor_id,
        "monitoring",
        ago(10).isoformat(),
        stream_status="live",
        health={"video": "error", "audio": "ok"},
        open_incidents=[blackout],
    )
    (listed,) = (await page(gateway, ""))["monitors"]
    assert listed["name"] == "News 24"
    assert listed["title"] == "News, live"
    assert listed["stream_status"] == "live"
    assert (listed["health"]["video"], listed["health"]["audio"]) == ("error", "ok")
    assert listed["open_incidents"] == ["blackout"]
    (shown,) = (await gateway.show(monitor_id))["open_incidents"]
    assert datetime.fromisoformat(shown["started_at"]) == ago(40)
    await gateway.report(monitor_id, "completed", ago(1).isoformat(), open_incidents=[blackout])
    (listed,) = (await page(gateway, ""))["monitors"]
    assert listed["open_incidents"] == (await gateway.show(monitor_id))["open_incidents"] == []


async def test_a_monitor_without_a_name_is_called_by_the_title(light_gateway: Running) -> None:
    monitor_id = await light_gateway.created_id(name=None)
    title = "T" * 200
    await light_gateway.report(monitor_id, "monitoring", ago(1).isoformat(), title=title)
    (listed,) = (await page(light_gateway, ""))["monitors"]
    shown = await light_gateway.show(monitor_id)
    for one in (listed, shown):
        assert (one["name"], one["title"]) == ("T" * 120, title)


@pytest.mark.parametrize("older_sec", [0, 5])
async def test_a_report_that_the_probe_overtook_still_gives_the_title(
    gateway: Running, older_sec: int
) -> None:
    monitor_id = await gateway.created_id(name=None)
    probe, workflow = ago(5).isoformat(), ago(5 + older_sec).isoformat()
    await gateway.report(monitor_id, "monitoring", probe, stream_status="live")
    await gateway.report(monitor_id, "monitoring", workflow, stream_status="live", title="News")
    (listed,) = (await page(gateway, ""))["monitors"]
    assert (listed["title"], (await gateway.show(monitor_id))["title"]) == ("News", "News")


@pytest.mark.parametrize("name", ["", "n" * 121, 7])
async def test_a_name_that_is_none_is_refused(light_gateway: Running, name: object) -> None:
    answer = await light_gateway.create(name=name)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("name: ")


async def test_the_list_filters_by_status(gateway: Running) -> None:
    one = await gateway.created_id(stream_url="https://media.example/1.m3u8")
    other = await gateway.created_id(stream_url="https://media.example/2.m3u8")
    await gateway.report(one, "monitoring", ago(1).isoformat())
    watched = await page(gateway, "?status=monitoring")
    assert [monitor["monitor_id"] for monitor in watched["monitors"]] == [one]
    assert watched["pagination"]["total"] == 1
    assert [m["monitor_id"] for m in (await page(gateway, "?status=initializing"))["monitors"]] == [
        other
    ]
    assert (await page(gateway, "?status="))["pagination"]["total"] == 2


async def test_details_come_from_the_workflow_when_it_answers(gateway: Running) -> None:
    monitor_id = await gateway.created_id(metadata={"a": 1})
    gateway.engine.snapshots[monitor_id] = snapshot(
        monitor_id,
        as_of=ago(-5),
        metadata={"a": 1},
        title="News",
        health=HealthReport(video=Health.ERROR, audio=Health.OK),
        open_incidents=[{"kind": "blackout", "started_at": ago(40)}],
    )
    shown = await gateway.show(monitor_id)
    assert shown["source"] == "workflow"
    assert shown["status"] == "monitoring"
    assert shown["stream_status"] == "live"
    assert shown["health"]["video"] == "error"
    assert shown["title"] == "News"
    assert shown["doing"] == "Watching the stream"
    assert shown["open_incidents"][0]["kind"] == "blackout"
    assert shown["metadata"] == {"a": 1}


@pytest.mark.parametrize(("workflow_ago", "segments"), [(30, 20), (10, 5)])
async def test_measurements_come_from_whichever_is_newer(
    light_gateway: Running, workflow_ago: float, segments: int
) -> None:
    monitor_id = await light_gateway.created_id()
    await light_gateway.report(
        monitor_id, "monitoring", ago(20).isoformat(), statistics=statistics(20)
    )
    light_gateway.engine.snapshots[monitor_id] = snapshot(
        monitor_id, as_of=ago(workflow_ago), statistics=Statistics(total_segments_analyzed=5)
    )
    shown = await light_gateway.show(monitor_id)
    assert shown["statistics"]["total_segments_analyzed"] == segments
    assert shown["source"] == "workflow"


async def test_details_fall_back_to_the_last_report(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    as_of = datetime.now(UTC).isoformat()
    await gateway.report(
        monitor_id, "monitoring", as_of, stream_status="live", statistics=statistics(7)
    )
    shown = await gateway.show(monitor_id)
    assert shown["source"] == "store"
    assert shown["status"] == "monitoring"
    assert shown["statistics"]["total_segments_analyzed"] == 7
    assert datetime.fromisoformat(shown["as_of"]) == datetime.fromisoformat(as_of)
    assert shown["title"] is None


async def test_a_finished_monitor_is_shown_without_asking_the_engine(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await gateway.report(
        monitor_id,
        "error",
        ago(1).isoformat(),
        error_reason="video_private",
        error_message="It is private",
    )
    shown = await gateway.show(monitor_id)
    assert gateway.engine.asked == []
    assert (shown["source"], shown["status"]) == ("store", "error")
    assert (shown["error_reason"], shown["error_message"]) == ("video_private", "It is private")
    assert shown["finished_at"]


async def audit(gateway: Running, monitor_id: str, query: str = "") -> dict[str, Any]:
    answer = await gateway.client.get(f"/api/v1/monitors/{monitor_id}/events{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_audit_lists_events_in_order_with_their_payload(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    for sequence in (2, 3, 1):
        await put_event(gateway, monitor_id, event(monitor_id, sequence))
    found = await audit(gateway, monitor_id)
    assert [one["payload"]["sequence"] for one in found["events"]] == [1, 2, 3]
    first = found["events"][0]
    sent = StreamEvent.model_validate(event(monitor_id, 1)["event"]).body()
    assert first["payload"] == json.loads(sent)
    assert (first["webhook_status"], first["webhook_attempts"], first["sent_at"]) == (
        "pending",
        0,
        None,
    )
    second = await audit(gateway, monitor_id, "?limit=1&offset=1")
    assert [one["event_id"] for one in second["events"]] == ["evt-2"]
    assert second["pagination"] == {"total": 3, "limit": 1, "offset": 1}


async def test_what_was_sent_stays_sent(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    sent = event(
        monitor_id, 1, webhook_status="sent", webhook_attempts=2, sent_at="2026-01-01T00:00:05Z"
    )
    failing = event(
        monitor_id, 1, webhook_status="failed", webhook_attempts=1, webhook_last_error="500"
    )
    for report in (event(monitor_id, 1), sent, event(monitor_id, 1), failing, sent):
        await put_event(gateway, monitor_id, report)
    (known,) = (await audit(gateway, monitor_id))["events"]
    assert (known["webhook_status"], known["webhook_attempts"]) == ("sent", 2)
    assert known["sent_at"] == "2026-01-01T00:00:05Z"
    assert known["webhook_last_error"] is None


async def test_one_event_reported_many_times_at_once_is_kept_once(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await asyncio.gather(*(put_event(gateway, monitor_id, event(monitor_id, 1)) for _ in range(8)))
    assert (await audit(gateway, monitor_id))["pagination"]["total"] == 1


async def test_metadata_as_deep_as_it_may_be_comes_back_in_events(gateway: Running) -> None:
    metadata: dict[str, Any] = {"n": [10**300, 0.1, "", None]}
    for _ in range(MAX_DEPTH - 3):
        metadata = {"deeper": metadata}
    monitor_id = await gateway.created_id(metadata=metadata)
    assert (await gateway.create(metadata={"deeper": metadata})).status_code == 400
    report = event(monitor_id, 1)
    report["event"]["metadata"] = metadata
    await put_event(gateway, monitor_id, report)
    (known,) = (await audit(gateway, monitor_id))["events"]
    assert known["payload"]["metadata"] == metadata
    assert (await gateway.show(monitor_id))["metadata"] == metadata


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"event_id": "evt-other"}, "event.event_id", id="other event"),
        pytest.param({"monitor_id": "mon-other"}, "event.monitor_id", id="other monitor"),
        pytest.param({"sequence": 2**40}, "event.sequence", id="sequence too large"),
    ],
)
async def test_an_event_that_does_not_fit_its_path_is_refused(
    light_gateway: Running, change: dict[str, Any], field: str
) -> None:
    monitor_id = await light_gateway.created_id()
    report = event(monitor_id, 1)
    report["event"] |= change
    answer = await light_gateway.worker.put(
        f"/internal/v1/monitors/{monitor_id}/events/evt-1", json=report
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{field}: ")


async def test_details_of_a_workflow_that_just_ended_are_its_own(light_gateway: Running) -> None:
    monitor_id = await light_gateway.created_id()
    light_gateway.engine.snapshots[monitor_id] = snapshot(
        monitor_id, status=MonitorStatus.COMPLETED, stream_status=StreamStatus.ENDED
    )
    assert (await light_gateway.show(monitor_id))["status"] == "completed"
