"""The segments of all streams together take no more memory than there is for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.decoding.decode_slots import DecodeUsage
from media.hls.playlist import Segment
from media.outbound.client import media_client
from media.outbound.errors import TooLarge
from media.outbound.guard import OutboundGuard
from media.watching.segment_fetcher import FIRST_EXPECTED_BYTES
from media.watching.segment_memory import MemoryBudget
from media.watching.segment_prober import SegmentProber
from monitors.measurement import ProbeContext, SegmentMeasurement

MEBI = 1024 * 1024
LARGEST = 8 * MEBI


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.booleans()), max_size=40),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_whatever_is_asked_for_the_budget_holds_and_everybody_gets_his_turn(
    wanted: list[tuple[int, int, bool]], chance: Random
) -> None:
    async def play() -> None:
        budget, most = MemoryBudget(1000), 0

        async def hold(size: int, kept: int, is_cancelled: bool) -> None:
            nonlocal most
            async with asyncio.timeout(0 if is_cancelled else None), budget.reserved(size) as room:
                most = max(most, budget.reserved_bytes)
                await asyncio.sleep(0)
                room.shrink(min(kept, size))
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)

        done = await asyncio.gather(*(hold(*one) for one in wanted), return_exceptions=True)
        assert all(isinstance(one, TimeoutError | None) for one in done)
        assert most <= 1000
        assert budget.reserved_bytes == 0

    asyncio.run(play())


async def test_who_came_first_is_served_first_even_when_a_smaller_one_would_fit() -> None:
    budget, order = MemoryBudget(1000), list[str]()

    async def hold(name: str, size: int) -> None:
        async with budget.reserved(size):
            order.append(name)

    async with budget.reserved(500), AsyncExitStack() as held:
        for _ in range(16):
            await held.enter_async_context(budget.reserved(30))
        waiting = [asyncio.create_task(hold(name, size)) for name, size in (("a", 31), ("b", 5))]
        await asyncio.sleep(0)
        assert order == []
    await asyncio.gather(*waiting)
    assert order == ["a", "b"]


async def test_large_ones_leave_half_of_the_room_to_the_others() -> None:
    budget = MemoryBudget(1000)
    async with budget.reserved(500):
        large = asyncio.create_task(budget.reserved(400).__aenter__())
        async with asyncio.timeout(10), AsyncExitStack() as usual:
            for _ in range(16):
                await usual.enter_async_context(budget.reserved(31))
        assert not large.done()
        large.cancel()
    with pytest.raises(asyncio.CancelledError):
        await large
    assert budget.reserved_bytes == 0


async def test_what_can_never_be_had_is_refused() -> None:
    with pytest.raises(ValueError, match="more than half"):
        async with MemoryBudget(1000).reserved(501):
            pass


class Weighing:
    """A probe that keeps what it is given until it is let go.

    Attributes:
        held: bytes that it has now.
    """

    def __init__(self) -> None:
        self.held = self.most = self.measured = 0
        self.may_go = asyncio.Event()

    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        usage: DecodeUsage | None = None,
        context: ProbeContext | None = None,
    ) -> SegmentMeasurement:
        self.held += len(segment)
        self.most = max(self.most, self.held)
        await self.may_go.wait()
        self.held -= len(segment)
        self.measured += 1
        return SegmentMeasurement.model_construct(
            size_bytes=len(segment), duration_sec=duration_sec
        )

    async def close(self) -> None:
        """It holds nothing that is to be closed."""


@asynccontextmanager
async def origin(requests: list[str]) -> AsyncIterator[str]:
    """Serve `/SIZE/...` with so many bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        requests.append(path)
        size = int(path.split("/")[1])
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % size)
        try:
            writer.write(bytes(size))
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with media_client(OutboundGuard(allow_private_networks=True)) as client:
        yield client


async def measured(prober: SegmentProber, url: str) -> SegmentMeasurement:
    return await prober.measure(
        Segment(uri=url, sequence=1, duration_sec=2.0), target_duration_sec=2.0, silence_db=-50
    )


async def test_streams_wait_with_fetching_while_the_memory_is_used_up(
    client: httpx.AsyncClient,
) -> None:
    requests: list[str] = []
    budget, probe = MemoryBudget(2 * LARGEST), Weighing()
    async with origin(requests) as url, asyncio.timeout(60):
        streams = [
            asyncio.create_task(
                measured(
                    SegmentProber(client, probe, segment_max_bytes=LARGEST, memory=budget),
                    f"{url}/{2 * MEBI}/{number}",
                )
            )
            for number in range(30)
        ]
        while probe.held + FIRST_EXPECTED_BYTES <= LARGEST:
            await asyncio.sleep(0.01)
        assert len(requests) < 30
        assert budget.reserved_bytes <= 2 * LARGEST
        probe.may_go.set()
        await asyncio.gather(*streams)
    assert probe.measured == 30
    assert probe.most <= 2 * LARGEST
    assert budget.reserved_bytes == 0


async def test_a_segment_larger_than_expected_is_fetched_with_more_room(
    client: httpx.AsyncClient,
) -> None:
    requests: list[str] = []
    probe = Weighing()
    probe.may_go.set()
    prober = SegmentProber(client, probe, segment_max_bytes=LARGEST)
    async with origin(requests) as url:
        size = FIRST_EXPECTED_BYTES + 1
        for name in ("first", "second"):
            assert (await measured(prober, f"{url}/{size}/{name}")).size_bytes == size
        with pytest.raises(TooLarge):
            await measured(prober, f"{url}/{LARGEST + 1}/third")
    assert [path.split("/")[2] for path in requests] == ["first", "first", "second", "third"]
