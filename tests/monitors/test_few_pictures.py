"""Segments that hold pictures for a fraction of what they declare."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.frames import (
    FRAME_BYTES,
    longest_interval_sec,
    missing_from_sec,
    pauses_between,
)
from monitors.incidents import IncidentChange, IncidentOpened
from monitors.measurement import Interval, SegmentMeasurement, StillRun
from monitors.status import IncidentKind
from tests.monitors.media_timeline import Incident, drawing, incidents, segment_position

FREEZE = IncidentKind.FREEZE
RULES = Thresholds(blackout_threshold_sec=6, freeze_threshold_sec=10, recovery_sec=2)
FRAME_SEC = 0.04


@pytest.mark.parametrize(
    ("duration_sec", "video_sec", "interval_sec", "expected"),
    [
        pytest.param(2.0, 0.2, 0.04, 0.2, id="a tenth is there"),
        pytest.param(2.0, 1.0, 0.04, 1.0, id="half is there"),
        pytest.param(6.0, 0.2, 0.04, 0.2, id="a long segment"),
        pytest.param(2.0, 2.0, 0.04, None, id="whole"),
        pytest.param(2.0, 2.6, 0.04, None, id="longer than declared"),
        pytest.param(2.0, 1.5, 0.04, None, id="rounded up by half a second"),
        pytest.param(6.0, 5.0, 0.04, None, id="cut elsewhere"),
        pytest.param(0.5, 0.2, 0.04, None, id="a short segment"),
        pytest.param(6.0, 4.0, 1.0, None, id="a picture a second"),
        pytest.param(6.0, 1.0, 1.25, None, id="within four intervals"),
        pytest.param(5.0, 0.04, 5.0, None, id="a slide"),
        pytest.param(2.0, 0.0, 0.0, None, id="nothing is known"),
    ],
)
def test_from_when_on_pictures_are_missing(
    duration_sec: float, video_sec: float, interval_sec: float, expected: float | None
) -> None:
    assert missing_from_sec(duration_sec, video_sec, interval_sec) == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param([], 6.0, id="none"),
        pytest.param([1.0, 1.04], 6.0, id="two say nothing"),
        pytest.param([1.0, 1.12, 1.04, 1.08], 0.04, id="in the order of decoding"),
        pytest.param([1.0, 1.04, 3.04, 3.08], 2.0, id="a pause"),
    ],
)
def test_the_longest_interval(times: list[float], expected: float) -> None:
    assert longest_interval_sec(times, 6.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([7.0], [(0.0, 6.0)], id="one"),
        pytest.param([1.0, 6.0, 1.04], [(0.04, 5.0)], id="in the order of decoding"),
        pytest.param([each * 1.1 for each in range(6)], [], id="as much as a segment may lack"),
        pytest.param([0.0, 3.0, 6.5], [(0.0, 3.0), (3.0, 6.0)], id="beyond the end"),
        pytest.param([0.0, 0.04, 95_000.0], [], id="timestamps that jump"),
    ],
)
def test_the_pauses(times: list[float], expected: list[tuple[float, float]]) -> None:
    assert pauses_between(times, 6.0) == [pytest.approx(each) for each in expected]


def held(
    number: int, video_sec: float, duration_sec: float = 2.0, picture: bytes | None = None
) -> SegmentMeasurement:
    """Return a segment that moves, or shows `picture`, and of which the rest is missing.

    The probe takes its first and last picture for still, the last one until the end.
    """
    first, last = drawing(2 * number), drawing(2 * number + 1)
    still = [
        StillRun(start=0.0, end=FRAME_SEC, picture=first),
        StillRun(start=video_sec - FRAME_SEC, end=duration_sec, picture=last),
    ]
    whole = [StillRun(start=0.0, end=duration_sec, picture=picture)] if picture else still
    return SegmentMeasurement(
        duration_sec=duration_sec,
        video_sec=video_sec,
        frame_interval_sec=FRAME_SEC,
        still=whole,
    )


def watched(
    segments: Sequence[SegmentMeasurement], restarts: random.Random | None = None
) -> list[IncidentChange]:
    detectors, changes, start_sec = MediaDetectors(), list[IncidentChange](), 0.0
    for number, measurement in enumerate(segments):
        position = segment_position(number, start_sec, measurement.duration_sec)
        start_sec += measurement.duration_sec
        changes += detectors.feed(measurement, position, RULES)
        if restarts and restarts.random() < 0.3:
            detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
    return changes


def rounded(found: Sequence[Incident]) -> list[tuple[object, ...]]:
    return [tuple(round(it, 2) if isinstance(it, float) else it for it in each) for each in found]


def full(count: int) -> list[SegmentMeasurement]:
    return [held(1000 + number, 2.0) for number in range(count)]


def parts(
    video_sec: float, count: int = 10, *, picture: bytes | None = None
) -> list[SegmentMeasurement]:
    return [held(number, video_sec, picture=picture) for number in range(count)]


NONE_AT_ALL = SegmentMeasurement(duration_sec=2.0, is_video_missing=True)
DARK = SegmentMeasurement(
    duration_sec=2.0,
    video_sec=0.2,
    frame_interval_sec=FRAME_SEC,
    black=[Interval(start=0.0, end=2.0)],
    still=[StillRun(start=0.0, end=2.0, picture=bytes(FRAME_BYTES))],
)
SLIDES = [held(number, 1.5, picture=drawing(number // 4)) for number in range(40)]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param(
            [*full(2), *parts(0.2), *full(2)], [(FREEZE, 4.16, 24, 19.84)], id="0.2 of 2 seconds"
        ),
        pytest.param(parts(0.2, 200), [(FREEZE, 0.16, None, None)], id="always"),
        pytest.param(
            [*full(1), *[NONE_AT_ALL, held(0, 0.2)] * 5, *full(2)],
            [(FREEZE, 1.96, 22, 20.04)],
            id="mostly none at all",
        ),
        pytest.param(
            [*full(1), held(50, 1.0), *parts(0.2), *full(2)],
            [(FREEZE, 2.96, 24, 21.04)],
            id="from the middle of a segment on",
        ),
        pytest.param(
            [*full(1), *parts(0.2, picture=drawing(1)), *full(2)],
            [(FREEZE, 2, 22, 20)],
            id="the same picture each time",
        ),
        pytest.param(
            [*full(1), *[DARK] * 10, *full(2)], [(IncidentKind.BLACKOUT, 2, 22, 20)], id="black"
        ),
        pytest.param(parts(0.4, 100), [], id="more than a remnant"),
        pytest.param(parts(1.0, 100), [], id="half of each"),
        pytest.param(parts(1.5, 100), [], id="durations rounded up by half a second"),
        pytest.param(SLIDES, [], id="slides, durations rounded up"),
        pytest.param([*full(1), *parts(0.2, 3), *full(2)] * 5, [], id="now and then"),
    ],
)
def test_pictures_that_are_mostly_missing_are_a_freeze(
    segments: list[SegmentMeasurement], expected: list[Incident]
) -> None:
    changes = watched(segments)
    assert rounded(incidents(changes)) == rounded(expected)
    opened = [each for each in changes if isinstance(each, IncidentOpened)]
    assert all(it.reason == "video_missing" for it in opened if it.kind is FREEZE)


def paced(
    times: Sequence[float], number: int, duration_sec: float = 6.0, same: bytes | None = None
) -> SegmentMeasurement:
    """Return a segment with a new picture at each of `times`, or always `same`."""
    edges = [*times, duration_sec]
    shown = [(start, end) for start, end in pairwise(edges) if end - start > 0.5]
    return SegmentMeasurement(
        duration_sec=duration_sec,
        video_sec=times[-1] + FRAME_SEC,
        frame_interval_sec=longest_interval_sec(times, duration_sec),
        pauses=[Interval(start=a, end=b) for a, b in pauses_between(times, duration_sec)],
        still=[
            StillRun(start=a, end=b, picture=same or drawing(100 * number + place))
            for place, (a, b) in enumerate(shown)
        ],
    )


def fluent(seconds: float, fps: float = 25.0) -> list[SegmentMeasurement]:
    times = [each / fps for each in range(round(6 * fps))]
    return [paced(times, number) for number in range(round(seconds / 6))]


BURST = [0.0, 0.04, 0.08, 5.8, 5.84]
TWO_BURSTS = sorted({*BURST, *(3.0 + each / 25 for each in range(9))})


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param(
            [*fluent(60), *[paced([0.0], number) for number in range(5)], *fluent(6)],
            [(FREEZE, 60, 90, 30)],
            id="a picture a segment",
        ),
        pytest.param(
            [*fluent(60), *[paced([0.0, 3.0], number) for number in range(5)], *fluent(6)],
            [(FREEZE, 60, 90, 30)],
            id="two",
        ),
        pytest.param(
            [*fluent(60), *[paced(BURST, number) for number in range(5)], *fluent(6)],
            [(FREEZE, 60.08, 89.8, 29.72)],
            id="in the middle of each segment",
        ),
        pytest.param(
            [*fluent(60), paced([0.0, 0.04], 0, 20.0), *fluent(6)],
            [(FREEZE, 60.04, 80, 19.96)],
            id="one long pause",
        ),
        pytest.param(
            [*fluent(60, fps=8), *[paced([0.0], number) for number in range(5)], *fluent(6)],
            [(FREEZE, 60, 90, 30)],
            id="a camera with 8 a second",
        ),
        pytest.param(
            [*fluent(54), *[paced([0.0], number) for number in range(9)]],
            [],
            id="slides after less than a minute",
        ),
        pytest.param(
            [*fluent(60, fps=4), *[paced([0.0], number) for number in range(5)]],
            [],
            id="slides after few pictures a second",
        ),
        pytest.param(
            [*fluent(60), *[paced([0.0, 0.04, 2.0, 2.5], number) for number in range(2)]] * 3,
            [],
            id="now and then",
        ),
        pytest.param(
            [*fluent(60), *[paced(TWO_BURSTS, 1)] * 9],
            [],
            id="pictures come again between",
        ),
    ],
)
def test_a_fluent_stream_that_pauses_is_a_freeze(
    segments: list[SegmentMeasurement], expected: list[Incident]
) -> None:
    changes = watched(segments, random.Random(1))
    assert rounded(incidents(changes)) == rounded(expected)
    opened = [each for each in changes if isinstance(each, IncidentOpened)]
    assert all(it.reason == "video_missing" for it in opened)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 30), max_size=12), st.randoms())
def test_the_same_incident_however_it_is_cut(cuts: list[int], chance: random.Random) -> None:
    """Each piece keeps the pictures of its first 0.2 s; a player holds the last of them."""
    borders = sorted({0, 30, *cuts})
    pieces = [held(at, 0.2, float(end - at)) for at, end in pairwise(borders)]
    found = incidents(watched([*full(2), *pieces, *full(2)], chance))
    assert rounded(found) == rounded([(FREEZE, 4.16, 34, 29.84)])
