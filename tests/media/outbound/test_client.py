import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import httpx
import pytest

from media.outbound.addresses import IPAddress
from media.outbound.client import Proxies, media_client, webhook_client
from media.outbound.errors import AddressRefused, NameNotResolved
from media.outbound.guard import OutboundGuard
from tests.media.outbound.test_addresses import REFUSED_ADDRESSES
from tests.media.outbound.test_guard import REFUSED_URLS
from tests.testkit.stand_ins import (
    OTHER_PUBLIC,
    PUBLIC,
    Loopback,
    Names,
    ScriptedServer,
    always,
    reply,
    scripted_server,
)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server(always(reply(b"ok", set_cookie="session=1; Path=/"))) as started:
        yield started


@pytest.fixture(params=[media_client, webhook_client])
async def any_client(
    request: pytest.FixtureRequest, guard: OutboundGuard, network: Loopback
) -> AsyncIterator[httpx.AsyncClient]:
    factory: Callable[..., httpx.AsyncClient] = request.param
    async with factory(guard, network=network) as opened:
        yield opened


async def test_a_connection_goes_to_the_judged_address_under_the_original_name(
    any_client: httpx.AsyncClient, network: Loopback, server: ScriptedServer
) -> None:
    response = await any_client.get(server.url())
    assert response.text == "ok"
    assert network.attempts == [(PUBLIC, server.port)]
    assert server.requests[0].headers["host"] == f"origin.example:{server.port}"


@pytest.mark.parametrize("url", [pytest.param(url, id=ascii(url)) for url in REFUSED_URLS])
async def test_no_connection_is_opened_for_a_refused_url(
    any_client: httpx.AsyncClient, network: Loopback, url: str
) -> None:
    with pytest.raises((AddressRefused, httpx.InvalidURL)):
        await any_client.get(url)
    assert network.attempts == []


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
async def test_no_connection_is_opened_for_a_name_with_a_special_address(address: str) -> None:
    network = Loopback()
    guard = OutboundGuard(False, Names({"origin.example": [[PUBLIC, address]]}))
    async with webhook_client(guard, network=network) as client:
        with pytest.raises(AddressRefused):
            await client.get("http://origin.example/")
    assert network.attempts == []


async def test_a_name_that_changes_its_answer_is_refused_at_the_next_connection(
    client: httpx.AsyncClient, guard: OutboundGuard, network: Loopback
) -> None:
    await guard.check_url("http://rebinding.example/")
    with pytest.raises(AddressRefused):
        await client.get("http://rebinding.example/")
    assert network.attempts == []


async def test_an_unknown_name_opens_no_connection(
    client: httpx.AsyncClient, network: Loopback
) -> None:
    with pytest.raises(NameNotResolved):
        await client.get("http://nowhere.example/")
    assert network.attempts == []


async def test_a_dead_address_gives_way_to_the_next(
    network: Loopback, server: ScriptedServer
) -> None:
    network.dead = {OTHER_PUBLIC}
    guard = OutboundGuard(False, Names({"origin.example": [[OTHER_PUBLIC, PUBLIC]]}))
    async with media_client(guard, network=network) as client:
        assert (await client.get(server.url())).text == "ok"
    assert [address for address, _ in network.attempts] == [OTHER_PUBLIC, PUBLIC]


async def test_no_more_than_four_addresses_of_a_name_are_tried(network: Loopback) -> None:
    addresses = [f"8.8.8.{last}" for last in range(9)]
    network.dead = set(addresses)
    guard = OutboundGuard(False, Names({"many.example": [addresses]}))
    async with media_client(guard, network=network) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://many.example/")
    assert [address for address, _ in network.attempts] == addresses[:4]


async def test_an_idle_connection_is_used_again(
    client: httpx.AsyncClient, names: Names, server: ScriptedServer
) -> None:
    for _ in range(3):
        await client.get(server.url())
    assert server.connections == 1
    assert names.asked == ["origin.example"]


