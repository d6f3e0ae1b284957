"""Cookies of a stream: set by one answer, carried by the next request, seen by no other stream."""

import asyncio
import pickle
import time
from collections.abc import AsyncIterator
from ipaddress import ip_address

import httpx
import pytest

from media.outbound.addresses import IPAddress
from media.outbound.client import media_client
from media.outbound.fetching import fetch_playlist, fetch_segment
from media.outbound.guard import OutboundGuard
from media.outbound.stream_client import MAX_BYTES, MAX_COOKIES, StreamClient, StreamCookies
from tests.testkit.stand_ins import (
    BODY,
    PUBLIC,
    Answer,
    Loopback,
    Request,
    always,
    reply,
    scripted_server,
)

HOME = "http://origin.example/"


@pytest.fixture
async def shared(guard: OutboundGuard, network: Loopback) -> AsyncIterator[httpx.AsyncClient]:
    async with media_client(guard, network=network) as opened:
        yield opened


def setting(*cookies: str) -> bytes:
    lines = "".join(f"set-cookie: {cookie}\r\n" for cookie in cookies)
    return reply(BODY).replace(b"\r\n", f"\r\n{lines}".encode(), 1)


def in_turn(*answers: bytes) -> Answer:
    """Give these answers, then none that sets a cookie."""
    left = iter(answers)

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(next(left, reply(BODY)))

    return write


def at_first(answer: bytes) -> Answer:
    """Set cookies with the first answer alone."""
    return in_turn(answer)


async def test_the_next_request_of_a_stream_carries_its_cookies(shared: httpx.AsyncClient) -> None:
    stream, other = StreamClient(shared), StreamClient(shared)
    async with scripted_server(
        at_first(setting("session=7; Path=/live", "all=1; Path=/"))
    ) as server:
        await fetch_playlist(stream, server.url("/live/master.m3u8"))
        await fetch_segment(stream, server.url("/live/1.ts"), max_bytes=1000)
        await fetch_segment(stream, server.url("/key"), max_bytes=1000)
        await fetch_playlist(other, server.url("/live/master.m3u8"))
        await fetch_playlist(shared, server.url("/live/master.m3u8"))
    carried = [request.headers.get("cookie") for request in server.requests]
    assert carried == [None, "session=7; all=1", "all=1", None, None]
    assert server.connections == 3  # one for each stream, and one for requests of no stream


async def test_a_cookie_that_a_user_gave_stands_beside_them(shared: httpx.AsyncClient) -> None:
    async with scripted_server(at_first(setting("session=7"))) as server:
        stream = StreamClient(shared, {"Cookie": "given=1"})
        for _ in range(2):
            await fetch_playlist(stream, server.url())
    carried = [request.headers.get("cookie") for request in server.requests]
    assert carried == ["given=1", "given=1; session=7"]


async def test_a_cookie_of_a_redirect_counts(shared: httpx.AsyncClient) -> None:
    redirect = reply(status=302, location="/b", set_cookie="session=7")
    async with scripted_server(at_first(redirect)) as server:
        await fetch_playlist(StreamClient(shared), server.url("/a"))
    assert [request.headers.get("cookie") for request in server.requests] == [None, "session=7"]


@pytest.mark.parametrize(
    ("host", "cookie", "other", "is_sent"),
    [
        ("origin.example", "a=1", "origin.example", True),
        ("origin.example", "a=1", "other.example", False),
        ("a.cdn.example", "a=1; Domain=cdn.example", "b.cdn.example", True),
        ("a.cdn.example", "a=1", "b.cdn.example", False),
        ("a.cdn.example", "a=1; Domain=origin.example", "origin.example", False),
        ("origin.example", "a=1; Domain=example", "other.example", False),
        ("a.co.uk", "a=1; Domain=co.uk", "b.co.uk", False),
        ("origin.example", "a=1; Max-Age=0", "origin.example", False),
        ("origin.example", "a=1; Secure", "origin.example", False),
    ],
)
async def test_a_cookie_goes_where_it_belongs(
    network: Loopback, host: str, cookie: str, other: str, is_sent: bool
) -> None:
    async def resolve(host: str, port: int) -> list[IPAddress]:
        return [ip_address(PUBLIC)]

    guard = OutboundGuard(False, resolve)
    async with (
        media_client(guard, network=network) as shared,
        scripted_server(at_first(setting(cookie))) as server,
    ):
        stream = StreamClient(shared)
        await fetch_playlist(stream, server.url(host=host))
        await fetch_playlist(stream, server.url(host=other))
    assert ("cookie" in server.requests[1].headers) is is_sent


