"""Whatever a server answers, a request ends in its result or a `FetchError`, soon and in little
memory. The bytes go through a real socket.
"""

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.outbound.client import media_client, webhook_client
from media.outbound.errors import FetchError
from media.outbound.fetching import fetch_playlist, fetch_segment
from media.outbound.guard import OutboundGuard
from media.outbound.posting import post_webhook
from media.outbound.stream_client import StreamClient
from tests.testkit.stand_ins import PUBLIC, Loopback, Names

MEBI = 1024 * 1024
MAX_BYTES = MEBI

DIGITS = st.integers(-1, 2**70).map(str) | st.sampled_from(["9" * 5000, "0x10", "1_0", "\u0661"])
URLS = st.sampled_from(
    [
        "/",
        "//",
        "https://xn--a/",
        "http://[",
        "http://[::1%25lo]/",
        "http://a:" + "9" * 5000,
        "http://user:pw@origin.example/",
        "?" + "x" * 3000,
        "http://\udc80/",
        "file:///etc/passwd",
        "http://\u2488.example/",
        "http://other.example/",
    ]
)
WORDS = st.sampled_from(
    ["chunked", "gzip", "deflate", "identity", "br", "close", "upgrade", "", ","]
)
RANGES = st.tuples(DIGITS, DIGITS, DIGITS).map("bytes {0[0]}-{0[1]}/{0[2]}".format)
COOKIES = st.lists(
    st.sampled_from(["a=1", "domain=.example", "path=/", "expires=Wed, 99 Zzz 9", "max-age="])
    | DIGITS.map("max-age={}".format)
).map("; ".join)
NAMES = st.sampled_from(
    [
        "content-length",
        "transfer-encoding",
        "content-encoding",
        "content-range",
        "location",
        "set-cookie",
        "retry-after",
        "connection",
        "x",
    ]
)
VALUES = st.one_of(DIGITS, URLS, WORDS, RANGES, COOKIES, st.text(max_size=20))
LINES = st.tuples(NAMES, VALUES).map("{0[0]}: {0[1]}\r\n".format)
STATUSES = st.sampled_from(
    [100, 101, 103, 200, 200, 200, 204, 206, 301, 302, 304, 407, 410, 500, 99, 999]
)
HEADS = st.tuples(STATUSES, st.lists(LINES, max_size=6)).map(
    lambda parts: f"HTTP/1.1 {parts[0]} X\r\n{''.join(parts[1])}\r\n".encode(
        errors="surrogateescape"
    )
)
CHUNKS = st.tuples(st.sampled_from(["%x", "%X;a=b", "0%x", "+%x", "%x ", "-%x"]), st.binary()).map(
    lambda parts: (parts[0] % len(parts[1])).encode() + b"\r\n" + parts[1] + b"\r\n"
)
BODIES = st.one_of(
    st.binary(),
    st.lists(CHUNKS, max_size=5).map(b"".join),
    st.lists(CHUNKS, max_size=5).map(lambda chunks: b"".join(chunks) + b"0\r\n\r\n"),
    st.binary().map(gzip.compress),
    st.binary().map(lambda body: gzip.compress(body)[:-5]),
)
ANSWERS = st.one_of(
    st.binary(),
    st.tuples(st.lists(HEADS, max_size=3).map(b"".join), HEADS, BODIES).map(b"".join),
)


