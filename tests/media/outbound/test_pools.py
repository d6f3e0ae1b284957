"""Connections are kept for each stream and origin by itself, and not for long."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpcore

from media.outbound.overhead import SocketOption
from media.outbound.pools import STREAM, PoolPerStream
from tests.testkit.stand_ins import Request, always, endlessly, reply, scripted_server

IDLE_SEC = 0.2


class WatchedStream(httpcore.AsyncNetworkStream):
    """Counts how often somebody asks whether an idle connection is still there."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, host: str, asked: Counter[str]) -> None:
        self._stream = stream
        self._host = host
        self._asked = asked

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> object:
        self._asked[self._host] += info == "is_readable"
        return self._stream.get_extra_info(info)


class WatchedNetwork(httpcore.AsyncNetworkBackend):
    """Leads every host to 127.0.0.1."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._sockets.connect_tcp("127.0.0.1", port, timeout)
        return WatchedStream(stream, host, self.asked)


@asynccontextmanager
async def pool(
    network: WatchedNetwork, *, idle_sec: float = 60.0, max_pools: int = 100
) -> AsyncIterator[PoolPerStream]:
    opened = PoolPerStream(
        lambda: httpcore.AsyncConnectionPool(network_backend=network),
        idle_sec=idle_sec,
        max_pools=max_pools,
    )
    async with opened:
        yield opened


async def test_a_request_looks_at_the_connections_of_its_own_origin_only() -> None:
    network = WatchedNetwork()
    async with scripted_server(always(reply(b"ok"))) as server, pool(network) as opened:
        for number in range(20):
            await opened.request("GET", server.url(host=f"host-{number}.example"))
        network.asked.clear()
        await opened.request("GET", server.url(host="host-7.example"))
        assert network.asked.keys() == {"host-7.example"}
        assert server.connections == 20


async def test_a_request_looks_at_the_connections_of_its_own_stream_only() -> None:
    network = WatchedNetwork()
    async with scripted_server(always(reply(b"ok"))) as server, pool(network) as opened:
        for number in range(5):
            await opened.request("GET", server.url(), extensions={STREAM: number})
        network.asked.clear()
        await opened.request("GET", server.url(), extensions={STREAM: 0})
        assert network.asked.total() <= 2
        assert server.connections == 5


async def test_connections_to_an_origin_that_nobody_asks_any_more_are_closed() -> None:
    async with (
        scripted_server(always(reply(b"ok"))) as server,
        pool(WatchedNetwork(), idle_sec=IDLE_SEC) as opened,
    ):
        await opened.request("GET", server.url(host="left.example"))
        async with asyncio.timeout(30):
            while len(opened.connections) != 1 or server.connections < 2:
                await asyncio.sleep(IDLE_SEC / 4)
                await opened.request("GET", server.url(host="asked.example"))


async def test_only_so_many_origins_are_remembered() -> None:
    async with (
        scripted_server(always(reply(b"ok"))) as server,
        pool(WatchedNetwork(), max_pools=5) as opened,
    ):
        for number in range(20):
            await opened.request("GET", server.url(host=f"host-{number}.example"))
        assert len(opened.connections) == 5


async def test_a_connection_at_work_is_not_closed_for_others() -> None:
    async with (
        scripted_server(_endless_or_short) as server,
        pool(WatchedNetwork(), max_pools=2) as opened,
    ):
        async with opened.stream("GET", server.url("/endless", host="slow.example")) as answer:
            chunks = answer.aiter_stream()
            for number in range(10):
                await opened.request("GET", server.url(host=f"host-{number}.example"))
            assert await anext(chunks)
        assert server.connections == 11


async def _endless_or_short(request: Request, writer: asyncio.StreamWriter) -> None:
    endless = endlessly(reply(content_length=""), b"x" * 1024)
    await (endless if request.path == "/endless" else always(reply(b"ok")))(request, writer)