async def test_the_oldest_of_too_many_cookies_are_forgotten(shared: httpx.AsyncClient) -> None:
    stream = StreamClient(shared)
    for number in range(2 * MAX_COOKIES):
        async with scripted_server(always(setting(f"n{number}=1"))) as server:
            await fetch_playlist(stream, server.url())
    async with scripted_server(always(setting("big=" + "x" * (MAX_BYTES - 100)))) as server:
        await fetch_playlist(stream, server.url())
        await fetch_playlist(stream, server.url())
    carried = server.requests[1].headers["cookie"].split("; ")
    assert carried[-1].startswith("big=x")
    assert f"n{2 * MAX_COOKIES - 1}=1" in carried
    assert len(carried) < MAX_COOKIES
    assert sum(map(len, carried)) <= MAX_BYTES + len(carried)


async def test_cookies_that_are_gone_take_no_room(shared: httpx.AsyncClient) -> None:
    stream = StreamClient(shared)
    answers = [setting("session=keep; Path=/")]
    for number in range(MAX_COOKIES + 10):
        answers.append(setting(f"n{number}=1; Path=/; Max-Age=100"))
        answers.append(setting(f"n{number}=; Path=/; Max-Age=0"))
    async with scripted_server(in_turn(*answers)) as server:
        for _ in range(len(answers) + 1):
            await fetch_playlist(stream, server.url())
    assert server.requests[-1].headers["cookie"] == "session=keep"


@pytest.mark.parametrize(
    "attribute", ["Path=/{0}{1}", "Comment={0}{1}", "x{1}={0}"], ids=["path", "comment", "other"]
)
def test_all_that_a_cookie_says_takes_room(attribute: str) -> None:
    jar = StreamCookies()
    cookies = httpx.Cookies(jar)
    long = "p" * (MAX_BYTES // 4)
    for number in range(MAX_COOKIES):
        url = f"{HOME}{long}{number}/x"
        cookie = f"n{number}=v; {attribute.format(long, number)}"
        request = httpx.Request("GET", url)
        cookies.extract_cookies(
            httpx.Response(200, headers=[("set-cookie", cookie)], request=request)
        )
    assert 1 <= len(jar) <= 4
    assert len(pickle.dumps(jar._cookies)) < 2 * MAX_BYTES  # type: ignore[attr-defined]


HOSTILE = {
    "too much": ["a=" + "x" * 4000] * 10,
    "a date of blanks": ["a=1; expires=1" + " " * 15_000 + "x"],
    "a date of digits": ["a=1; expires=" + "1-" * 7_000],
    "an age of many digits": ["a=1; max-age=" + "9" * 5_000],
    "a version": ["a=1; version=" + "9" * 5_000],
    "quotes": ['a="' + '\\"' * 7_000],
    "many": ["a"] * 4_000,
    "semicolons": [";" * 15_000],
    "no text": ["a=\xff\xfe; domain=\xff"],
}


@pytest.mark.parametrize("cookies", [pytest.param(each, id=name) for name, each in HOSTILE.items()])
async def test_what_is_no_cookie_costs_nothing(
    shared: httpx.AsyncClient, cookies: list[str]
) -> None:
    stream = StreamClient(shared)
    began = time.process_time()
    async with scripted_server(always(setting(*cookies))) as server:
        for _ in range(2):
            assert (await fetch_playlist(stream, server.url())).text
    assert time.process_time() - began < 5
