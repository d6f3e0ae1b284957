"""What was skimmed is measured in full from the cache, while that has room for it."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from media.decoding.probe import Probe
from media.hls.playlist import Segment
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.watching import SegmentCache, SegmentProber
from monitors.frames import DecodeDepth, Motion
from monitors.measurement import ProbeContext, SegmentMeasurement
from simulator.origin import LOWEST, Programme, render
from tests.testkit.engines import opened
from tests.testkit.stand_ins import ScriptedServer, always, reply, scripted_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

NORMAL = render(Programme.of([("normal", 2.0)], LOWEST)).segments[0].data
STILL = render(Programme.of([("frozen", 2.0)], LOWEST)).segments[0].data


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe() -> AsyncIterator[Probe]:
    async with opened(with_loudness=False) as opened_probe:
        yield opened_probe


@pytest_asyncio.fixture(loop_scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with media_client(OutboundGuard(allow_private_networks=True)) as opened_client:
        yield opened_client


async def measure(
    prober: SegmentProber, server: ScriptedServer, depth: DecodeDepth
) -> SegmentMeasurement:
    segment = Segment(
        uri=server.url("/segment.ts", "127.0.0.1"),
        sequence=1,
        duration_sec=2.0,
        discontinuity_sequence=0,
    )
    return await prober.measure(
        segment, target_duration_sec=2.0, silence_db=-50, context=ProbeContext(depth=depth)
    )


@pytest.mark.parametrize("depth", [DecodeDepth.KEYFRAME, DecodeDepth.MOVEMENT])
async def test_a_skimmed_segment_is_not_fetched_again(
    client: httpx.AsyncClient, probe: Probe, depth: DecodeDepth
) -> None:
    async with scripted_server(always(reply(NORMAL))) as server:
        prober = SegmentProber(client, probe, segment_max_bytes=1 << 20)
        skimmed = await measure(prober, server, depth)
        assert skimmed.is_skimmed
        in_full = await prober.measure_again(skimmed)
        assert len(server.requests) == 1
    assert in_full is not None
    assert (in_full.is_skimmed, in_full.keyframe) == (False, skimmed.keyframe)


async def test_static_video_is_measured_once(client: httpx.AsyncClient, probe: Probe) -> None:
    async with scripted_server(always(reply(STILL))) as server:
        prober = SegmentProber(client, probe, segment_max_bytes=1 << 20)
        static = await measure(prober, server, DecodeDepth.MOVEMENT)
        assert (static.motion, static.is_skimmed, static.cached) == (Motion.STATIC, False, None)
        assert static.still
        assert await prober.measure_again(static) is static


async def test_a_segment_that_the_cache_has_lost_cannot_be_measured(
    client: httpx.AsyncClient, probe: Probe
) -> None:
    async with scripted_server(always(reply(NORMAL))) as server:
        cache = SegmentCache(most_bytes=len(NORMAL))
        prober = SegmentProber(client, probe, segment_max_bytes=1 << 20, cache=cache)
        first = await measure(prober, server, DecodeDepth.KEYFRAME)
        second = await measure(prober, server, DecodeDepth.KEYFRAME)
    assert await prober.measure_again(first) is None
    assert await prober.measure_again(second) is not None


async def test_the_cache_lets_the_oldest_go() -> None:
    cache = SegmentCache(most_bytes=10)
    held = [cache.put(media) for media in (b"12345", b"67890", b"abc")]
    assert [each.media for each in held] == [None, b"67890", b"abc"]
    assert cache.held_bytes == 8


async def test_a_stream_of_large_segments_leaves_those_of_others() -> None:
    cache = SegmentCache(most_bytes=64)
    usual = [cache.put(b"1234") for _ in range(8)]
    large = [cache.put(bytes(size)) for size in (20, 40, 64, 99)]
    assert [each.media for each in usual] == [b"1234"] * 8
    assert not any(each.media for each in large)


async def test_the_cache_keeps_only_what_somebody_holds() -> None:
    cache = SegmentCache(most_bytes=10)
    held = cache.put(b"12345")
    cache.put(b"67890")
    assert cache.held_bytes == 5
    del held
    assert cache.held_bytes == 0


async def test_there_is_room_for_more_until_a_quarter_is_left() -> None:
    cache = SegmentCache(most_bytes=12)
    held = [cache.put(b"12345678")]
    assert cache.has_room()
    held.append(cache.put(b"9"))
    assert not cache.has_room()
