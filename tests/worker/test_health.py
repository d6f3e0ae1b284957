"""A worker's health port."""

import asyncio
import contextlib
import socket

import httpx
import pytest

from runtime.serving import PortTaken
from tests.testkit.ports import free_port
from worker.health import health_app, health_port


@pytest.fixture
def missing() -> list[str]:
    """What the process still lacks."""
    return []


@pytest.fixture
def client(missing: list[str]) -> httpx.AsyncClient:
    app = health_app(lambda: missing[0] if missing else None)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://worker")


async def test_a_process_that_answers_lives(client: httpx.AsyncClient, missing: list[str]) -> None:
    missing.append("no connection to Temporal yet")
    assert (await client.get("/healthz")).status_code == 200


async def test_readiness_says_what_is_missing(
    client: httpx.AsyncClient, missing: list[str]
) -> None:
    missing.append("no connection to Temporal yet")
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "missing": "no connection to Temporal yet"}


async def test_readiness_is_asked_anew_each_time(
    client: httpx.AsyncClient, missing: list[str]
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    missing.append("shutting down")
    assert (await client.get("/readyz")).status_code == 503


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "process_cpu_seconds_total" in answer.text


async def test_a_taken_port_is_an_error_that_names_the_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"^HEALTH_HOST, HEALTH_PORT: .*{port}"):
            async with health_port("127.0.0.1", port, lambda: None):
                pytest.fail("it serves on a taken port")


async def test_a_head_without_end_is_refused() -> None:
    port = free_port()
    async with health_port("127.0.0.1", port, lambda: None):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nA: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(1024):
                writer.write(b"x" * 16_384)
                await writer.drain()
            pytest.fail("16 MiB of a head were taken")
        writer.close()


async def test_silent_connections_do_not_stop_who_asks_for_its_health() -> None:
    port = free_port()
    async with health_port("127.0.0.1", port, lambda: None):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        for _, writer in silent:
            writer.close()
