"""Who gets in, and how often."""

import httpx
import pytest
from pydantic import SecretStr

from api.auth import KeyRing
from api.request_limits import WRONG_KEYS_PER_MINUTE
from tests.testkit.gateway import INTERNAL_KEY, KEY, OTHER_KEY, Running, order, running_gateway

LIST = "/api/v1/monitors"
REPORT = "/internal/v1/monitors/mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b/status"


async def send(
    gateway: Running, path: str, headers: dict[str, str], method: str = "GET"
) -> httpx.Response:
    async with httpx.AsyncClient(base_url=gateway.client.base_url, trust_env=False) as stranger:
        return await stranger.request(method, path, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-API-Key": KEY}, id="header"),
        pytest.param({"X-API-Key": OTHER_KEY}, id="second key"),
        pytest.param({"Authorization": f"Bearer {KEY}"}, id="bearer"),
        pytest.param({"Authorization": f"bearer {KEY}"}, id="bearer in lower case"),
    ],
)
async def test_a_right_key_opens(light_gateway: Running, headers: dict[str, str]) -> None:
    assert (await send(light_gateway, LIST, headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"X-API-Key": ""}, id="empty"),
        pytest.param({"X-API-Key": KEY[:-1]}, id="shorter"),
        pytest.param({"X-API-Key": f"{KEY},{OTHER_KEY}"}, id="both"),
        pytest.param({"X-API-Key": INTERNAL_KEY}, id="the workers'"),
        pytest.param({"X-Internal-API-Key": INTERNAL_KEY}, id="the workers' header"),
        pytest.param({"Authorization": f"Basic {KEY}"}, id="basic"),
        pytest.param({"Authorization": KEY}, id="no scheme"),
        pytest.param({"X-API-Key": "schlüssel"}, id="not ASCII"),
    ],
)
async def test_anything_else_is_unauthorized(
    light_gateway: Running, headers: dict[str, str]
) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    for method, path in [("GET", LIST), ("POST", LIST), ("GET", f"{LIST}/x"), ("DELETE", LIST)]:
        answer = await send(light_gateway, path, encoded, method)  # type: ignore[arg-type]
        if answer.status_code == 405:
            continue
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "UNAUTHORIZED"
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": KEY}, {"X-Internal-API-Key": KEY}])
async def test_only_workers_may_report(light_gateway: Running, headers: dict[str, str]) -> None:
    assert (await send(light_gateway, REPORT, headers, "PUT")).status_code == 401


async def test_the_key_is_checked_before_the_body(light_gateway: Running) -> None:
    async with httpx.AsyncClient(base_url=light_gateway.client.base_url) as stranger:
        answer = await stranger.post(LIST, content=b"x" * 100_000)
    assert answer.status_code == 401


async def test_guessing_is_limited_but_locks_nobody_out(light_gateway: Running) -> None:
    wrong = {"X-API-Key": "wrong"}
    async with httpx.AsyncClient(base_url=light_gateway.client.base_url) as stranger:
        answers = [
            await stranger.get(LIST, headers=wrong) for _ in range(WRONG_KEYS_PER_MINUTE + 1)
        ]
    assert [answer.status_code for answer in answers[:-1]] == [401] * WRONG_KEYS_PER_MINUTE
    assert answers[-1].status_code == 429
    assert answers[-1].json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert (await light_gateway.client.get(LIST)).status_code == 200


async def test_creations_are_limited_per_key(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, rate_limit_create=2) as gateway:
        answers = [await gateway.create() for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 409, 429]
        assert answers[2].json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        assert 1 <= int(answers[2].headers["retry-after"]) <= 60
        assert (await gateway.client.get(LIST)).status_code == 200
        other = await gateway.client.post(LIST, json=order(), headers={"X-API-Key": OTHER_KEY})
        assert other.status_code == 409


async def test_reads_are_limited_per_key_apart_from_stops(sqlite_url: str) -> None:
    async with running_gateway(sqlite_url, rate_limit_read=2) as gateway:
        monitor_id = await gateway.created_id()
        paths = [LIST, f"{LIST}/{monitor_id}", f"{LIST}/{monitor_id}/events"]
        answers = [await gateway.client.get(path) for path in paths]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert (await gateway.client.delete(f"{LIST}/{monitor_id}")).status_code == 200


def test_the_name_of_a_keys_holder_is_no_part_of_the_key() -> None:
    ring = KeyRing([SecretStr(KEY), SecretStr(OTHER_KEY)])
    names = {ring.holder(KEY), ring.holder(OTHER_KEY)}
    assert len(names) == 2
    assert not any(name is None or name in KEY + OTHER_KEY for name in names)
    assert ring.holder("") is None
