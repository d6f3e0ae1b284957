"""Addresses that must not be reached: refused at creation by the gateway, and never connected to.

The resolver is a table and the network records: no packet leaves for any of these addresses.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from api.app import GatewayServices
from api.store import open_store
from api.url_checks import AddressNotAllowed
from media.outbound.client import media_client, webhook_client
from media.outbound.errors import AddressRefused
from media.outbound.fetching import fetch_playlist, fetch_segment
from media.outbound.guard import NameResolver, OutboundGuard, Resolve
from media.outbound.posting import post_webhook
from tests.media.outbound.test_guard import REFUSED_URLS
from tests.testkit.dns_server import name_server
from tests.testkit.gateway import KEY, FakeEngine, gateway_settings
from tests.testkit.stand_ins import PUBLIC, Loopback, Names
from worker.gateway_process import _address_check, serving

NAMES = {
    "origin.example": [[PUBLIC]],
    "mixed.example": [[PUBLIC, "127.0.0.1"]],
    "inside.example": [["10.0.0.7"]],
}


@pytest.fixture
def network() -> Loopback:
    return Loopback()


@pytest.fixture
def guard() -> OutboundGuard:
    return OutboundGuard(allow_private_networks=False, resolve=Names(NAMES))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def gateway(engine: FakeEngine, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with judging_gateway(engine, Names(NAMES), tmp_path) as client:
        yield client


@asynccontextmanager
async def judging_gateway(
    engine: FakeEngine, resolve: Resolve, folder: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that judges addresses as it does in production."""
    settings = gateway_settings()
    async with open_store(f"sqlite:///{folder}/gateway.db") as store:
        made = GatewayServices(
            settings, engine=engine, store=store, address_check=_address_check(settings, resolve)
        )
        base = f"http://127.0.0.1:{settings.port}"
        headers = {"X-API-Key": KEY}
        async with (
            serving(made, settings),
            httpx.AsyncClient(
                base_url=base, headers=headers, timeout=30, trust_env=False
            ) as client,
        ):
            yield client


async def test_an_exempt_receiver_is_no_origin_of_streams() -> None:
    settings = gateway_settings(webhook_private_hosts=[("10.0.0.7", 8080)])
    check = _address_check(settings, Names(NAMES))
    await check("http://10.0.0.7:8080/", for_webhooks=True)
    with pytest.raises(AddressNotAllowed):
        await check("http://10.0.0.7:8080/", for_webhooks=False)


async def test_the_gateway_refuses_each_address_in_each_place(
    gateway: httpx.AsyncClient, engine: FakeEngine
) -> None:
    """8.8.8.8 stands for a good address: judged, never connected to."""
    good = {"stream_url": "https://8.8.8.8/live.m3u8", "callback_url": "https://8.8.8.8/hook"}
    answers = {}
    for url in REFUSED_URLS:
        for place in good:
            answer = await gateway.post("/api/v1/monitors", json={**good, place: url})
            error = answer.json()["error"]
            assert error["message"].startswith(f"{place}: "), url
            answers[place, url] = (answer.status_code, error["code"])
    assert set(answers.values()) == {(400, "INVALID_URL")}
    assert engine.started == []
    accepted = await gateway.post("/api/v1/monitors", json=good)
    assert accepted.status_code == 201


async def test_names_in_a_silent_zone_spoil_no_other_creation(tmp_path: Path) -> None:
    zone = {"origin.example": [PUBLIC], "receiver.example": [PUBLIC]}
    async with (
        name_server(zone.get) as names,
        judging_gateway(FakeEngine(), NameResolver([names.address]), tmp_path) as gateway,
    ):
        bad = [
            asyncio.create_task(create(gateway, f"n{number}.hang.example", "receiver.example"))
            for number in range(20)
        ]
        while not any("hang" in name for name in names.asked):
            await asyncio.sleep(0.01)
        assert (await create(gateway, "origin.example", "receiver.example")).status_code == 201
        assert not any(task.done() for task in bad)
        answers = await asyncio.gather(*bad)
    assert {answer.status_code for answer in answers} == {400}
    assert "stream_url" in answers[0].json()["error"]["message"]


def create(
    gateway: httpx.AsyncClient, origin: str, receiver: str
) -> Coroutine[None, None, httpx.Response]:
    order = {"stream_url": f"https://{origin}/a.m3u8", "callback_url": f"https://{receiver}/"}
    return gateway.post("/api/v1/monitors", json=order)


Use = Callable[[httpx.AsyncClient, str], Awaitable[object]]


def playlist(client: httpx.AsyncClient, url: str) -> Awaitable[object]:
    return fetch_playlist(client, url)


def segment(client: httpx.AsyncClient, url: str) -> Awaitable[object]:
    return fetch_segment(client, url, max_bytes=1000)


def webhook(client: httpx.AsyncClient, url: str) -> Awaitable[object]:
    return post_webhook(client, url, body=b"{}", headers={})


USES = [pytest.param(use, id=use.__name__) for use in (playlist, segment, webhook)]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("url", [pytest.param(url, id=ascii(url)) for url in REFUSED_URLS])
async def test_no_connection_is_opened_to_it(
    guard: OutboundGuard, network: Loopback, use: Use, url: str
) -> None:
    make = webhook_client if use is webhook else media_client
    async with make(guard, network=network) as client:
        with pytest.raises(AddressRefused, match=r"^the address is not allowed$"):
            await use(client, url)
    assert network.attempts == []
