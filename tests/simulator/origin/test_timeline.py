"""The schedule as a function from time to segments."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.origin.publication import AtEnd, Change
from simulator.origin.timeline import KEPT_ENTRIES, Timeline

START = 1_000.0
DURATIONS = st.lists(st.sampled_from([0.5, 1.0, 2.0, 5.0]), min_size=1, max_size=5)


@given(DURATIONS, st.integers(0, 12), st.lists(st.floats(0, 20), max_size=8))
def test_segments_follow_each_other_without_gap_or_repeat(
    durations: list[float], backlog: int, steps: list[float]
) -> None:
    timeline = Timeline(durations, START, backlog=backlog)
    now = START
    timeline.advance(now)
    assert len(timeline.entries) == backlog
    for step in steps:
        now += step
        timeline.advance(now)
    entries = timeline.entries
    assert [each.sequence for each in entries] == list(range(len(entries)))
    for before, after in pairwise(entries):
        assert after.captured_at == pytest.approx(before.captured_at + before.duration_sec)
        assert after.stream_sec == pytest.approx(before.stream_sec + before.duration_sec)
    assert all(each.published_at <= now for each in entries)


@given(DURATIONS, st.lists(st.floats(0.1, 20), min_size=1, max_size=6))
def test_how_often_one_looks_changes_nothing(durations: list[float], steps: list[float]) -> None:
    changes = [
        Change(kind="stall", at_sec=3, for_sec=4),
        Change(kind="jump", at_sec=7, by=10),
        Change(kind="stall", at_sec=9, for_sec=5, catch_up=True),
        Change(kind="restart", at_sec=12),
    ]
    often, once = (Timeline(durations, START, changes=changes) for _ in range(2))
    now = START
    for step in steps:
        now += step
        often.advance(now)
    once.advance(now)
    assert often.entries == once.entries


@given(DURATIONS, st.floats(0, 30))
def test_a_moment_is_captured_when_its_segment_says(durations: list[float], moment: float) -> None:
    timeline = Timeline(durations, START)
    assert timeline.captured_at(moment) == pytest.approx(START + moment)
    timeline.advance(START + 15)
    assert timeline.captured_at(moment) == pytest.approx(START + moment)
    assert timeline.position(START + 15) == pytest.approx(15)


def test_a_window_shows_one_numbering_only() -> None:
    timeline = Timeline([1.0], START, changes=[Change(kind="restart", at_sec=3)])
    timeline.advance(START + 5)
    assert [each.sequence for each in timeline.window(6, START + 3)] == [0, 1, 2]
    assert [each.sequence for each in timeline.window(6, START + 5)] == [0, 1]


def test_an_old_window_is_what_it_was() -> None:
    timeline = Timeline([1.0], START, at_end=AtEnd.END)
    timeline.advance(START + 5)
    assert timeline.window(6, START + 0.5) == []
    assert not timeline.is_ended(START + 0.5)
    assert timeline.is_ended(START + 1)


def test_a_stall_by_hand_shifts_what_follows() -> None:
    timeline = Timeline([2.0], START)
    timeline.stall(START + 3)
    timeline.advance(START + 10)
    assert len(timeline.entries) == 1
    assert timeline.position(START + 10) == pytest.approx(3)
    timeline.resume(START + 10)
    timeline.advance(START + 11)
    assert [each.published_at for each in timeline.entries] == [START + 2, START + 11]


def test_a_long_run_remembers_its_newest_part_only() -> None:
    timeline = Timeline([1.0], START)
    timeline.advance(START + 3 * KEPT_ENTRIES)
    assert KEPT_ENTRIES <= len(timeline.entries) <= 2 * KEPT_ENTRIES
    assert timeline.find(3 * KEPT_ENTRIES - 1) == timeline.entries[-1]
    assert timeline.find(0) is None
