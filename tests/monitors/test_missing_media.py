"""Sound and pictures that are missing, though their tracks are there."""

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.stream_time import without
from monitors.incidents import IncidentChange, IncidentOpened
from monitors.measurement import Interval, SegmentMeasurement, StillRun
from monitors.status import Health, IncidentKind
from tests.monitors.media_timeline import (
    Incident,
    Span,
    drawing,
    every,
    incidents,
    segment_position,
    wall_clock,
)

DURATION_SEC = 60.0
BLACKOUT, SILENCE, FREEZE = IncidentKind.BLACKOUT, IncidentKind.SILENCE, IncidentKind.FREEZE
RULES = Thresholds(
    blackout_threshold_sec=6, silence_threshold_sec=6, freeze_threshold_sec=10, recovery_sec=2
)


def heard(
    start: float, end: float, *, gaps: Iterable[Span], silent: Iterable[Span], early_sec: float
) -> SegmentMeasurement:
    """Return what is heard in a segment whose sound is cut `early_sec` before its pictures."""
    last = DURATION_SEC if end == DURATION_SEC else end - early_sec
    first = start - early_sec if start else 0.0
    held = _left(Interval(start=first, end=max(first, last)), _intervals(gaps))
    filled = [it for it in held if it.end > it.start]
    whole = Interval(start=0.0, end=DURATION_SEC)
    quiet = _clipped(_left(whole, _left(whole, _intervals(silent))), first, last)
    silences = [piece for each in quiet for piece in _common(each, held)]
    begins = min((it.start for it in filled), default=start)
    return SegmentMeasurement(
        duration_sec=end - start,
        silent=_moved(silences, -start),
        audio_gaps=_moved(_left(Interval(start=min(start, begins), end=end), filled), -start),
        audio_lead_sec=max(0.0, start - begins),
        audio_sec=sum(it.end - it.start for it in held),
    )


def _intervals(spans: Iterable[Span]) -> list[Interval]:
    return [Interval(start=start, end=end) for start, end in spans]


def _left(whole: Interval, removed: Iterable[Interval]) -> list[Interval]:
    return [piece for _, piece in without([whole], removed)]


def _clipped(found: Iterable[Interval], start: float, end: float) -> list[Interval]:
    clipped = [Interval(start=max(it.start, start), end=min(it.end, end)) for it in found]
    return [it for it in clipped if it.start < it.end]


def _common(one: Interval, others: Iterable[Interval]) -> list[Interval]:
    return _clipped(others, one.start, one.end)


def _moved(found: Iterable[Interval], by_sec: float) -> list[Interval]:
    moved = [Interval(start=it.start + by_sec, end=it.end + by_sec) for it in found]
    return [it for it in moved if it.end > it.start]


def listened(
    cuts: Iterable[float],
    *,
    gaps: Sequence[Span] = (),
    silent: Sequence[Span] = (),
    early_sec: float = 0.0,
    restarts: random.Random | None = None,
) -> list[IncidentChange]:
    detectors, changes = MediaDetectors(), list[IncidentChange]()
    borders = sorted({0.0, DURATION_SEC, *cuts})
    for number, (start, end) in enumerate(pairwise(borders)):
        measurement = heard(start, end, gaps=gaps, silent=silent, early_sec=early_sec)
        changes += detectors.feed(measurement, segment_position(number, start, end - start), RULES)
        if restarts and restarts.random() < 0.3:
            detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
    return changes


def rounded(found: Iterable[Incident]) -> list[tuple[object, ...]]:
    return [tuple(round(it, 3) if isinstance(it, float) else it for it in each) for each in found]


def test_pictures_that_cannot_be_decoded_neither_end_a_blackout_nor_make_one() -> None:
    detectors, changes = MediaDetectors(), list[IncidentChange]()
    for number in range(12):
        black = [Interval(start=0.5, end=2.0)] if 2 <= number < 8 else []
        measurement = SegmentMeasurement(duration_sec=2.0, video_unseen_sec=0.5, black=black)
        position = segment_position(number, 2.0 * number, 2.0)
        changes += detectors.feed(measurement, position, RULES)
    assert [(it.kind, type(it).__name__) for it in changes] == [
        (BLACKOUT, "IncidentOpened"),
        (BLACKOUT, "IncidentClosed"),
    ]


