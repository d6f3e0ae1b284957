"""What was skimmed is measured from memory, or fetched again, and nothing else in its place."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from media.decoding import Probe
from media.hls.playlist import Segment
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.watching import SegmentCache, SegmentProber
from media.watching.segment_cache import KEPT_FOR_SEC, name_of
from monitors.frames import PICTURE_HEIGHT, PICTURE_WIDTH
from monitors.measurement import Glance, Interval, SegmentMeasurement, StillRun
from monitors.motion import Depth, Motion
from simulator.origin import LOWEST, Programme, render
from tests.media.decoding.engines import opened
from tests.testkit.stand_ins import ScriptedServer, always, reply, scripted_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

NORMAL = render(Programme.of([("normal", 2.0)], LOWEST)).segments[0].data
STILL = render(Programme.of([("frozen", 2.0)], LOWEST)).segments[0].data
BLACK = render(Programme.of([("black", 2.0)], LOWEST)).segments[0].data


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe() -> AsyncIterator[Probe]:
    async with opened(with_loudness=False) as opened_probe:
        yield opened_probe


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server(always(reply(NORMAL))) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with media_client(OutboundGuard(allow_private_networks=True)) as opened_client:
        yield opened_client


def meter_of(
    client: httpx.AsyncClient, probe: Probe, recent: SegmentCache | None = None
) -> SegmentProber:
    return SegmentProber(client, probe, segment_max_bytes=1 << 20, recent=recent)


def segment_at(server: ScriptedServer) -> Segment:
    return Segment(
        uri=server.url("/segment.ts", "127.0.0.1"),
        sequence=1,
        duration_sec=2.0,
        discontinuity_sequence=0,
    )


async def test_a_kept_segment_is_not_fetched_again(
    client: httpx.AsyncClient, probe: Probe, server: ScriptedServer
) -> None:
    meter, segment = meter_of(client, probe), segment_at(server)
    skimmed = await meter.measure(
        segment, target_duration_sec=2.0, silence_db=-50, glance=Glance(depth=Depth.MOVEMENT)
    )
    assert skimmed.is_skimmed
    assert skimmed.digest == name_of(NORMAL)
    measured = await meter.look_back(skimmed.digest, segment, 2.0)
    assert measured is not None
    assert not measured.is_skimmed
    assert len(server.requests) == 1


async def test_one_that_is_not_kept_is_fetched_again(
    client: httpx.AsyncClient, probe: Probe, server: ScriptedServer
) -> None:
    measured = await meter_of(client, probe).look_back(name_of(NORMAL), segment_at(server), 2.0)
    assert measured is not None
    assert len(server.requests) == 1


async def test_one_that_was_measured_for_nothing_is_not_measured_again(
    client: httpx.AsyncClient, probe: Probe
) -> None:
    async with scripted_server(always(reply(STILL))) as server:
        meter, segment = meter_of(client, probe), segment_at(server)
        first = await meter.measure(segment, target_duration_sec=2.0, silence_db=-50)
        assert first.landmark
        glance = Glance(landmark=first.landmark, depth=Depth.MOVEMENT, stood=True)
        judged = await meter.measure(
            segment, target_duration_sec=2.0, silence_db=-50, glance=glance
        )
        assert (judged.motion, judged.is_skimmed) == (Motion.STANDS, False)
        may_wait = glance.model_copy(update={"may_wait": True})
        kept = await meter.measure(
            segment, target_duration_sec=2.0, silence_db=-50, glance=may_wait
        )
        assert (kept.motion, kept.is_skimmed, kept.still) == (Motion.STANDS, True, [])
        recent = meter.recent.find(kept.digest)
        assert recent
        assert recent.measurement == judged
        assert await meter.look_back(kept.digest, None, 2.0) == judged


async def test_another_segment_in_its_place_is_not_taken_for_it(
    client: httpx.AsyncClient, probe: Probe, server: ScriptedServer
) -> None:
    meter = meter_of(client, probe)
    assert await meter.look_back(name_of(BLACK), segment_at(server), 2.0) is None
    assert await meter.look_back(name_of(NORMAL), None, 2.0) is None


async def test_the_latest_segments_are_kept_in_so_many_bytes() -> None:
    recent = SegmentCache(most_bytes=10)
    first, second = recent.keep(b"12345"), recent.keep(b"67890")
    assert recent.kept_bytes == 10
    third = recent.keep(b"abc")
    found = [recent.find(it) for it in (first, second, third)]
    assert [it and it.segment for it in found] == [None, b"67890", b"abc"]
    recent.forget(second)
    recent.forget(second)
    assert recent.kept_bytes == 3


async def test_there_is_room_for_more_until_a_quarter_is_left() -> None:
    recent = SegmentCache(most_bytes=12)
    recent.keep(b"12345678")
    assert recent.has_room()
    recent.keep(b"9")
    assert not recent.has_room()


async def test_what_nobody_came_back_for_is_let_go() -> None:
    now = 0.0
    recent = SegmentCache(most_bytes=12, clock=lambda: now)
    left = recent.keep(b"1234567890")
    now = KEPT_FOR_SEC + 1
    assert recent.has_room()
    assert recent.find(left) is None
    assert recent.kept_bytes == 0


async def test_who_lets_go_takes_it_from_nobody_else() -> None:
    recent = SegmentCache()
    measured = SegmentMeasurement(duration_sec=2.0)
    name = recent.keep(b"12345", measured)
    assert recent.keep(b"12345") == name
    recent.forget(name)
    kept = recent.find(name)
    assert kept
    assert kept.measurement == measured
    recent.forget(name)
    assert recent.find(name) is None


async def test_what_is_known_of_a_segment_takes_room_too() -> None:
    still = [StillRun(start=0.0, end=2.0, picture=bytes(PICTURE_WIDTH * PICTURE_HEIGHT))]
    black = [Interval(start=0.1 * it, end=0.1 * it + 0.05) for it in range(20)]
    recent = SegmentCache()
    recent.keep(b"12345", SegmentMeasurement(duration_sec=2.0, still=still, black=black))
    assert recent.kept_bytes > 10_000
