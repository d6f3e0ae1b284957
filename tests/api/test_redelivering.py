"""Sending an event once more."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from activities.declarations import RedeliveryInput, StoredEvent
from api.monitor_engine import EngineUnavailable
from monitors.reports import EventReport
from tests.testkit.events import event, put_event
from tests.testkit.gateway import KEY, Running

SENT_AT = "2026-01-01T00:00:05Z"
FAILED = {"webhook_status": "failed", "webhook_attempts": 4, "webhook_last_error": "HTTP 500"}
SENT = {"webhook_status": "sent", "webhook_attempts": 1, "sent_at": SENT_AT}


async def redeliver(gateway: Running, monitor_id: str, event_id: str = "evt-1") -> httpx.Response:
    return await gateway.client.post(f"/api/v1/monitors/{monitor_id}/events/{event_id}/redeliver")


async def stored_event(gateway: Running, monitor_id: str) -> StoredEvent:
    """Ask as the worker does that sends it."""
    answer = await gateway.worker.get(f"/internal/v1/monitors/{monitor_id}/events/evt-1")
    return StoredEvent.model_validate_json(answer.content)


async def known(gateway: Running, monitor_id: str) -> tuple[Any, ...]:
    answer = await gateway.client.get(f"/api/v1/monitors/{monitor_id}/events")
    (one,) = answer.json()["events"]
    return one["webhook_status"], one["webhook_attempts"], one["webhook_last_error"], one["sent_at"]


async def monitor_with_event(gateway: Running, **delivery: Any) -> str:
    monitor_id = await gateway.created_id()
    await put_event(gateway, monitor_id, event(monitor_id, 1, **delivery))
    return monitor_id


@pytest.mark.parametrize("status", ["monitoring", "error"])
async def test_a_failed_event_is_pending_until_the_outcome_is_known(
    gateway: Running, status: str
) -> None:
    monitor_id = await monitor_with_event(gateway, **FAILED)
    await gateway.report(monitor_id, status, datetime.now(UTC).isoformat())
    answer = await redeliver(gateway, monitor_id)
    assert answer.status_code == 202
    assert answer.json() == {"event_id": "evt-1", "webhook_status": "pending"}
    assert gateway.engine.redelivered == [RedeliveryInput(monitor_id=monitor_id, event_id="evt-1")]
    stored = await stored_event(gateway, monitor_id)
    assert stored.callback_url == "https://receiver.example/hook"
    assert stored.event.data == {"duration_sec": 30.5}
    assert stored.attempts == 4
    assert await known(gateway, monitor_id) == ("pending", 4, "HTTP 500", None)
    again = event(monitor_id, 1, webhook_status="sent", webhook_attempts=6, sent_at=SENT_AT)
    await put_event(gateway, monitor_id, again)
    assert await known(gateway, monitor_id) == ("sent", 6, None, SENT_AT)


async def test_the_payload_is_the_one_that_was_reported(gateway: Running) -> None:
    monitor_id = await monitor_with_event(gateway, **FAILED)
    answer = await gateway.client.get(f"/api/v1/monitors/{monitor_id}/events")
    stored = await stored_event(gateway, monitor_id)
    assert stored.event.model_dump(mode="json") == answer.json()["events"][0]["payload"]


async def test_not_a_byte_differs_from_the_first_time(gateway: Running) -> None:
    """JSONB sorts names by their length and writes 1e300 with 301 digits."""
    monitor_id = await gateway.created_id()
    report = event(monitor_id, 1, **FAILED)
    report["event"]["metadata"] = {"zebra": 1e300, "b": {"yy": -0.0, "x": 10**40}, "": "\u2028ü"}
    sent = EventReport.model_validate(report).event.body()
    await put_event(gateway, monitor_id, report)
    assert (await stored_event(gateway, monitor_id)).event.body() == sent


async def test_a_sent_event_stays_sent_whatever_comes_of_it(gateway: Running) -> None:
    monitor_id = await monitor_with_event(gateway, **SENT)
    assert (await redeliver(gateway, monitor_id)).json()["webhook_status"] == "pending"
    assert await known(gateway, monitor_id) == ("sent", 1, None, SENT_AT)
    await put_event(gateway, monitor_id, event(monitor_id, 1, **FAILED | {"webhook_attempts": 5}))
    assert await known(gateway, monitor_id) == ("sent", 5, "HTTP 500", SENT_AT)
    later = SENT | {"webhook_attempts": 6, "sent_at": "2026-01-02T00:00:00Z"}
    await put_event(gateway, monitor_id, event(monitor_id, 1, **later))
    assert await known(gateway, monitor_id) == ("sent", 6, None, "2026-01-02T00:00:00Z")


@pytest.mark.parametrize("attempts", [0, 2])
async def test_an_event_that_its_monitor_still_delivers_is_left_to_it(
    gateway: Running, attempts: int
) -> None:
    monitor_id = await monitor_with_event(gateway, webhook_attempts=attempts)
    assert (await redeliver(gateway, monitor_id)).status_code == 202
    assert gateway.engine.redelivered == []
    await gateway.report(monitor_id, "error", datetime.now(UTC).isoformat())
    assert (await redeliver(gateway, monitor_id)).status_code == 202
    assert len(gateway.engine.redelivered) == 1


@pytest.mark.parametrize("event_id", ["evt-2", "%00", "evt-1%20", "x" * 300])
async def test_an_unknown_event_is_not_found(gateway: Running, event_id: str) -> None:
    monitor_id = await monitor_with_event(gateway, **FAILED)
    answer = await redeliver(gateway, monitor_id, event_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "EVENT_NOT_FOUND")
    assert gateway.engine.redelivered == []


async def test_an_event_of_another_monitor_is_not_found(light_gateway: Running) -> None:
    await monitor_with_event(light_gateway, **FAILED)
    other = await light_gateway.created_id(stream_url="https://media.example/other.m3u8")
    assert (await redeliver(light_gateway, other)).json()["error"]["code"] == "EVENT_NOT_FOUND"
    unknown = "mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
    assert (await redeliver(light_gateway, unknown)).json()["error"]["code"] == "MONITOR_NOT_FOUND"


async def test_an_event_stays_failed_when_temporal_does_not_answer(gateway: Running) -> None:
    monitor_id = await monitor_with_event(gateway, **FAILED)
    gateway.engine.redeliver_error = EngineUnavailable("down")
    answer = await redeliver(gateway, monitor_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ENGINE_UNAVAILABLE")
    assert (await known(gateway, monitor_id))[0] == "failed"


@pytest.mark.parametrize(
    "nasty",
    [
        pytest.param('"a\\u0000b"', id="NUL"),
        pytest.param('"a\\ud800b"', id="half a pair"),
        pytest.param('"a\\udc00\\ud800b"', id="two halves"),
        pytest.param('"a\xffb"', id="no UTF-8"),
    ],
)
async def test_text_that_no_database_keeps_loses_no_event(gateway: Running, nasty: str) -> None:
    monitor_id = await gateway.created_id()
    report = event(monitor_id, 1, **FAILED)
    body = json.dumps(report).replace('"HTTP 500"', nasty).encode("latin-1")
    path = f"/internal/v1/monitors/{monitor_id}/events/evt-1"
    assert (await gateway.worker.put(path, content=body)).status_code == 200
    status, _, error, _ = await known(gateway, monitor_id)
    assert status == "failed"
    assert error.strip("ab") == "\ufffd" * error.count("\ufffd") != ""


async def test_the_command_line_sends_an_event_again(light_gateway: Running) -> None:
    monitor_id = await monitor_with_event(light_gateway, **FAILED)
    assert await command(light_gateway, monitor_id, "evt-1") == (0, "pending\n")
    (order,) = light_gateway.engine.redelivered
    assert order.event_id == "evt-1"
    code, said = await command(light_gateway, monitor_id, "evt-2")
    assert code == 2
    assert said.startswith("evt-2: ")


async def command(gateway: Running, monitor_id: str, event_id: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", "monitors", "redeliver", monitor_id, event_id),
        *("--url", str(gateway.client.base_url)),
        env={**os.environ, "API_KEY": KEY},
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()
