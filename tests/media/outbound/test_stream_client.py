"""A stream's request headers go with each of its requests; redirects leave credentials behind."""

import asyncio

import httpx
import pytest

from media.outbound.fetching import fetch_playlist, fetch_segment
from media.outbound.stream_client import StreamClient, is_same_origin
from tests.testkit.stand_ins import BODY, Request, by_path, reply, scripted_server

HEADERS = {
    "User-Agent": "Player/1",
    "Referer": "https://site.example/",
    "Authorization": "Bearer secret",
    "Cookie": "session=secret",
    "X-Token": "secret",
    "Accept-Encoding": "br",
    "Range": "bytes=0-",
}
SECRETS = ("authorization", "cookie", "x-token")


async def test_every_kind_of_request_has_them(client: httpx.AsyncClient) -> None:
    async with scripted_server(by_path({"/live.m3u8": reply(BODY), "/1.ts": reply(BODY)})) as it:
        stream = StreamClient(client, HEADERS)
        await fetch_playlist(stream, it.url("/live.m3u8"))
        await fetch_segment(stream, it.url("/1.ts"), max_bytes=1000, total_timeout_sec=5)
        await fetch_playlist(client, it.url("/live.m3u8"))
    playlist, segment, of_another = it.requests
    for request in (playlist, segment):
        assert request.headers["user-agent"] == "Player/1"
        assert request.headers["referer"] == "https://site.example/"
        assert all(request.headers[name].endswith("secret") for name in SECRETS)
    assert not {*SECRETS, "referer"} & of_another.headers.keys()


async def test_what_a_request_needs_itself_comes_first(client: httpx.AsyncClient) -> None:
    async with scripted_server(by_path({"/1.ts": reply(BODY)})) as server:
        stream = StreamClient(client, HEADERS)
        await fetch_segment(
            stream, server.url("/1.ts"), byte_range=(2, 3), max_bytes=1000, total_timeout_sec=5
        )
    headers = server.requests[0].headers
    assert (headers["accept-encoding"], headers["range"]) == ("identity", "bytes=2-4")


async def test_other_hosts_that_a_playlist_names_get_them(client: httpx.AsyncClient) -> None:
    async with scripted_server(by_path({"/1.ts": reply(BODY)})) as server:
        stream = StreamClient(client, HEADERS)
        url = server.url("/1.ts", host="other.example")
        await fetch_segment(stream, url, max_bytes=1000, total_timeout_sec=5)
    assert all(server.requests[0].headers[name].endswith("secret") for name in SECRETS)


async def test_a_redirect_to_another_origin_leaves_credentials_behind(
    client: httpx.AsyncClient,
) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        is_home = request.headers["host"].startswith("origin.example")
        target = server.url("/live.m3u8", host="other.example")
        writer.write(reply(status=302, location=target) if is_home else reply(BODY))

    async with scripted_server(answer) as server:
        await fetch_playlist(StreamClient(client, HEADERS), server.url("/live.m3u8"))
    home, other = server.requests
    assert all(name in home.headers for name in SECRETS)
    assert not {"authorization", "cookie"} & other.headers.keys()
    assert other.headers["x-token"] == "secret"
    assert other.headers["referer"] == "https://site.example/"


@pytest.mark.parametrize(
    ("home", "url", "expected"),
    [
        ("https://a.example/live", "https://a.example/other?x", True),
        ("https://a.example/live", "https://A.EXAMPLE:443/x", True),
        ("http://a.example/live", "https://a.example/x", True),
        ("https://a.example/live", "http://a.example/x", False),
        ("https://a.example/live", "https://a.example:8443/x", False),
        ("http://a.example:81/live", "https://a.example/x", False),
        ("https://a.example/live", "https://cdn.a.example/x", False),
        ("https://a.example/live", "https://a.example.evil.example/x", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(home: str, url: str, expected: bool) -> None:
    assert is_same_origin(httpx.URL(home), httpx.URL(url)) is expected
