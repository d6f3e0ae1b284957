"""What clients send, how long they take and how many there are is bounded."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.http_limits import MAX_OVERHEAD_BYTES, Timeouts, http_config
from runtime.serving import serve_in_background
from tests.testkit.ports import free_port

LOCAL = "127.0.0.1"
SOON = Timeouts(head_sec=0.3, body_sec=0.3, unread_sec=0.3)
LATE = Timeouts(head_sec=60, body_sec=60, unread_sec=60)
GET = b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: gateway\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE_BYTES = 32 * 1024 * 1024
END_SEC = 20
"""Far more than any of this takes; it only keeps a test from hanging."""


class Client:
    """A connection that sends what a test wants."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def flood(self, data: bytes, most: int) -> int:
        """Send `data` over and over until the server has enough; return how much it took."""
        sent = 0
        try:
            while sent < most:
                await self.send(data)
                sent += len(data)
        except ConnectionError:
            pass
        return sent

    async def answer(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head + await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Return what comes until the server closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), END_SEC)
        except ConnectionError:
            return b""

    def is_open(self) -> bool:
        return not self.reader.at_eof() and self.reader.exception() is None


class Served:
    """An application behind the limits."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.clients: list[Client] = []

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection(LOCAL, self.port))
        self.clients.append(client)
        return client


async def _answer(request: Request) -> Response:
    body = await request.body()
    return PlainTextResponse(f"{len(body)} bytes")


async def _large(request: Request) -> Response:
    return PlainTextResponse(b"x" * LARGE_BYTES)


@asynccontextmanager
async def served(timeouts: Timeouts, connections: int = 10) -> AsyncIterator[Served]:
    routes = [Route("/", _answer, methods=["GET", "POST"]), Route("/large", _large)]
    port = free_port()
    config = http_config(
        Starlette(routes=routes),
        LOCAL,
        port,
        connections=connections,
        timeouts=timeouts,
        timeout_graceful_shutdown=1,
    )
    async with serve_in_background(config):
        site = Served(port)
        try:
            yield site
        finally:
            for client in site.clients:
                client.writer.close()


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"", id="nothing but new lines"),
        pytest.param(b"GET /", id="a path"),
        pytest.param(b"GET / HTTP/1.1\r\nA: ", id="a header"),
        pytest.param(CHUNKED + b"0\r\nA: ", id="a trailer"),
        pytest.param(CHUNKED + b"1;a=", id="a chunk extension"),
    ],
)
async def test_a_message_without_end_is_refused(beginning: bytes) -> None:
    async with served(LATE) as site:
        client = await site.connect()
        await client.send(beginning)
        taken = await client.flood((b"\r\n" if not beginning else b"xx") * 4096, LARGE_BYTES)
    assert taken < LARGE_BYTES


async def test_many_small_trailers_are_as_much_as_one_large_one() -> None:
    async with served(LATE) as site:
        client = await site.connect()
        await client.send(CHUNKED + b"0\r\n")
        assert await client.flood(b"A: b\r\n" * 1000, LARGE_BYTES) < LARGE_BYTES


async def test_a_body_is_no_overhead() -> None:
    size = 4 * MAX_OVERHEAD_BYTES
    async with served(LATE) as site:
        client = await site.connect()
        await client.send(CHUNKED + b"%x\r\n" % size + b"x" * size + b"\r\n0\r\nA: b\r\n\r\n")
        assert (await client.answer()).endswith(b"%d bytes" % size)
        await client.send(GET)
        assert (await client.answer()).endswith(b"0 bytes")


async def test_what_is_no_http_gets_an_error_of_the_api() -> None:
    async with served(LATE) as site:
        client = await site.connect()
        await client.send(b"\x16\x03\x01 hello\r\n\r\n")
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "VALIDATION_ERROR"


async def test_requests_that_wait_for_their_turn_are_few() -> None:
    async with served(LATE) as site:
        client = await site.connect()
        await client.send(GET * 1000)
        assert (await client.rest()).count(b"HTTP/1.1 200") < 100


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"\r\n", b"", id="a new line"),
        pytest.param(b"GET / HTT", b"408", id="half a head"),
        pytest.param(CHUNKED, b"408", id="no body"),
        pytest.param(CHUNKED + b"5\r\nab", b"408", id="half a body"),
        pytest.param(CHUNKED + b"0\r\nA: b\r\n", b"408", id="half a trailer"),
        pytest.param(GET + b"\r\n", b"200", id="a new line after an answer"),
        pytest.param(GET + b"GET / HTT", b"200", id="half a head after an answer"),
    ],
)
async def test_a_client_that_falls_silent_is_left(sent: bytes, status: bytes) -> None:
    async with served(SOON) as site:
        client = await site.connect()
        await client.send(sent)
        heard = await client.rest()
    assert heard[9:12] == status


async def test_a_client_that_does_not_read_is_left() -> None:
    async with served(SOON) as site:
        client = await site.connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.send(b"GET /large HTTP/1.1\r\nHost: gateway\r\n\r\n")
        await _until_aborted(client)


async def _until_aborted(client: Client) -> None:
    """Wait until the server has left, without reading what it sent."""
    async with asyncio.timeout(END_SEC):
        while True:
            try:
                await client.send(b"\r\n")
            except ConnectionError:
                return
            await asyncio.sleep(0.05)


async def test_silent_connections_make_room_for_one_that_speaks() -> None:
    async with served(LATE, connections=5) as site:
        silent = [await site.connect() for _ in range(20)]
        client = await site.connect()
        await client.send(GET)
        assert (await client.answer()).endswith(b"0 bytes")
        left = [each for each in silent if each.is_open()]
    assert len(left) == 4


async def test_a_connection_that_was_answered_outlives_those_that_never_spoke() -> None:
    async with served(LATE, connections=5) as site:
        known = await site.connect()
        await known.send(GET)
        await known.answer()
        for _ in range(20):
            await site.connect()
        await known.send(GET)
        assert (await known.answer()).endswith(b"0 bytes")
