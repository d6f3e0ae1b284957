"""Limits for answers whose handling costs more than they carry.

Each HTTP event costs about 30 µs of Python, however few bytes come with it. An origin that sends
chunks of one byte, or interim answers (1xx), pings or chunk extensions without end, can keep the
event loop busy that way until the request times out, again and again.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from typing import NoReturn

import httpcore
import httpx

from media.outbound.errors import ExcessiveOverhead

MAX_BYTES_WITHOUT_PROGRESS = 64 * 1024
MAX_READS_WITHOUT_PROGRESS = 256  # in a row, without completing a head or a chunk of a body
FREE_CHUNKS = 1000  # some servers write a playlist line by line, one chunk per line
MIN_AVERAGE_BYTES = 128  # a chunk, beyond `FREE_CHUNKS`; a transport stream packet has 188
SMALL_CHUNK_BYTES = 1024
CHUNKS_PER_PAUSE = 64
PAUSE_SEC = 0.02
"""Chunks that are small on average are read with pauses: they take a tenth of the event loop's time
at most. Other bodies only let other tasks run."""

PENALTY_SEC = 1.0  # the same request may be made again at once, 30 ms of CPU each time
SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


class MeteredNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections whose reads are limited while they make no progress."""

    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return MeteredStream(
            await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        )

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class MeteredStream(httpcore.AsyncNetworkStream):
    """A connection that counts what it reads between two calls of `note_progress`."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._reads = self._bytes = 0

    def note_progress(self) -> None:
        """A head, or a chunk of a body, is complete."""
        self._reads = self._bytes = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._reads >= MAX_READS_WITHOUT_PROGRESS or self._bytes >= MAX_BYTES_WITHOUT_PROGRESS:
            await _refuse()
        data = await self._stream.read(max_bytes, timeout)
        self._reads, self._bytes = self._reads + 1, self._bytes + len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return MeteredStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


class MeteredBody(httpx.AsyncByteStream):
    """The body of an answer, whose chunks must not be too small on average."""

    def __init__(self, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101
        self._body = response.stream
        self._connection = response.extensions.get("network_stream")
        self._note_progress()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = size = 0
        async for chunk in self._body:
            self._note_progress()
            yield chunk
            count, size = count + 1, size + len(chunk)
            if count > FREE_CHUNKS and size < count * MIN_AVERAGE_BYTES:
                await _refuse()
            if count % CHUNKS_PER_PAUSE == 0:
                await asyncio.sleep(PAUSE_SEC if size < count * SMALL_CHUNK_BYTES else 0)

    async def aclose(self) -> None:
        await self._body.aclose()

    def _note_progress(self) -> None:
        if isinstance(self._connection, MeteredStream):
            self._connection.note_progress()


async def _refuse() -> NoReturn:
    await asyncio.sleep(PENALTY_SEC)
    raise ExcessiveOverhead
