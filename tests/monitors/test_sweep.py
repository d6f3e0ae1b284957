"""Taking stretches out of others, however many there are."""

import time
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.stream_time import SegmentPosition, without
from monitors.frames import FRAME_BYTES
from monitors.measurement import MOST_STRETCHES, Interval, SegmentMeasurement, StillRun
from monitors.status import IncidentKind

LONG_SEC = 7200.0
A_WHILE_SEC = 20.0
"""A tenth of it is enough on an idle machine. Quadratic judging takes minutes."""


@st.composite
def some_intervals(draw: st.DrawFn, *, overlap: bool) -> list[Interval]:
    edges = draw(st.lists(st.integers(0, 30), max_size=20))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    if not overlap:
        ordered = sorted(edges)
        pairs = list(zip(ordered[::2], ordered[1::2], strict=False))
    return [Interval(start=min(pair), end=max(pair)) for pair in pairs]


def moments(intervals: list[Interval]) -> set[int]:
    return {at for each in intervals for at in range(int(each.start), int(each.end))}


@given(some_intervals(overlap=False), some_intervals(overlap=True))
def test_what_is_left_is_in_the_wholes_and_in_nothing_removed(
    wholes: list[Interval], removed: list[Interval]
) -> None:
    found = list(without(wholes, removed))
    pieces = [piece for _, piece in found]
    assert moments(pieces) == moments(wholes) - moments(removed)
    assert all(one.end <= next_one.start for one, next_one in pairwise(pieces))
    assert all(whole.start <= piece.start < piece.end <= whole.end for whole, piece in found)


def test_black_and_white_in_turn_for_two_hours_are_judged_in_a_moment() -> None:
    step_sec = LONG_SEC / MOST_STRETCHES
    edges = [step_sec * number for number in range(MOST_STRETCHES)] + [LONG_SEC]
    pairs = [(edges[number], edges[number + 1]) for number in range(MOST_STRETCHES)]
    pictures = [bytes([16]) * FRAME_BYTES, bytes([235]) * FRAME_BYTES]
    crafted = SegmentMeasurement(
        duration_sec=LONG_SEC,
        black=[Interval(start=a, end=b) for a, b in pairs[::2]],
        still=[
            StillRun(start=a, end=b, picture=pictures[number % 2])
            for number, (a, b) in enumerate(pairs)
        ],
        silent=[Interval(start=a, end=(a + b) / 2) for a, b in pairs],
    )
    position = SegmentPosition(
        sequence=1,
        start_sec=0.0,
        duration_sec=LONG_SEC,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    began = time.process_time()
    (freeze,) = MediaDetectors().feed(crafted, position, Thresholds())
    assert freeze.kind is IncidentKind.FREEZE  # the white goes on behind the black
    assert time.process_time() - began < A_WHILE_SEC
