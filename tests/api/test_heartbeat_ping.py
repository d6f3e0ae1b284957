"""The dead man's switch: an address that is called while all is well."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from api.background import in_background
from api.heartbeat_ping import UNWATCHED_AFTER, HeartbeatPing, PingFailed
from api.metrics import GatewayMetrics
from api.monitor_engine import EngineNotReady
from tests.testkit.gateway import Running

NOW = datetime.now(UTC)


class Switch:
    """A heartbeat that runs, and the service that it calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.refuses = False
        self.metrics = GatewayMetrics()

    async def ping(self) -> None:
        self.calls += 1
        if self.refuses:
            raise PingFailed("HTTP status 500")

    def count(self, outcome: str) -> int:
        families = text_string_to_metric_families(self.metrics.exposition({}).decode())
        samples = [sample for family in families for sample in family.samples]
        return int(
            sum(
                sample.value
                for sample in samples
                if sample.name == "stream_tracker_heartbeat_pings_total"
                and sample.labels == {"outcome": outcome}
            )
        )

    async def counts_another(self, outcome: str) -> None:
        before = self.count(outcome)
        async with asyncio.timeout(10):
            while self.count(outcome) == before:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def switch(
    gateway: Running, now: Callable[[], datetime] = lambda: NOW
) -> AsyncIterator[Switch]:
    switch, checks = Switch(), gateway.gateway.health
    heartbeat = HeartbeatPing(
        switch.ping, gateway.store, checks, switch.metrics, now, every_sec=0.05
    )
    async with in_background(heartbeat.work()):
        yield switch


async def test_the_address_is_called_while_all_is_well(light_gateway: Running) -> None:
    async with switch(light_gateway) as beating:
        await beating.counts_another("sent")
        beating.refuses = True
        await beating.counts_another("failed")
        beating.refuses = False
        await beating.counts_another("sent")
    calls = beating.calls
    await asyncio.sleep(0.2)
    assert beating.calls == calls


async def test_it_is_not_called_without_temporal(light_gateway: Running) -> None:
    light_gateway.engine.ready_error = EngineNotReady("no answer")
    async with switch(light_gateway) as beating:
        await beating.counts_another("withheld")
        assert beating.calls == 0
        light_gateway.engine.ready_error = None
        await beating.counts_another("sent")


async def test_it_is_not_called_while_a_live_stream_is_unwatched(gateway: Running) -> None:
    waiting = await gateway.created_id(stream_url="https://media.example/1.m3u8")
    live = await gateway.created_id(stream_url="https://media.example/2.m3u8")
    await gateway.report(waiting, "waiting", NOW.isoformat())
    await gateway.report(live, "monitoring", NOW.isoformat())
    async with switch(gateway) as beating:
        await beating.counts_another("sent")
    async with switch(gateway, lambda: NOW + UNWATCHED_AFTER + timedelta(seconds=1)) as beating:
        await beating.counts_another("withheld")
        assert beating.calls == 0
        await gateway.report(live, "completed", datetime.now(UTC).isoformat())
        await beating.counts_another("sent")  # nobody watches before a stream is live


async def test_a_stream_that_is_checked_rarely_is_watched(gateway: Running) -> None:
    rare = await gateway.created_id(config={"check_interval_sec": 600})
    await gateway.report(rare, "monitoring", NOW.isoformat())
    async with switch(gateway, lambda: NOW + timedelta(minutes=19)) as beating:
        await beating.counts_another("sent")
    async with switch(gateway, lambda: NOW + timedelta(minutes=21)) as beating:
        await beating.counts_another("withheld")
