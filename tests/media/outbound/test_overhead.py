"""Answers with excessive overhead are given up; the small chunks of live origins are not."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from media.outbound.client import webhook_client
from media.outbound.errors import FetchError
from media.outbound.fetching import fetch_playlist, fetch_segment
from media.outbound.guard import OutboundGuard
from media.outbound.posting import post_webhook
from tests.testkit.stand_ins import (
    Answer,
    Loopback,
    Request,
    always,
    endlessly,
    reply,
    scripted_server,
)

CHUNKED = b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n"
MAX_BYTES = 1024 * 1024


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def whole(*pieces: bytes) -> bytes:
    return CHUNKED + chunked(*pieces) + b"0\r\n\r\n"


EARLY = b"HTTP/1.1 103 X\r\nlink: </a>\r\n\r\n"
EXCESSIVE: dict[str, Answer] = {
    "chunks of one byte": endlessly(CHUNKED, chunked(*1000 * [b"#"])),
    "chunks of 100 bytes": endlessly(CHUNKED, chunked(*100 * [bytes(100)])),
    "interim answers without end": endlessly(b"", 1000 * EARLY),
    "a head without end": endlessly(b"HTTP/1.1 200 X\r\n", 1000 * b"a: b\r\n"),
    "a head line without end": endlessly(
        b"HTTP/1.1 200 X\r\na: ", bytes(1000).replace(b"\0", b"b")
    ),
    "a chunk extension without end": endlessly(CHUNKED + b"5;", 1000 * b"b"),
    "trailers without end": endlessly(CHUNKED + b"0\r\n", 1000 * b"a: b\r\n"),
}


@pytest.fixture
async def poster(guard: OutboundGuard, network: Loopback) -> AsyncIterator[httpx.AsyncClient]:
    async with webhook_client(guard, network=network) as opened:
        yield opened


async def test_excessive_overhead_is_given_up(client: httpx.AsyncClient) -> None:
    """Long before the time limit, which would be a `FetchTimeout`."""

    async def fetch(answer: Answer) -> str:
        async with scripted_server(answer) as server:
            with pytest.raises(FetchError) as caught:
                await fetch_segment(
                    client, server.url(), max_bytes=100 * MAX_BYTES, total_timeout_sec=60
                )
        return caught.value.code

    codes = await asyncio.gather(*map(fetch, EXCESSIVE.values()))
    found = dict(zip(EXCESSIVE, codes, strict=True))
    # h11 has a limit of its own for what it cannot make out yet.
    assert found.pop("trailers without end") in {"excessive_overhead", "truncated"}
    assert set(found.values()) == {"excessive_overhead"}, found


async def test_so_is_that_of_a_receiver(poster: httpx.AsyncClient) -> None:
    """Where there is a status it counts, whatever comes after it."""

    async def post(answer: Answer) -> int | str:
        async with scripted_server(answer) as server:
            try:
                posted = await post_webhook(
                    poster, server.url(), body=b"{}", headers={}, total_timeout_sec=60
                )
            except FetchError as error:
                return error.code
            return posted.status

    async with asyncio.timeout(60):
        outcomes = await asyncio.gather(*map(post, EXCESSIVE.values()))
    found = dict(zip(EXCESSIVE, outcomes, strict=True))
    heads = {name: found.pop(name) for name in list(found) if "head" in name or "interim" in name}
    assert set(heads.values()) == {"excessive_overhead"}
    assert set(found.values()) == {200}


async def drips(request: Request, writer: asyncio.StreamWriter) -> None:
    """Send a head of many lines and a body, a little at a time."""
    lines = [b"HTTP/1.1 200 X\r\n", *100 * [b"a: b\r\n"], b"content-length: 100\r\n\r\n"]
    for part in [*lines, *100 * [b"#"]]:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)


PIECES = {
    "a playlist line by line": 900 * [b"#EXT-X-PROGRAM-DATE-TIME:2026\n"],
    "transport stream packets": 4000 * [bytes(188)],
    "a few hundred bytes": 2000 * [bytes(300)],
    "large pieces": 10 * [bytes(60_000)],
    "small ones behind large ones": [bytes(500_000), *2000 * [b"#"]],
}


@pytest.mark.parametrize("pieces", [pytest.param(each, id=name) for name, each in PIECES.items()])
async def test_small_pieces_of_a_live_origin_are_taken(
    client: httpx.AsyncClient, pieces: list[bytes]
) -> None:
    async with scripted_server(always(whole(*pieces))) as server:
        for _ in range(2):
            body = await fetch_segment(client, server.url(), max_bytes=MAX_BYTES)
            assert body == b"".join(pieces)
    assert server.connections == 1


async def test_a_few_interim_answers_and_a_slow_head_are_taken(client: httpx.AsyncClient) -> None:
    async with scripted_server(always(20 * EARLY + reply(b"#EXTM3U"))) as server:
        for _ in range(3):
            assert (await fetch_playlist(client, server.url())).text == "#EXTM3U"
    async with scripted_server(drips) as server:
        assert len(await fetch_segment(client, server.url(), max_bytes=MAX_BYTES)) == 100