@pytest.mark.parametrize("early_sec", [0.0, 0.08, 0.4])
@pytest.mark.parametrize("segment_sec", [0.5, 2.0, 7.0, 60.0])
@pytest.mark.parametrize(
    ("gaps", "silent", "expected"),
    [
        pytest.param([(10.5, 20)], [], [(10.5, 20, 9.5)], id="missing"),
        pytest.param([(0, 60)], [], [(0, None, None)], id="never there"),
        pytest.param([(10.5, 15.5)], [], [], id="too short"),
        pytest.param([(10.5, 15)], [(15, 20)], [(10.5, 20, 9.5)], id="missing, then silent"),
        pytest.param([(15, 20)], [(10.5, 15)], [(10.5, 20, 9.5)], id="silent, then missing"),
        pytest.param([(14, 14.2)], [(10, 14), (14.2, 18)], [(10, 18, 8)], id="a gap in silence"),
        pytest.param([(13.9, 14.1)], [(14.1, 21)], [(13.9, 21, 7.1)], id="a gap before silence"),
        pytest.param([(20, 20.2)], [(10, 20)], [(10, 20.2, 10.2)], id="a gap after silence"),
        pytest.param([(11 + n, 11.2 + n) for n in range(40)], [], [], id="short gaps"),
        pytest.param(
            [(10.2 + 2 * n, 12 + 2 * n) for n in range(10)],
            [],
            [(10.2, 30, 19.8)],
            id="0.2 of 2 seconds",
        ),
        pytest.param([(10 + n, 10.5 + n) for n in range(20)], [], [], id="half of each second"),
    ],
)
def test_sound_that_is_missing_is_silence(
    gaps: list[Span],
    silent: list[Span],
    expected: list[tuple[float, float | None, float | None]],
    segment_sec: float,
    early_sec: float,
) -> None:
    cuts = [it for it in every(segment_sec, DURATION_SEC) if it < DURATION_SEC]
    found = incidents(listened(cuts, gaps=gaps, silent=silent, early_sec=early_sec))
    assert rounded(found) == rounded((SILENCE, *each) for each in expected)


tenths = st.integers(0, 590).map(lambda n: n / 10)
lengths = st.sampled_from([0.1, 0.2, 0.6, 1.5, 4.0, 7.5, 12.0])
spans = st.lists(st.tuples(tenths, lengths), max_size=5).map(
    lambda pairs: [(start, min(start + length, DURATION_SEC)) for start, length in pairs]
)


@example(gaps=[(30.8, 32.3)], silent=[(16.9, 28.9)], cuts=[31.0], early_sec=0.0, seed=0)
@settings(max_examples=200, deadline=None)
@given(
    gaps=spans,
    silent=spans,
    cuts=st.lists(st.integers(2, 118).map(lambda n: n / 2), max_size=40),
    early_sec=st.sampled_from([0.0, 0.03, 0.08, 0.3]),
    seed=st.integers(0, 1 << 16),
)
def test_cutting_leaves_no_trace(
    gaps: list[Span], silent: list[Span], cuts: list[float], early_sec: float, seed: int
) -> None:
    whole = incidents(listened([], gaps=gaps, silent=silent))
    chance = random.Random(seed)
    cut = listened(cuts, gaps=gaps, silent=silent, early_sec=early_sec, restarts=chance)
    assert rounded(incidents(cut)) == rounded(whole)


def test_the_reason_is_what_was_heard_last() -> None:
    def reason(gaps: list[Span], silent: list[Span]) -> str | None:
        (opened,) = listened(every(2, 60)[:-1], gaps=gaps, silent=silent)[:1]
        assert isinstance(opened, IncidentOpened)
        return opened.reason

    assert reason([(10, 60)], []) == "audio_missing"
    assert reason([], [(10, 60)]) == "below_threshold"
    assert reason([(12, 60)], [(10, 12)]) == "audio_missing"
    assert reason([(10, 10.2)], [(10.2, 60)]) == "below_threshold"


