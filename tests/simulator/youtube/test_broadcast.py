"""What a broadcast lists, whatever happens to it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.origin.encoding import LOWEST, TINY
from simulator.origin.programme import Programme
from simulator.youtube.broadcast import Broadcast, BroadcastError, OnAir, without_gap

_SHORT = Programme.of([("normal", 2)], TINY)
_OTHER = Programme.of([("black", 3)], TINY)
_LIVES = st.lists(
    st.tuples(
        st.floats(0, 5),
        st.sampled_from(["wait", "stall", "resume", "cut", "show", "end"]),
    ),
    max_size=12,
)


def live(events: list[tuple[float, str]], *, first_sequence: int, backlog: int) -> list[OnAir]:
    now = 1_800_000_000.0
    broadcast = Broadcast(1, _SHORT, now, first_sequence=first_sequence, backlog=backlog, cuts=7)
    for sec, event in events:
        now += sec
        match event:
            case "wait":
                broadcast.advance(now)
            case "show":
                broadcast.show(_OTHER, now)
            case name:
                getattr(broadcast, name)(now)
    return broadcast.segments


@given(_LIVES, st.integers(0, 1000), st.integers(0, 5))
def test_numbers_have_no_gap_and_time_never_goes_back(
    events: list[tuple[float, str]], first_sequence: int, backlog: int
) -> None:
    segments = live(events, first_sequence=first_sequence, backlog=backlog)
    assert [each.sequence for each in segments] == [
        first_sequence + number for number in range(len(segments))
    ]
    for before, after in pairwise(segments):
        assert after.captured_at >= before.captured_at + before.duration_sec - 0.001
        assert after.cuts == before.cuts + after.is_cut


@given(_LIVES)
def test_what_does_not_follow_is_marked(events: list[tuple[float, str]]) -> None:
    for before, after in pairwise(live(events, first_sequence=0, backlog=3)):
        follows = after.programme is before.programme and after.index == before.index + 1
        assert without_gap(before, after) <= follows
        assert after.is_cut or follows


def test_a_broadcast_that_is_over_does_not_come_back() -> None:
    broadcast = Broadcast(1, _SHORT, 0, backlog=2)
    broadcast.end(0)
    broadcast.resume(10)
    broadcast.advance(20)
    assert len(broadcast.segments) == 2


def test_segments_of_another_length_are_refused() -> None:
    with pytest.raises(BroadcastError):
        Broadcast(1, _SHORT, 0).show(Programme.of([("normal", 4)], LOWEST), 0)
