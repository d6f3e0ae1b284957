"""The newest segment that is there is found, however late its packager, with few questions."""

import asyncio
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.dash.to_hls import TrackPlaylist
from media.hls.playlist import MediaPlaylist, Segment
from media.outbound.client import media_client
from media.outbound.fetching import Mirrors
from media.outbound.guard import OutboundGuard
from media.playlists.live_edge import LATEST_SEC, count_published, published
from tests.testkit.stand_ins import Request, reply, scripted_server

LENGTH_SEC = 2.0
LATEST = math.ceil(LATEST_SEC / LENGTH_SEC)


def due(count: int) -> list[Segment]:
    return [Segment(uri=f"{n}", sequence=n, duration_sec=LENGTH_SEC) for n in range(count)]


class Packager:
    """Made `made` segments, lost some of them, and counts how often it is asked."""

    def __init__(self, made: int, lost: frozenset[int] = frozenset()) -> None:
        self.made = made
        self._lost = lost
        self.asked = 0

    async def is_there(self, segment: Segment) -> bool | None:
        self.asked += 1
        return segment.sequence < self.made and segment.sequence not in self._lost


@given(count=st.integers(1, 1_000), late=st.integers(0, LATEST - 1))
async def test_a_stream_is_joined_however_late_its_packager_is(count: int, late: int) -> None:
    packager = Packager(made=max(0, count - late))
    assert await count_published(due(count), 0, packager.is_there) == packager.made
    assert packager.asked <= 3 + math.log2(LATEST)


@given(late=st.integers(0, LATEST - 1), new=st.integers(0, 40))
async def test_what_came_since_is_found(late: int, new: int) -> None:
    sure, count = 100, 100 + new + late
    packager = Packager(made=sure + new)
    assert await count_published(due(count), sure, packager.is_there) == sure + new
    assert packager.asked <= 3 + math.log2(count)


async def test_a_packager_in_time_is_asked_for_one_segment() -> None:
    packager = Packager(made=101)
    assert await count_published(due(101), 100, packager.is_there) == 101
    assert packager.asked == 1
    assert await count_published(due(101), 101, packager.is_there) == 101
    assert packager.asked == 1


async def test_a_standstill_costs_three_questions_a_look() -> None:
    packager = Packager(made=100)
    assert await count_published(due(400), 100, packager.is_there) == 100
    assert packager.asked == 3


@given(late=st.integers(0, 20), hole=st.integers(0, 3), length=st.integers(1, 3))
async def test_lost_segments_do_not_stop_a_late_stream(late: int, hole: int, length: int) -> None:
    """New ones come, and are found at latest when twice as many are due as there were."""
    lost = frozenset(range(100 + hole, 100 + hole + length))
    sure = 100
    for made in range(101, 101 + 2 * (late + hole + length) + 4):
        packager = Packager(made, lost)
        sure = await count_published(due(made + late), sure, packager.is_there)
    assert sure > 100 + hole + length


class Failing(Packager):
    """Its server fails for what is not made yet."""

    async def is_there(self, segment: Segment) -> bool | None:
        return await super().is_there(segment) or None


@given(late=st.integers(0, LATEST - 1), new=st.integers(1, 40))
async def test_a_server_that_fails_for_what_is_not_there_is_not_believed(
    late: int, new: int
) -> None:
    packager = Failing(made=100 + new)
    assert await count_published(due(100 + new + late), 100, packager.is_there) == 100 + new


async def test_a_server_that_fails_for_everything_is_told_by_its_segments() -> None:
    assert await count_published(due(105), 100, Failing(made=0).is_there) == 105


@pytest.mark.parametrize("status", [400, 403, 404, 410, 412, 416, 425, 500, 503, 504])
async def test_whatever_a_server_answers_for_segments_to_come(status: int) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        is_made = request.path in {f"/{number}" for number in range(7)}
        part = reply(b"x", status=206, content_range="bytes 0-0/9")
        writer.write(part if is_made else reply(status=status))

    async with (
        media_client(OutboundGuard(allow_private_networks=True)) as client,
        scripted_server(answer) as server,
    ):
        base = server.url(host="127.0.0.1")
        segments = tuple(replace(each, uri=base + each.uri) for each in due(10))
        track = TrackPlaylist(MediaPlaylist(LENGTH_SEC, 0, segments), told=0)
        found = await published(Mirrors(client), track, ())
    assert found.segments == segments[:7]