async def test_connections_are_shared_only_under_the_same_name(
    client: httpx.AsyncClient, server: ScriptedServer
) -> None:
    await client.get(server.url(host="origin.example"))
    await client.get(server.url(host="other.example"))
    assert server.connections == 2


async def test_cookies_are_not_kept(any_client: httpx.AsyncClient, server: ScriptedServer) -> None:
    await any_client.get(server.url())
    await any_client.get(server.url())
    assert "cookie" not in server.requests[1].headers
    assert len(any_client.cookies) == 0


async def test_a_client_follows_no_redirect_by_itself(
    guard: OutboundGuard, network: Loopback
) -> None:
    redirect = reply(status=302, location="http://origin.example/next")
    async with (
        scripted_server(always(redirect)) as server,
        webhook_client(guard, network=network) as client,
    ):
        assert (await client.get(server.url())).status_code == 302
        assert len(server.requests) == 1


async def test_the_environment_sets_no_proxy(
    monkeypatch: pytest.MonkeyPatch, guard: OutboundGuard, network: Loopback, server: ScriptedServer
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with webhook_client(guard, network=network) as client:
        await client.get(server.url())
    assert network.attempts == [(PUBLIC, server.port)]


async def test_behind_a_proxy_names_go_to_the_proxy_unresolved(
    guard: OutboundGuard, names: Names, network: Loopback, server: ScriptedServer
) -> None:
    proxy = f"http://user:secret@127.0.0.1:{server.port}"
    async with media_client(guard, proxy=proxy, network=network) as client:
        await client.get("http://only-the-proxy-knows.example/live.m3u8")
    assert names.asked == []
    assert network.attempts == [("127.0.0.1", server.port)]
    assert server.requests[0].path == "http://only-the-proxy-knows.example/live.m3u8"
    assert server.requests[0].headers["proxy-authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://127.1/",
        "http://169.254.169.254/",
        "https://[::1]/",
        "http://localhost/",
        "http://metadata.google.internal/",
        "http://user@origin.example/",
    ],
)
async def test_behind_a_proxy_literal_private_addresses_stay_refused(
    guard: OutboundGuard, network: Loopback, url: str
) -> None:
    async with media_client(guard, proxy="http://127.0.0.1:9", network=network) as client:
        with pytest.raises(AddressRefused):
            await client.get(url)
    assert network.attempts == []


async def test_https_asks_the_proxy_for_a_tunnel(guard: OutboundGuard, network: Loopback) -> None:
    async with (
        scripted_server(always(reply(status=403))) as server,
        media_client(
            guard, proxy=Proxies(https=f"http://127.0.0.1:{server.port}"), network=network
        ) as client,
    ):
        with pytest.raises(httpx.ProxyError):
            await client.get("https://origin.example/live.m3u8")
        assert [(request.method, request.path) for request in server.requests] == [
            ("CONNECT", "origin.example:443")
        ]


async def test_a_scheme_without_a_proxy_connects_directly(
    guard: OutboundGuard, network: Loopback, server: ScriptedServer
) -> None:
    proxies = Proxies(https="http://127.0.0.1:9")
    async with media_client(guard, proxy=proxies, network=network) as client:
        await client.get(server.url())
    assert network.attempts == [(PUBLIC, server.port)]


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1"])
def test_other_kinds_of_proxy_are_a_configuration_error(guard: OutboundGuard, proxy: str) -> None:
    with pytest.raises(ValueError):
        media_client(guard, proxy=proxy)


async def test_resolving_counts_into_the_connect_timeout(network: Loopback) -> None:
    async def hang(host: str, port: int) -> Sequence[IPAddress]:
        await asyncio.Event().wait()
        return []

    guard = OutboundGuard(False, hang)
    async with media_client(guard, network=network) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("http://slow.example/", timeout=httpx.Timeout(5, connect=0.01))


async def test_private_networks_are_reached_where_they_are_allowed(
    server: ScriptedServer,
) -> None:
    async with media_client(OutboundGuard(allow_private_networks=True)) as client:
        assert (await client.get(server.url(host="127.0.0.1"))).text == "ok"
