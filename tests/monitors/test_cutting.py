"""Segment borders leave no trace: the same media gives the same incidents however it is cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.incidents import IncidentClosed
from monitors.status import IncidentKind
from tests.monitors.media_timeline import (
    Incident,
    Programme,
    Span,
    StillSpan,
    drawing,
    incidents,
    watch,
)

DURATION_SEC = 60.0
PICTURES = [drawing(number) for number in range(3)]

# Lengths are multiples of 10 ms: thresholds are met clearly or missed clearly.
lengths = st.one_of(st.integers(20, 300), st.integers(300, 2000)).map(lambda n: n / 100)
gaps = st.one_of(st.sampled_from([2, 3]), st.integers(20, 1500)).map(lambda n: n / 100)
cuts = st.lists(st.floats(0.0, DURATION_SEC), max_size=40)
slivers = st.lists(st.tuples(st.floats(0.0, 59.0), st.floats(1e-6, 0.02)), max_size=5).map(
    lambda pairs: [cut for start, length in pairs for cut in (start, start + length)]
)
rules = st.builds(
    Thresholds,
    blackout_threshold_sec=st.sampled_from([0, 0.5, 5, 10]),
    silence_threshold_sec=st.sampled_from([0.3, 2, 8]),
    freeze_threshold_sec=st.sampled_from([0, 3, 8]),
    recovery_sec=st.sampled_from([0, 1, 5]),
)


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    found, now = [], 0.0
    for gap, length in draw(st.lists(st.tuples(gaps, lengths), max_size=8)):
        start, now = now + gap, now + gap + length
        found.append((start, now))
    return [(start, min(end, DURATION_SEC)) for start, end in found if start < DURATION_SEC]


@st.composite
def still_spans(draw: st.DrawFn) -> list[StillSpan]:
    return [(start, end, draw(st.sampled_from(PICTURES))) for start, end in draw(spans())]


programmes = st.builds(
    Programme,
    duration_sec=st.just(DURATION_SEC),
    black=spans(),
    silent=spans(),
    still=still_spans(),
)


def rounded(found: list[Incident]) -> list[Incident]:
    """Times to the nearest 10 ms, which is what the programmes are made of."""
    return [
        (kind, *(None if time is None else round(time, 2) for time in times))  # type: ignore[misc]
        for kind, *times in found
    ]


@settings(max_examples=150, deadline=None)
@given(programme=programmes, thresholds=rules, cuts=cuts, slivers=slivers)
def test_cutting_changes_no_incident(
    programme: Programme, thresholds: Thresholds, cuts: list[float], slivers: list[float]
) -> None:
    whole = incidents(watch(programme, [], thresholds))
    pieces = incidents(watch(programme, cuts + slivers, thresholds))
    assert rounded(pieces) == rounded(whole)


@settings(max_examples=50, deadline=None)
@given(programme=programmes, thresholds=rules, cuts=cuts)
def test_a_state_that_went_through_json_goes_on_the_same(
    programme: Programme, thresholds: Thresholds, cuts: list[float]
) -> None:
    staying = travelling = MediaDetectors()
    for measurement, position in programme.segments(cuts):
        travelling = MediaDetectors.model_validate_json(travelling.model_dump_json())
        expected = staying.feed(measurement, position, thresholds)
        assert travelling.feed(measurement, position, thresholds) == expected
        assert travelling == staying


@settings(max_examples=50, deadline=None)
@given(silent=spans(), cuts=cuts, threshold_sec=st.sampled_from([2, 8]))
def test_only_runs_as_long_as_the_threshold_open(
    silent: list[Span], cuts: list[float], threshold_sec: float
) -> None:
    thresholds = Thresholds(silence_threshold_sec=threshold_sec, recovery_sec=0)
    found = incidents(watch(Programme(DURATION_SEC, silent=silent), cuts, thresholds))
    long = [run for run in joined(silent) if run[1] - run[0] >= threshold_sec - 1e-6]
    assert [round(start, 2) for _kind, start, *_rest in found] == [
        round(start, 2) for start, _end in long
    ]


def joined(faults: list[Span]) -> list[Span]:
    runs: list[Span] = []
    for start, end in faults:
        if runs and start - runs[-1][1] < 0.05:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


@settings(max_examples=50, deadline=None)
@given(programme=programmes, thresholds=rules, cuts=cuts)
def test_a_closing_lies_after_its_opening(
    programme: Programme, thresholds: Thresholds, cuts: list[float]
) -> None:
    for change in watch(programme, cuts, thresholds):
        if isinstance(change, IncidentClosed):
            lasted_sec = (change.recovered_at - change.started_at).total_seconds()
            assert lasted_sec == pytest.approx(change.total_duration_sec, abs=0.001)


@settings(max_examples=50, deadline=None)
@given(black=spans(), cuts=cuts)
def test_a_freeze_never_opens_in_black(black: list[Span], cuts: list[float]) -> None:
    still = [(start, end, PICTURES[0]) for start, end in black]
    programme = Programme(DURATION_SEC, black=black, still=still)
    changes = watch(programme, cuts, Thresholds(freeze_threshold_sec=1))
    assert not [change for change in changes if change.kind is IncidentKind.FREEZE]