class Lab:
    """A server that gives one answer to everybody, and the clients that ask it."""

    def __init__(self) -> None:
        self.answer = b""
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        listener = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self._stack.callback(listener.close)
        port = listener.sockets[0].getsockname()[1]
        self._url = f"http://origin.example:{port}/live.m3u8"
        guard = OutboundGuard(False, Names({"origin.example": [[PUBLIC]]}))
        enter = self._stack.enter_async_context
        self._media = await enter(media_client(guard, network=Loopback()))
        self._webhooks = await enter(webhook_client(guard, network=Loopback()))

    async def close(self) -> None:
        await self._stack.aclose()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.answer)
            await writer.drain()
        writer.close()

    async def ask(self) -> None:
        """Have everybody ask.

        Raises:
            Exception: anything but a `FetchError`.
        """
        stream = StreamClient(self._media)
        uses: list[Awaitable[object]] = [
            fetch_playlist(stream, self._url),
            fetch_segment(stream, self._url, max_bytes=MAX_BYTES),
            fetch_segment(stream, self._url, byte_range=(2, 3), max_bytes=MAX_BYTES),
            post_webhook(self._webhooks, self._url, body=b"{}", headers={}),
        ]
        # At once: a refused answer takes a second.
        for error in await asyncio.gather(*uses, return_exceptions=True):
            if isinstance(error, BaseException) and not isinstance(error, FetchError):
                raise error


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as opened:
        yield opened


@pytest.fixture
def lab(runner: asyncio.Runner) -> Iterator[Lab]:
    opened = Lab()
    runner.run(opened.open())
    yield opened
    runner.run(opened.close())


def test_any_answer_is_a_result_or_a_fetch_error(lab: Lab, runner: asyncio.Runner) -> None:
    @settings(max_examples=300, deadline=None)
    @given(answer=ANSWERS)
    def check(answer: bytes) -> None:
        lab.answer = answer
        runner.run(lab.ask())

    check()


OK = b"HTTP/1.1 200 X\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
REPEATED = {
    "header lines": (OK, b"a: b\r\n", b"\r\n"),
    "one header line": (OK + b"a: ", b"b", b"\r\n\r\n"),
    "folded lines": (OK + b"a: b\r\n", b" c\r\n", b"\r\n"),
    "cookies": (OK, b"set-cookie: a=b; expires=1-1-1-\r\n", b"content-length: 0\r\n\r\n"),
    "one cookie": (OK + b"set-cookie: ", b"a=b; ", b"\r\ncontent-length: 0\r\n\r\n"),
    "interim answers": (b"", b"HTTP/1.1 103 X\r\n\r\n", OK + b"content-length: 0\r\n\r\n"),
    "lengths": (OK + b"content-length: 1", b",1", b"\r\n\r\na"),
    "codings": (OK + b"transfer-encoding: chunked", b",chunked", b"\r\n\r\n"),
    "a location": (b"HTTP/1.1 302 X\r\nlocation: /", b"../x", b"\r\n\r\n"),
    "chunks": (CHUNKED, b"1\r\n#\r\n", b"0\r\n\r\n"),
    "one chunk's size": (CHUNKED, b"0", b"1\r\n#\r\n0\r\n\r\n"),
    "a chunk extension": (CHUNKED + b"1;", b"a=b;", b"\r\n#\r\n0\r\n\r\n"),
    "trailers": (CHUNKED + b"0\r\n", b"a: b\r\n", b"\r\n"),
    "blank lines": (b"", b"\r\n", OK + b"\r\n"),
    "zeroes, squeezed": (
        OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(bytes(50 * MEBI)),
        b"",
        b"",
    ),
    "empty squeezed blocks": (
        OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10],
        b"\x00\x00\x00\xff\xff",
        b"",
    ),
}


@pytest.mark.parametrize("parts", [pytest.param(each, id=name) for name, each in REPEATED.items()])
def test_a_megabyte_of_anything_costs_little(
    lab: Lab, runner: asyncio.Runner, parts: tuple[bytes, bytes, bytes]
) -> None:
    """What grows with the square of its size would take minutes, or gigabytes."""
    first, repeated, last = parts
    lab.answer = first + repeated * (MEBI // max(1, len(repeated))) + last
    tracemalloc.start()
    try:
        began = time.process_time()
        runner.run(lab.ask())
        took_sec = time.process_time() - began
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert took_sec < 10
    assert peak_bytes < 16 * MEBI
