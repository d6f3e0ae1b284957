"""The newest segment that is there is found, however late its packager, with few questions."""

import math

from hypothesis import given
from hypothesis import strategies as st

from media.hls.playlist import Segment
from media.live_edge import LATEST_SEC, count_published

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

    async def is_there(self, segment: Segment) -> bool:
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