def test_sound_that_comes_seconds_before_its_pictures_is_heard() -> None:
    """A segment of few pictures holds the sound of the next two."""
    detectors, changes = MediaDetectors(), list[IncidentChange]()
    for number in range(12):
        is_full = number % 3 == 0
        measurement = SegmentMeasurement(
            duration_sec=5.0,
            audio_gaps=[] if is_full else [Interval(start=0.0, end=5.0)],
            audio_sec=15.0 if is_full else 0.0,
            audio_ahead_sec=10.0 if is_full else 0.0,
        )
        changes += detectors.feed(measurement, segment_position(number, 5.0 * number, 5.0), RULES)
        assert detectors.health()[1] is Health.OK
    assert changes == []


def shown(number: int, **found: object) -> SegmentMeasurement:
    return SegmentMeasurement.model_validate({"duration_sec": 2.0, **found})


def watched(segments: Sequence[SegmentMeasurement]) -> list[IncidentChange]:
    detectors, changes = MediaDetectors(), list[IncidentChange]()
    for number, measurement in enumerate(segments):
        position = segment_position(number, 2.0 * number, 2.0)
        changes += detectors.feed(measurement, position, RULES)
    return changes


MOVING, MISSING = shown(0), shown(0, is_video_missing=True)
BLACK = shown(0, black=[Interval(start=0.0, end=2.0)])
LAST = shown(0, still=[StillRun(start=1.96, end=2.0, picture=drawing(1))])
STILL = shown(0, still=[StillRun(start=0.0, end=2.0, picture=drawing(1))])


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        pytest.param(
            [MOVING, LAST, *[MISSING] * 6, MOVING, MOVING],
            [(FREEZE, 3.96, 16, 12.04)],
            id="a player holds the last picture",
        ),
        pytest.param(
            [MOVING, *[MISSING] * 6, MOVING, MOVING],
            [(FREEZE, 2, 14, 12)],
            id="after pictures that move",
        ),
        pytest.param(
            [LAST, *[MISSING] * 2, *[STILL] * 4, MOVING, MOVING],
            [(FREEZE, 1.96, 14, 12.04)],
            id="the same picture comes back",
        ),
        pytest.param(
            [*[MISSING] * 6, MOVING, MOVING], [(BLACKOUT, 0, 12, 12)], id="never any picture"
        ),
        pytest.param(
            [MOVING, *[BLACK] * 2, *[MISSING] * 3, MOVING, MOVING],
            [(BLACKOUT, 2, 12, 10)],
            id="the last picture was black",
        ),
        pytest.param([MOVING, *[MISSING, MOVING] * 10], [], id="now and then"),
    ],
)
def test_pictures_that_are_missing(
    segments: list[SegmentMeasurement], expected: list[Incident]
) -> None:
    changes = watched(segments)
    assert rounded(incidents(changes)) == rounded(expected)
    reasons = [change.reason for change in changes if isinstance(change, IncidentOpened)]
    assert reasons in ([], ["video_missing"], [None])
    assert None not in reasons or segments[-3] is STILL


def test_a_missing_picture_is_a_warning_at_first() -> None:
    detectors = MediaDetectors()
    changes: list[IncidentChange] = []
    for number, measurement in enumerate([MOVING, MISSING, MISSING, MISSING]):
        changes += detectors.feed(measurement, segment_position(number, 2.0 * number, 2.0), RULES)
    assert detectors.health()[0] is Health.WARNING
    assert changes == []
    changes += detectors.feed(MISSING, segment_position(4, 8.0, 2.0), RULES)
    changes += detectors.feed(MISSING, segment_position(5, 10.0, 2.0), RULES)
    assert [(each.kind, each.started_at) for each in changes] == [(FREEZE, wall_clock(2))]
