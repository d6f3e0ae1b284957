"""Bodies of answers: never more than a caller allows, and few large ones at the same time."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from weakref import WeakKeyDictionary

import httpx

from media.outbound.errors import BadEncoding, TooLarge, Truncated

# 32 makes zlib recognize gzip and zlib headers by itself.
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32

_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


async def read_body(response: httpx.Response, *, max_bytes: int, compressed: bool) -> bytes:
    """Return the body of an answer that was opened with `stream=True`.

    Args:
        max_bytes: limit of the body as returned. Reading stops at the first byte beyond it,
            however well a compressed body inflates.
        compressed: whether gzip or deflate was offered.
    """
    status = response.status_code
    announced = _announced_bytes(response)
    if announced is not None and announced > max_bytes:
        raise TooLarge(status)
    body = await _read_chunks(response, _decoder(response, compressed), max_bytes)
    if announced is not None and response.num_bytes_downloaded < announced:
        raise Truncated(status)
    return body


async def _read_chunks(
    response: httpx.Response, decoder: "_Inflate | None", max_bytes: int
) -> bytes:
    status = response.status_code
    pieces: list[bytes] = []
    room = max_bytes
    try:
        # httpx's own decoding inflates a chunk at once: 64 KiB may become 64 MiB.
        async for chunk in response.aiter_raw():
            piece = decoder.feed(chunk, room + 1) if decoder else chunk
            room -= len(piece)
            if room < 0:
                raise TooLarge(status)
            pieces.append(piece)
    except httpx.ProtocolError:
        raise Truncated(status) from None
    except zlib.error:
        raise BadEncoding(status) from None
    if decoder and not decoder.complete:
        raise Truncated(status)
    return b"".join(pieces)


def _announced_bytes(response: httpx.Response) -> int | None:
    """Return Content-Length where it is the length of this very body."""
    # Beside Transfer-Encoding it means nothing, and with 304 it is the length that a 200 would have
    # had (RFC 9112 6.3, RFC 9110 8.6).
    headers = response.headers
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers or response.status_code == HTTPStatus.NOT_MODIFIED:
        return None
    return int(length) if _LENGTH.fullmatch(length) else None


class _Inflate:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
        self._empty = True

    @property
    def complete(self) -> bool:
        # Some servers label even an empty body as gzip.
        return self._empty or self._stream.eof

    def feed(self, chunk: bytes, most: int) -> bytes:
        """Return the next bytes of the body; more than `most` of them may be cut off."""
        self._empty = False
        piece = self._stream.decompress(chunk, most)
        if self._stream.unused_data:
            raise zlib.error("data after the end of the compressed stream")
        return piece


def _decoder(response: httpx.Response, compressed: bool) -> _Inflate | None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return None
    if compressed and encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflate()
    raise BadEncoding(response.status_code)


LARGE_AT_ONCE = 16
FAIR_SEC = 2.0  # so long a body may come, however many wait: 8 MiB at 32 Mbit/s


class LargeBodies:
    """The room of a process for large bodies, given in the order of arrival.

    A server that sends slowly, or stops in the middle, keeps no other stream waiting for long: a
    body that has been coming for `FAIR_SEC` gives way to one that waits.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(LARGE_AT_ONCE)
        self._waiting = 0
        self._coming: dict[asyncio.Timeout, float] = {}

    async def take(self) -> None:
        self._waiting += 1
        try:
            self._make_way()
            await self._free.acquire()
        finally:
            self._waiting -= 1

    def give_back(self) -> None:
        self._free.release()

    @asynccontextmanager
    async def coming(self) -> AsyncIterator[None]:
        """Stop what is done here, by TimeoutError, when it must give way."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as limit:
            self._coming[limit] = loop.time() + FAIR_SEC
            timer = loop.call_at(self._coming[limit], self._make_way)
            try:
                yield
            finally:
                timer.cancel()
                del self._coming[limit]

    def _make_way(self) -> None:
        """Stop as many bodies as there are waiting, the oldest first, of those that had time."""
        if not self._free.locked():
            return
        now = asyncio.get_running_loop().time()
        leaving = sum(limit.when() is not None for limit in self._coming)
        late = [it for it, until in self._coming.items() if until <= now and it.when() is None]
        for limit in late[: max(0, self._waiting - leaving)]:
            limit.reschedule(now)


class Room:
    """Room for one body, from before it comes until it is read."""

    def __init__(self, bodies: LargeBodies) -> None:
        self._bodies = bodies
        self.is_taken = False

    @asynccontextmanager
    async def filling(self) -> AsyncIterator[None]:
        """Wait for the room; while the context is open, the body comes."""
        await self._bodies.take()
        self.is_taken = True
        async with self._bodies.coming():
            yield


_bodies: WeakKeyDictionary[asyncio.AbstractEventLoop, LargeBodies] = WeakKeyDictionary()
"""A limit of the process, whichever streams its bodies belong to."""


@asynccontextmanager
async def room_for_large() -> AsyncIterator[Room]:
    """Keep the room that is taken until the context ends."""
    bodies = _bodies.setdefault(asyncio.get_running_loop(), LargeBodies())
    room = Room(bodies)
    try:
        yield room
    finally:
        if room.is_taken:
            bodies.give_back()
