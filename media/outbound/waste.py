"""Bounds for what costs more time than it brings.

Each event of HTTP costs some 30 µs of Python, however little comes with it. So an origin that sends
one byte a chunk, or interim answers (1xx), pings and chunk extensions without end, keeps the event
loop busy with next to nothing, again and again.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable

import httpcore
import httpx

from media.outbound.errors import WastefulAnswer

FRUITLESS_BYTES = 64 * 1024
FRUITLESS_READS = 256
"""What may be read in a row without a head or a piece of a body coming out of it."""

FREE_PIECES = 1000
"""Some servers write a playlist line by line, a chunk each."""

LEAST_PIECE_BYTES = 128
"""On average, of the pieces of a longer body. A transport stream packet has 188."""

SMALL_PIECE_BYTES = 1024
PIECES_A_TURN = 64
TURN_SEC = 0.02
"""After so many pieces others have their turn; where the pieces are small, for so long that reading
them takes about a tenth of the event loop's time."""

SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


class ThriftyNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections that are given up when they bring nothing."""

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
        """Connect."""
        return ThriftyStream(
            await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        )

    async def sleep(self, seconds: float) -> None:
        """Sleep, for the retries of httpcore."""
        await self._network.sleep(seconds)


class ThriftyStream(httpcore.AsyncNetworkStream):
    """A connection; whoever reads answers from it says when it was fruitful."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._reads = self._bytes = 0

    def was_fruitful(self) -> None:
        """Note that a head, or a piece of a body, was read."""
        self._reads = self._bytes = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read.

        Raises:
            WastefulAnswer: too much was read since the connection was fruitful.
        """
        if self._reads >= FRUITLESS_READS or self._bytes >= FRUITLESS_BYTES:
            raise WastefulAnswer
        data = await self._stream.read(max_bytes, timeout)
        self._reads, self._bytes = self._reads + 1, self._bytes + len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Return the encrypted connection, bounded likewise."""
        return ThriftyStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        """Return what the connection knows."""
        return self._stream.get_extra_info(info)


class ThriftyBody(httpx.AsyncByteStream):
    """The body of an answer, whose pieces must be worth their time."""

    def __init__(self, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101
        self._body = response.stream
        self._connection = response.extensions.get("network_stream")
        self._was_fruitful()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the pieces.

        Raises:
            WastefulAnswer: they are too small.
        """
        pieces = size = 0
        async for piece in self._body:
            self._was_fruitful()
            yield piece
            pieces, size = pieces + 1, size + len(piece)
            if pieces > FREE_PIECES and size < pieces * LEAST_PIECE_BYTES:
                raise WastefulAnswer
            if pieces % PIECES_A_TURN == 0:
                await asyncio.sleep(TURN_SEC if size < pieces * SMALL_PIECE_BYTES else 0)

    async def aclose(self) -> None:
        """Close."""
        await self._body.aclose()

    def _was_fruitful(self) -> None:
        if isinstance(self._connection, ThriftyStream):
            self._connection.was_fruitful()
