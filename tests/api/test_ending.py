"""Stopping monitors, and reports that come late, twice or out of order."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from api.monitor_engine import EngineUnavailable
from tests.testkit.gateway import Running

NOW = datetime.now(UTC)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


async def test_stopping_cancels_the_workflow_and_answers_the_same_again(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    path = f"/api/v1/monitors/{monitor_id}"
    first = await gateway.client.delete(path)
    assert first.status_code == 200
    assert set(first.json()) == {"monitor_id", "status", "stopped_at"}
    assert first.json()["status"] == "stopped"
    assert datetime.fromisoformat(first.json()["stopped_at"]).tzinfo
    assert gateway.engine.cancelled == [monitor_id]
    second = await gateway.client.delete(path)
    assert (second.status_code, second.content) == (200, first.content)
    assert (await gateway.show(monitor_id))["status"] == "stopped"


async def test_many_stops_at_once_get_one_answer(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    answers = await asyncio.gather(
        *(gateway.client.delete(f"/api/v1/monitors/{monitor_id}") for _ in range(8))
    )
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("status", ["completed", "error"])
async def test_a_monitor_that_ended_by_itself_cannot_be_stopped(
    gateway: Running, status: str
) -> None:
    monitor_id = await gateway.created_id()
    await gateway.report(monitor_id, status, ago(0))
    for _ in range(2):
        answer = await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "MONITOR_NOT_ACTIVE"
    assert gateway.engine.cancelled == []
    assert (await gateway.show(monitor_id))["status"] == status


async def test_a_stop_that_comes_upon_a_natural_end_keeps_the_end(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    gateway.engine.cancel_gate = asyncio.Event()
    stop = asyncio.create_task(gateway.client.delete(f"/api/v1/monitors/{monitor_id}"))
    while not gateway.engine.cancelling:
        await asyncio.sleep(0)
    await gateway.report(monitor_id, "completed", ago(0))
    gateway.engine.cancel_gate.set()
    answer = await stop
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "MONITOR_NOT_ACTIVE"
    assert (await gateway.show(monitor_id))["status"] == "completed"


async def test_a_stop_that_the_engine_does_not_take_changes_nothing(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    gateway.engine.cancel_error = EngineUnavailable("down")
    answer = await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "ENGINE_UNAVAILABLE"
    assert (await gateway.show(monitor_id))["status"] == "initializing"


@pytest.mark.parametrize("late", ["monitoring", "waiting", "completed", "error"])
async def test_a_stopped_monitor_stays_stopped(gateway: Running, late: str) -> None:
    monitor_id = await gateway.created_id()
    stopped = await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    assert await gateway.report(monitor_id, late, ago(-60)) == 200
    shown = await gateway.show(monitor_id)
    assert (shown["status"], shown["error_reason"]) == ("stopped", None)
    assert shown["finished_at"] == stopped.json()["stopped_at"]


async def test_a_workflow_that_still_works_for_a_stopped_monitor_is_cancelled(
    light_gateway: Running,
) -> None:
    monitor_id = await light_gateway.created_id()
    await light_gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    light_gateway.engine.cancelled.clear()
    await light_gateway.report(monitor_id, "monitoring", ago(0))
    assert light_gateway.engine.cancelled == [monitor_id]
    light_gateway.engine.cancel_error = EngineUnavailable("down")
    assert await light_gateway.report(monitor_id, "monitoring", ago(0)) == 200


async def test_an_older_report_never_overwrites_a_newer_one(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    newer = {"statistics": {"total_segments_analyzed": 9}, "stream_status": "live"}
    older = {"statistics": {"total_segments_analyzed": 3}}
    await gateway.report(monitor_id, "monitoring", ago(5), **newer)
    await gateway.report(monitor_id, "waiting", ago(50), **older)
    shown = await gateway.show(monitor_id)
    assert (shown["status"], shown["stream_status"]) == ("monitoring", "live")
    assert shown["statistics"]["total_segments_analyzed"] == 9


async def test_an_end_counts_even_when_newer_counters_are_known(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await gateway.report(
        monitor_id, "monitoring", ago(1), statistics={"total_segments_analyzed": 9}
    )
    await gateway.report(monitor_id, "completed", ago(30), stream_status="ended")
    shown = await gateway.show(monitor_id)
    assert (shown["status"], shown["stream_status"]) == ("completed", "ended")
    assert shown["statistics"]["total_segments_analyzed"] == 9


async def test_a_clock_that_is_ahead_does_not_silence_later_reports(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await gateway.report(monitor_id, "waiting", "2999-01-01T00:00:00Z")
    await gateway.report(
        monitor_id, "monitoring", (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    )
    assert (await gateway.show(monitor_id))["status"] == "monitoring"


async def test_a_worker_can_end_a_monitor_with_a_reason(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    for _ in range(2):
        answer = await gateway.worker.post(
            f"/internal/v1/monitors/{monitor_id}/terminate", json={"reason": "pod evicted"}
        )
        assert answer.status_code == 200
        assert answer.json() == {"monitor_id": monitor_id, "status": "stopped"}
    assert gateway.engine.cancelled == [monitor_id]
    assert (await gateway.show(monitor_id))["stop_reason"] == "pod evicted"


@pytest.mark.parametrize("monitor_id", ["mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b", "other"])
async def test_reports_about_unknown_monitors_are_not_found(
    gateway: Running, monitor_id: str
) -> None:
    assert await gateway.report(monitor_id, "monitoring", ago(0)) == 404
    answer = await gateway.worker.post(
        f"/internal/v1/monitors/{monitor_id}/terminate", json={"reason": "x"}
    )
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "MONITOR_NOT_FOUND"
    reported = await gateway.worker.put(
        f"/internal/v1/monitors/{monitor_id}/events/evt-1",
        json={
            "event": {
                "event_id": "evt-1",
                "event_type": "stream.started",
                "monitor_id": monitor_id,
                "stream_url": "https://media.example/x.m3u8",
                "timestamp": ago(0),
                "sequence": 1,
                "data": {},
            }
        },
    )
    assert reported.status_code == 404


async def test_a_report_without_a_time_is_of_now_and_unknown_fields_are_passed_over(
    gateway: Running,
) -> None:
    monitor_id = await gateway.created_id()
    before = datetime.now(UTC)
    answer = await gateway.worker.put(
        f"/internal/v1/monitors/{monitor_id}/status",
        json={"status": "waiting", "of_a_newer_release": 1},
    )
    assert answer.status_code == 200
    shown = await gateway.show(monitor_id)
    assert shown["status"] == "waiting"
    assert datetime.fromisoformat(shown["as_of"]) >= before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"status": "asleep", "as_of": ago(0)}, "status", id="unknown status"),
        pytest.param({"status": "waiting", "as_of": "yesterday"}, "as_of", id="no ISO time"),
        pytest.param(
            {"status": "waiting", "as_of": "0001-01-01T00:00:00+14:00"},
            "as_of",
            id="before the calendar",
        ),
    ],
)
async def test_a_bad_report_is_refused_by_name(
    light_gateway: Running, body: dict[str, str], field: str
) -> None:
    monitor_id = await light_gateway.created_id()
    answer = await light_gateway.worker.put(f"/internal/v1/monitors/{monitor_id}/status", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{field}: ")
