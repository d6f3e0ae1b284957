"""Counting requests in a real Redis, together with other gateways, and without it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.redis import BUNDLED, INSTALLED, RedisServer
from tests.testkit.gateway import KEY, OTHER_KEY, Running, running_gateway

LIST = "/api/v1/monitors"
FAILURES = "stream_tracker_rate_limit_storage_failures_total"

SERVERS = [
    pytest.param(BUNDLED, id="valkey"),
    pytest.param(
        INSTALLED,
        id="redis",
        marks=pytest.mark.skipif(not INSTALLED, reason="no redis-server on this machine"),
    ),
]


@pytest.fixture(params=SERVERS)
def redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(request.param, tmp_path)
    server.start()
    yield server
    server.stop()


async def statuses(gateway: Running, times: int, key: str = KEY) -> list[int]:
    headers = {"X-API-Key": key}
    return [(await gateway.client.get(LIST, headers=headers)).status_code for _ in range(times)]


async def failures(gateway: Running) -> float:
    lines = gateway.gateway.metrics.exposition(None).decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(FAILURES))


async def test_two_gateways_count_a_key_together(sqlite_url: str, redis: RedisServer) -> None:
    async with (
        running_gateway(sqlite_url, rate_limit_storage=redis.uri, rate_limit_read=3) as one,
        running_gateway(sqlite_url, rate_limit_storage=redis.uri, rate_limit_read=3) as other,
    ):
        assert await statuses(one, 2) == [200, 200]
        assert await statuses(other, 2) == [200, 429]
        refused = await one.client.get(LIST)
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert await statuses(other, 1, OTHER_KEY) == [200]
        assert (await failures(one), await failures(other)) == (0, 0)


async def test_the_api_answers_without_redis_and_counts_there_again_once_it_is_back(
    sqlite_url: str, redis: RedisServer
) -> None:
    async with (
        running_gateway(sqlite_url, rate_limit_storage=redis.uri, rate_limit_read=3) as one,
        running_gateway(sqlite_url, rate_limit_storage=redis.uri, rate_limit_read=3) as other,
    ):
        assert await statuses(one, 1) == [200]
        redis.stop()
        assert await statuses(one, 4) == [200, 200, 200, 429]
        assert await statuses(other, 4) == [200, 200, 200, 429]
        assert await failures(one) == await failures(other) == 4
        redis.start()  # empty: it counts from nothing
        await _until_counting(one, OTHER_KEY)
        await _until_counting(other, OTHER_KEY)
        assert sorted(await statuses(one, 2) + await statuses(other, 2)) == [200, 200, 200, 429]


async def test_a_gateway_starts_and_serves_while_redis_is_away(
    sqlite_url: str, redis: RedisServer
) -> None:
    redis.stop()
    async with running_gateway(
        sqlite_url, rate_limit_storage=redis.uri, rate_limit_read=2
    ) as gateway:
        assert await statuses(gateway, 3) == [200, 200, 429]


async def _until_counting(gateway: Running, key: str) -> None:
    """Return once a request was counted in Redis again."""
    limit, before = time.monotonic() + 20, -1.0
    while (now := await failures(gateway)) != before:
        assert time.monotonic() < limit, "Redis is not asked again"
        before = now
        await asyncio.sleep(0.1)
        await statuses(gateway, 1, key)
