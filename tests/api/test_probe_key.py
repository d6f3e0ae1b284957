"""What a probe worker's key opens: what it needs; it ends no monitors and makes no events."""

from datetime import UTC, datetime

import httpx
import pytest

from tests.testkit.events import event
from tests.testkit.gateway import Running, running_gateway

PROBE_KEY = "key-of-a-probe"
HEADERS = {"X-Internal-API-Key": PROBE_KEY}


async def ask(gateway: Running, method: str, path: str, body: object = None) -> httpx.Response:
    """Ask as a probe does."""
    url = f"{gateway.client.base_url}/internal/v1{path}"
    async with httpx.AsyncClient(trust_env=False, headers=HEADERS) as probe:
        return await probe.request(method, url, json=body)


async def test_a_probe_tells_counters_and_reads_request_headers(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, probe_api_key=PROBE_KEY) as gateway:
        path = f"/monitors/{await gateway.created_id()}"
        report = {"status": "monitoring", "as_of": datetime.now(UTC).isoformat()}
        assert (await ask(gateway, "PUT", f"{path}/status", report)).status_code == 200
        assert (await ask(gateway, "GET", f"{path}/request-headers")).status_code == 200
        assert (await ask(gateway, "GET", "/slates")).status_code == 200


@pytest.mark.parametrize("status", ["completed", "stopped", "error"])
async def test_a_probe_ends_no_monitor(sqlite_url: str, status: str) -> None:
    async with running_gateway(sqlite_url, probe_api_key=PROBE_KEY) as gateway:
        monitor_id = await gateway.created_id()
        report = {"status": status, "as_of": datetime.now(UTC).isoformat()}
        answer = await ask(gateway, "PUT", f"/monitors/{monitor_id}/status", report)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("status: ")
        assert (await gateway.show(monitor_id))["status"] == "initializing"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/events/evt-1"),
        ("GET", "/events/evt-1"),
        ("GET", "/callback"),
        ("POST", "/terminate"),
    ],
)
async def test_nothing_else_opens_to_a_probe(sqlite_url: str, method: str, path: str) -> None:
    async with running_gateway(sqlite_url, probe_api_key=PROBE_KEY) as gateway:
        monitor_id = await gateway.created_id()
        body = event(monitor_id, 1) if method == "PUT" else {"reason": "x"}
        answer = await ask(gateway, method, f"/monitors/{monitor_id}{path}", body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
        assert (await ask(gateway, "POST", "/reconcile")).status_code == 401


async def test_without_a_key_of_its_own_there_is_none_that_fits(light_gateway: Running) -> None:
    answer = await ask(light_gateway, "PUT", f"/monitors/{await light_gateway.created_id()}/status")
    assert answer.status_code == 401
