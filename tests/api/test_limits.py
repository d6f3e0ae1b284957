"""Counting requests in a storage that several gateways share, and that may be away."""

from typing import Any

import pytest
from limits.aio.storage import MemoryStorage

from runtime.errors import StartError
from tests.testkit.gateway import Running, running_gateway

LIST = "/api/v1/monitors"


class SharedStorage(MemoryStorage):
    """Stands in for a server: all gateways that name `shared://` count in the same place."""

    STORAGE_SCHEME = ["async+shared"]
    counts = MemoryStorage()
    is_away = False
    asked = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        return ConnectionError

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        SharedStorage.asked += 1
        if SharedStorage.is_away:
            raise ConnectionError("refused")
        return await SharedStorage.counts.acquire_entry(key, limit, expiry, amount)

    async def clear(self, key: str) -> None:
        await SharedStorage.counts.clear(key)

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        return await SharedStorage.counts.get_moving_window(key, limit, expiry)


@pytest.fixture(autouse=True)
def fresh_storage() -> None:
    SharedStorage.counts, SharedStorage.is_away, SharedStorage.asked = MemoryStorage(), False, 0


async def statuses(gateway: Running, times: int) -> list[int]:
    return [(await gateway.client.get(LIST)).status_code for _ in range(times)]


async def test_gateways_with_a_common_storage_count_together(sqlite_url: str) -> None:
    settings: dict[str, Any] = {"rate_limit_storage": "shared://", "rate_limit_read": 3}
    async with (
        running_gateway(sqlite_url, **settings) as one,
        running_gateway(sqlite_url, **settings) as other,
    ):
        assert await statuses(one, 2) == [200, 200]
        assert await statuses(other, 2) == [200, 429]
        assert await statuses(one, 1) == [429]


async def test_while_the_storage_is_away_each_gateway_counts_for_itself(sqlite_url: str) -> None:
    async with running_gateway(
        sqlite_url, rate_limit_storage="shared://", rate_limit_read=3
    ) as gateway:
        SharedStorage.is_away = True
        assert await statuses(gateway, 4) == [200, 200, 200, 429]
        assert SharedStorage.asked == 1  # it is left alone for a while
        metrics = (await gateway.client.get("/metrics")).text
        assert "stream_tracker_rate_limit_storage_failures_total 4.0" in metrics


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("nonsense", id="no URI"),
        pytest.param("unknown://secret@h", id="unknown"),
        pytest.param("memcached://secret", id="cannot count so"),
        pytest.param("redis://:secret/secret@h", id="password that breaks the URL"),
        pytest.param("redis://h:secret", id="no port"),
    ],
)
async def test_a_storage_that_cannot_be_used_is_one_clear_error(sqlite_url: str, uri: str) -> None:
    with pytest.raises(StartError, match=r"^RATE_LIMIT_STORAGE: ") as refused:
        async with running_gateway(sqlite_url, rate_limit_storage=uri):
            pass
    assert "secret" not in str(refused.value)


async def test_a_clock_that_was_set_back_locks_nobody_out(sqlite_url: str) -> None:
    async with running_gateway(
        sqlite_url, rate_limit_storage="shared://", rate_limit_read=3
    ) as gateway:
        assert await statuses(gateway, 4) == [200, 200, 200, 429]
        for entries in SharedStorage.counts.events.values():
            for entry in entries:
                entry.atime += 3600  # what was counted by the clock as it was before
        assert await statuses(gateway, 1) == [200]
        assert await statuses(gateway, 4) == [200, 200, 200, 429]
