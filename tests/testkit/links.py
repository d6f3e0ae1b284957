"""A network between two parts that can be cut without either of them being told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK_BYTES = 65_536


class Link:
    """Forwards TCP connections to a port of 127.0.0.1; `open_link` makes one.

    While it is cut, connections stay open and new ones are taken, but not a byte comes out at the
    other end, nor the news that one was closed. What was sent meanwhile arrives when it is mended,
    as TCP sends again what was lost.

    Attributes:
        port: where it listens.

    Args:
        port: where it leads to.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self._to = port
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._connections: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Swallow everything from now on."""
        self._is_whole.clear()

    def mend(self) -> None:
        """Forward again."""
        self._is_whole.set()

    async def listen(self) -> asyncio.Server:
        """Take connections."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def drop(self) -> None:
        """Close all connections."""
        for each in self._connections:
            each.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _take(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            await self._is_whole.wait()
            with suppress(OSError):  # either end may be killed
                await self._forward(near, back)
        except asyncio.CancelledError:
            pass  # the server's callback would report it as an error
        finally:
            back.close()
            self._connections.discard(task)

    async def _forward(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, forth = await asyncio.open_connection("127.0.0.1", self._to)
        pumps = [asyncio.ensure_future(self._pump(near, forth))]
        pumps.append(asyncio.ensure_future(self._pump(far, back)))
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            forth.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK_BYTES):
            await self._is_whole.wait()
            sink.write(data)
            await sink.drain()
        await self._is_whole.wait()


@asynccontextmanager
async def open_link(port: int) -> AsyncIterator[Link]:
    """Forward to `port` while the context is open."""
    link = Link(port)
    server = await link.listen()
    try:
        yield link
    finally:
        server.close()
        await link.drop()
