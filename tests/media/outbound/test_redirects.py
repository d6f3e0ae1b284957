import asyncio

import httpx
import pytest

from media.outbound.client import media_client
from media.outbound.errors import (
    AddressRefused,
    BadRedirect,
    TooManyRedirects,
)
from media.outbound.fetching import fetch_playlist, fetch_segment
from media.outbound.guard import OutboundGuard
from tests.testkit.stand_ins import (
    BODY,
    Loopback,
    Names,
    Request,
    always,
    by_path,
    reply,
    scripted_server,
)


async def test_redirects_are_followed_and_the_final_url_told(client: httpx.AsyncClient) -> None:
    answers = {
        "/a": reply(status=301, location="/b"),
        "/b": reply(status=302, location="c?x=1"),
        "/c?x=1": reply(status=307, location="/d/live.m3u8"),
        "/d/live.m3u8": reply(BODY),
    }
    async with scripted_server(by_path(answers)) as server:
        fetched = await fetch_playlist(client, server.url("/a"))
    assert fetched.final_url == server.url("/d/live.m3u8")


@pytest.mark.parametrize("chars", [2048, 2049])
async def test_a_redirect_leads_to_no_url_that_is_too_long(
    client: httpx.AsyncClient, chars: int
) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        target = server.url("/").ljust(chars, "x")
        writer.write(reply(BODY) if "x" in request.path else reply(status=302, location=target))

    async with scripted_server(answer) as server:
        if chars == 2048:
            fetched = await fetch_playlist(client, server.url("/a"))
            assert len(fetched.final_url) == 2048
        else:
            with pytest.raises(BadRedirect, match="too long"):
                await fetch_playlist(client, server.url("/a"))


async def test_redirects_go_to_other_names(client: httpx.AsyncClient) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        target = server.url("/live.m3u8", host="other.example")
        moved = request.headers["host"].startswith("other.example")
        writer.write(reply(BODY) if moved else reply(status=308, location=target))

    async with scripted_server(answer) as server:
        fetched = await fetch_playlist(client, server.url("/a"))
    assert fetched.final_url == server.url("/live.m3u8", host="other.example")


async def test_redirects_keep_the_range(client: httpx.AsyncClient) -> None:
    answers = {
        "/a": reply(status=302, location="/b"),
        "/b": reply(b"cd", 206, content_range="bytes 2-3/9"),
    }
    async with scripted_server(by_path(answers)) as server:
        part = await fetch_segment(client, server.url("/a"), byte_range=(2, 2), max_bytes=9)
    assert part == b"cd"


async def test_more_than_three_redirects_are_too_many(client: httpx.AsyncClient) -> None:
    async with scripted_server(always(reply(status=302, location="/again"))) as server:
        with pytest.raises(TooManyRedirects):
            await fetch_playlist(client, server.url())
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "//169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::1%25lo]/",
        "http://[::ffff:10.0.0.1]/",
        "http://localhost:6443/",
        "http://inside.example/",
        "http://mixed.example/",
        "http://user:secret@other.example/",
        "http://other.example:99999/",
        "file:///etc/passwd",
        "gopher://other.example/",
        "unix:/run/docker.sock",
    ],
)
async def test_redirects_to_a_refused_address_open_no_connection(
    client: httpx.AsyncClient, network: Loopback, target: str
) -> None:
    async with scripted_server(always(reply(status=302, location=target))) as server:
        with pytest.raises(AddressRefused):
            await fetch_playlist(client, server.url())
    assert len(network.attempts) == 1


async def test_redirects_to_a_name_that_changed_its_answer_open_no_connection(
    network: Loopback,
) -> None:
    names = Names({"a.example": [["8.8.8.8"], ["127.0.0.1"]]})
    guard = OutboundGuard(allow_private_networks=False, resolve=names)
    answer = reply(status=302, location="http://a.example:1/")
    async with (
        media_client(guard, network=network) as client,
        scripted_server(always(answer)) as server,
    ):
        with pytest.raises(AddressRefused):
            await fetch_playlist(client, server.url(host="a.example"))
    assert network.attempts == [("8.8.8.8", server.port)]
