"""What operators see: health, metrics, logs, the description of the API, the server itself."""

import asyncio
import json
import socket
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from api.app import GatewayServices
from api.monitor_engine import EngineNotReady
from api.store import open_store
from notifications.destination_urls import masked_url
from runtime.serving import PortTaken
from tests.testkit.gateway import (
    INTERNAL_KEY,
    KEY,
    FakeEngine,
    Running,
    gateway_settings,
    refuse_forbidden,
    running_gateway,
)
from tests.testkit.ports import free_port
from tests.testkit.waiting import plain_client
from worker.gateway_process import serving

POLL_SEC = 0.02


async def get(gateway: Running, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=gateway.client.base_url) as stranger:
        return await stranger.get(path)


async def test_a_gateway_with_all_its_parts_is_alive_and_ready(gateway: Running) -> None:
    assert (await get(gateway, "/healthz")).json() == {"status": "ok"}
    ready = await get(gateway, "/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "checks": {"database": "ok", "temporal": "ok"}}


async def test_a_gateway_without_temporal_is_alive_but_not_ready(light_gateway: Running) -> None:
    light_gateway.engine.ready_error = EngineNotReady("search attributes not registered: X")
    assert (await get(light_gateway, "/healthz")).status_code == 200
    answer = await get(light_gateway, "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "not_ready",
        "checks": {"database": "ok", "temporal": "search attributes not registered: X"},
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_uptime_checks_may_ask_by_head(light_gateway: Running, path: str) -> None:
    got = await light_gateway.client.get(path)
    asked = await light_gateway.client.head(path)
    assert (got.status_code, asked.status_code, asked.content) == (200, 200, b"")
    for name in ("content-type", "content-length"):
        assert asked.headers[name] == got.headers[name]


async def test_a_request_id_is_kept_or_made(light_gateway: Running) -> None:
    kept = await light_gateway.client.get("/healthz", headers={"X-Request-ID": "abc-1"})
    assert kept.headers["x-request-id"] == "abc-1"
    for bad in ("", "a b", "x" * 200, "a\tb"):
        made = await light_gateway.client.get("/nothing", headers={"X-Request-ID": bad})
        assert len(made.headers["x-request-id"]) == 36


async def test_each_request_leaves_one_line_without_secrets(light_gateway: Running) -> None:
    with capture_logs() as lines:
        await light_gateway.create(
            stream_url="https://media.example/live.m3u8?token=hidden-1",
            callback_url="https://receiver.example/hook?token=hidden-2",
        )
        await light_gateway.client.get("/api/v1/monitors?status=&token=hidden-3")
    (first, second) = [line for line in lines if line["event"] == "request"]
    assert (first["method"], first["route"], first["status"]) == ("POST", "/api/v1/monitors", 201)
    assert first["client"]
    assert (second["path"], second["status"]) == ("/api/v1/monitors", 400)
    text = repr(lines)
    assert not any(secret in text for secret in ("hidden", KEY, INTERNAL_KEY))


async def test_requests_that_never_end_are_told_when_they_fail(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    with capture_logs() as lines:
        await gateway.report(monitor_id, "waiting", datetime.now(UTC).isoformat())
        await gateway.report(monitor_id, "asleep", datetime.now(UTC).isoformat())
        await get(gateway, "/healthz")
    told = [line for line in lines if line["event"] == "request" and line["log_level"] != "debug"]
    assert [(line["log_level"], line["status"]) for line in told] == [("info", 400)]


def test_a_url_is_logged_without_what_may_be_secret() -> None:
    assert masked_url("https://h:81/services/T0/B0/x?token=x#y") == "https://h:81/***"


async def test_metrics_count_requests_and_monitors(gateway: Running) -> None:
    monitor_id = await gateway.created_id()
    await gateway.show(monitor_id)
    await gateway.client.get("/api/v1/unknown/path")
    text = (await get(gateway, "/metrics")).text
    labels = 'method="GET",route="/api/v1/monitors/{monitor_id}",status="200"'
    assert f"stream_tracker_http_requests_total{{{labels}}} 1.0" in text
    assert 'stream_tracker_monitors{status="initializing"} 1.0' in text
    assert 'stream_tracker_monitors{status="stopped"} 0.0' in text
    assert monitor_id not in text
    assert "unknown/path" not in text


def of_requests(lines: list[EventDict]) -> list[EventDict]:
    """Return the lines without that of the reconciliation, which each gateway begins with."""
    return [line for line in lines if line["event"] != "reconciled"]


async def test_a_defect_is_a_plain_500_with_its_trace_in_the_log(light_gateway: Running) -> None:
    light_gateway.engine.cancel_error = ZeroDivisionError("secret detail")
    monitor_id = await light_gateway.created_id()
    with capture_logs() as lines:
        answer = await light_gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "INTERNAL_ERROR"
    assert "secret detail" not in answer.text
    assert answer.headers["x-request-id"]
    assert [line["event"] for line in of_requests(lines)] == ["request failed", "request"]


async def test_a_client_that_leaves_half_way_is_no_defect(light_gateway: Running) -> None:
    with capture_logs() as lines:
        url = light_gateway.client.base_url
        _, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(
            b"POST /api/v1/monitors HTTP/1.1\r\nHost: h\r\nX-API-Key: " + KEY.encode() + b"\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        await writer.drain()
        writer.close()
        while not of_requests(lines):
            await asyncio.sleep(0)
    (line,) = of_requests(lines)
    assert (line["event"], line["status"]) == ("request", 499)


async def test_the_api_describes_itself(light_gateway: Running) -> None:
    schema = (await get(light_gateway, "/openapi.json")).json()
    assert (await get(light_gateway, "/docs")).status_code == 200
    assert not any(path.startswith("/internal") for path in schema["paths"])
    create = schema["paths"]["/api/v1/monitors"]["post"]
    assert "422" not in json.dumps(schema)
    assert create["responses"]["409"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "/ErrorBody"
    )
    assert {"ApiKey": []} in create["security"]
    assert _dangling(schema) == []


def _dangling(schema: dict[str, Any]) -> list[str]:
    """Return the references that lead nowhere."""
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    found: list[str] = []
    pending: list[Any] = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            found += [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return sorted(set(found) - known)


@pytest.mark.parametrize("variable", ["port", "internal_port"])
async def test_a_taken_port_is_one_clear_error(sqlite_url: str, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"HOST, {variable.upper()}: .*{port}.*in use"):
            async with running_gateway(sqlite_url, **{variable: port}):
                pass


async def test_the_workers_api_has_a_port_of_its_own_when_one_is_set(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, internal_port=free_port()) as gateway:
        monitor_id = await gateway.created_id()
        assert await gateway.report(monitor_id, "monitoring", "2026-01-01T00:00:00Z") == 200
        assert (await gateway.worker.get("/healthz")).status_code == 200
        for path in ("/api/v1/monitors", "/docs", "/openapi.json"):
            headers = {"X-API-Key": KEY}
            assert (await gateway.worker.get(path, headers=headers)).status_code == 404
        answer = await gateway.client.post(
            "/internal/v1/reconcile", headers={"X-Internal-API-Key": INTERNAL_KEY}
        )
        assert answer.status_code == 404


async def test_a_request_in_flight_is_answered_before_the_server_stops(sqlite_url: str) -> None:
    settings, engine = gateway_settings(), FakeEngine(gate=asyncio.Event())
    async with open_store(sqlite_url) as store:
        gateway = GatewayServices(
            settings, engine=engine, store=store, address_check=refuse_forbidden
        )
        stop = asyncio.Event()
        serving_it = asyncio.create_task(_serve_until(stop, serving(gateway, settings)))
        while not await _listens(settings.port):
            await asyncio.sleep(POLL_SEC)
        base = f"http://127.0.0.1:{settings.port}"
        async with plain_client(base_url=base, headers={"X-API-Key": KEY}, timeout=30) as client:
            running = Running(client, client, engine, store, gateway)
            creation = asyncio.create_task(running.create())
            while not await store.monitors.count_by_status():
                await asyncio.sleep(POLL_SEC)
            stop.set()
            while await _listens(settings.port):
                await asyncio.sleep(POLL_SEC)
            assert not serving_it.done()
            assert engine.gate
            engine.gate.set()
            assert (await creation).status_code == 201
        await serving_it


async def _serve_until(stop: asyncio.Event, served: AbstractAsyncContextManager[None]) -> None:
    async with served:
        await stop.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
