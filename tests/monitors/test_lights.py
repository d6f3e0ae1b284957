"""Lights in the dark: a logo stands, a candle flickers, titles change."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.frames import BLOCKS
from monitors.incidents import IncidentChange
from monitors.measurement import Interval, SegmentMeasurement
from tests.monitors.media_timeline import Incident, every, incidents, segment_position

RULES = Thresholds(blackout_threshold_sec=20, recovery_sec=5)


def black(changes_sec: list[float], cuts: list[float], duration_sec: float = 90) -> list[Incident]:
    """Return the incidents of a black programme in which lights change at these moments."""
    borders = sorted({0.0, duration_sec, *cuts})
    detectors, found = MediaDetectors(), list[IncidentChange]()
    for number, (start, end) in enumerate(pairwise(borders)):
        measured = SegmentMeasurement(
            duration_sec=end - start,
            black=[Interval(start=0.0, end=end - start)],
            lights_change=[at - start for at in changes_sec if start <= at < end],
        )
        found += detectors.feed(measured, segment_position(number, start, end - start), RULES)
    return incidents(found)


@pytest.mark.parametrize("cuts", [[], every(2, 88), every(5.3, 84)])
@pytest.mark.parametrize(
    ("changes_sec", "starts"),
    [
        pytest.param([], [0.0], id="a logo"),
        pytest.param([0.1 * n for n in range(1, 900)], [], id="a candle"),
        pytest.param([4.0 * n for n in range(1, 23)], [], id="titles"),
        pytest.param([0.1, 0.4, 0.9], [0.0], id="a logo that the encoder sharpens"),
        pytest.param([30.0], [0.0, 40.0], id="one change"),
        pytest.param([5.0, 40.0], [15.0, 50.0], id="now and then"),
    ],
)
def test_black_is_none_while_its_lights_live(
    changes_sec: list[float], starts: list[float], cuts: list[float]
) -> None:
    found = black(changes_sec, cuts)
    assert [each[1] for each in found] == [pytest.approx(each) for each in starts]


def test_lights_that_change_slowly_are_seen_across_segments() -> None:
    detectors, found = MediaDetectors(), list[IncidentChange]()
    for number in range(60):
        lit = bytes([60 + 3 * number]) * 4 + bytes(BLOCKS - 4)
        whole = Interval(start=0.0, end=1.0)
        measured = SegmentMeasurement(duration_sec=1.0, black=[whole], lights=lit)
        found += detectors.feed(measured, segment_position(number, number, 1.0), RULES)
    assert found == []


@settings(max_examples=50, deadline=None)
@given(
    changes_sec=st.lists(st.integers(0, 880), max_size=8).map(
        lambda it: sorted(n / 10 for n in it)
    ),
    cuts=st.lists(st.integers(1, 899).map(lambda n: n / 10 + 0.05), max_size=20),
)
def test_it_does_not_matter_how_it_is_cut(changes_sec: list[float], cuts: list[float]) -> None:
    def rounded(found: list[Incident]) -> list[tuple[float | None, ...]]:
        return [tuple(each and round(each, 3) for each in times) for _, *times in found]

    assert rounded(black(changes_sec, cuts)) == rounded(black(changes_sec, []))


@pytest.mark.parametrize("first_sec", [0.0, 0.5])
def test_a_title_is_noticed_though_the_dark_began_with_another(first_sec: float) -> None:
    titles = [bytes([90]) * 4 + bytes(BLOCKS - 4), None, None, bytes([95]) * 4 + bytes(BLOCKS - 4)]
    detectors, found = MediaDetectors(), list[IncidentChange]()
    rules = Thresholds(blackout_threshold_sec=5, recovery_sec=5)
    for number in range(20):
        start = first_sec if number == 0 else 0.0
        measured = SegmentMeasurement(
            duration_sec=2.0,
            black=[Interval(start=start, end=2.0)],
            lights=titles[number % 4],
        )
        found += detectors.feed(measured, segment_position(number, 2.0 * number, 2.0), rules)
    assert found == []
