"""Observations join in any order, and a timeline has no gap and no overlap."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.coverage import (
    CoverageCondition,
    CoverageInterval,
    IncidentSpan,
    LivePeriod,
    Observation,
    ObservedSpan,
    join,
    merged,
    stretches,
)
from monitors.status import IncidentKind

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(sec: float) -> datetime:
    return START + timedelta(seconds=sec)


def span(start: float, end: float, reason: str | None = None) -> ObservedSpan:
    return ObservedSpan(start=at(start), end=at(end), reason=reason)


spans = st.builds(
    lambda start, length, reason: span(start, start + length, reason),
    st.integers(0, 60),
    st.integers(1, 20),
    st.sampled_from([None, None, "http_404", "timeout"]),
)


def read(told: list[ObservedSpan]) -> list[Observation]:
    return [Observation(each.start, each.end, each.reason) for each in join(told)]


def second(told: list[ObservedSpan], sec: int) -> list[str | None]:
    return [each.reason for each in told if each.start <= at(sec) < each.end]


@settings(deadline=None)
@given(st.lists(spans, max_size=12), st.randoms())
def test_observations_join_in_any_order_and_any_number_of_times(
    told: list[ObservedSpan], chance: st.DataObject
) -> None:
    joined = join(told)
    again = [*told, *told, *joined]
    chance.shuffle(again)  # type: ignore[attr-defined]
    cut = len(again) // 2
    assert join(again) == join([*join(again[:cut]), *again[cut:]]) == joined
    for one, other in pairwise(joined):
        assert one.end < other.start or (one.end == other.start and one.reason != other.reason)
    for sec in range(90):
        said = second(told, sec)
        expected = [None] if None in said else sorted(filter(None, said))[:1]
        assert second(joined, sec) == expected


incidents = st.builds(
    lambda kind, start, length: IncidentSpan(
        kind, at(start), None if length is None else at(start + length)
    ),
    st.sampled_from(IncidentKind),
    st.floats(0, 60),
    st.none() | st.floats(0, 20),
)


@settings(deadline=None)
@given(
    observed=st.lists(spans, max_size=8),
    open_ones=st.lists(incidents, max_size=6),
    live=st.none()
    | st.builds(lambda a, b: LivePeriod(at(a), at(b)), st.floats(0, 30), st.floats(30, 90))
    | st.builds(lambda a: LivePeriod(at(a)), st.floats(0, 30)),
    since=st.floats(0, 40),
    length=st.floats(0.002, 60),
)
def test_a_timeline_has_no_gap_and_no_overlap(
    observed: list[ObservedSpan],
    open_ones: list[IncidentSpan],
    live: LivePeriod | None,
    since: float,
    length: float,
) -> None:
    told = merged(
        stretches(
            at(since), at(since + length), live=live, observed=read(observed), incidents=open_ones
        )
    )
    whole_ms = (told[-1].end - told[0].start) // timedelta(milliseconds=1)
    assert sum(each.milliseconds for each in told) == whole_ms
    assert abs((told[0].start - at(since)).total_seconds()) < 0.001
    assert abs((told[-1].end - at(since + length)).total_seconds()) < 0.001
    for one, other in pairwise(told):
        assert one.start < one.end == other.start
        assert (one.condition, one.kinds, one.reason) != (
            other.condition,
            other.kinds,
            other.reason,
        )


def told(
    observed: list[ObservedSpan],
    open_ones: list[IncidentSpan],
    live: LivePeriod | None,
    until: float = 100,
) -> list[tuple[float, str, tuple[str, ...], str | None]]:
    intervals = merged(
        stretches(at(0), at(until), live=live, observed=read(observed), incidents=open_ones)
    )
    return [_short(each) for each in intervals]


def _short(each: CoverageInterval) -> tuple[float, str, tuple[str, ...], str | None]:
    end_sec = (each.end - START).total_seconds()
    return end_sec, each.condition.value, tuple(kind.value for kind in each.kinds), each.reason


BLACK = IncidentKind.BLACKOUT


@pytest.mark.parametrize(
    ("observed", "open_ones", "live", "expected"),
    [
        pytest.param([], [], None, [(100, "not_live", (), None)], id="never live"),
        pytest.param(
            [span(0, 50)],
            [],
            LivePeriod(at(10)),
            [(10, "not_live", (), None), (50, "ok", (), None), (100, "unwatched", (), None)],
            id="nobody looks any more",
        ),
        pytest.param(
            [span(0, 50), span(50, 60, "timeout"), span(60, 100)],
            [],
            LivePeriod(at(0)),
            [(50, "ok", (), None), (60, "unknown", (), "timeout"), (100, "ok", (), None)],
            id="not seen for a while",
        ),
        pytest.param(
            [span(0, 100)],
            [IncidentSpan(BLACK, at(20), at(60))],
            LivePeriod(at(0)),
            [(20, "ok", (), None), (60, "faulty", ("blackout",), None), (100, "ok", (), None)],
            id="a fault counts from its first moment",
        ),
        pytest.param(
            [span(0, 40), span(40, 70, "bot_check"), span(70, 100)],
            [IncidentSpan(BLACK, at(20), at(80))],
            LivePeriod(at(0)),
            [
                (20, "ok", (), None),
                (40, "faulty", ("blackout",), None),
                (70, "faulty", ("blackout",), "bot_check"),
                (80, "faulty", ("blackout",), None),
                (100, "ok", (), None),
            ],
            id="an open incident stays one while nothing is seen",
        ),
        pytest.param(
            [span(0, 40)],
            [IncidentSpan(BLACK, at(20))],
            LivePeriod(at(0)),
            [
                (20, "ok", (), None),
                (40, "faulty", ("blackout",), None),
                (100, "faulty", ("blackout",), "unwatched"),
            ],
            id="an open incident stays one while nobody looks",
        ),
        pytest.param(
            [span(0, 100)],
            [IncidentSpan(BLACK, at(20)), IncidentSpan(IncidentKind.SILENCE, at(30), at(40))],
            LivePeriod(at(0), at(90)),
            [
                (20, "ok", (), None),
                (30, "faulty", ("blackout",), None),
                (40, "faulty", ("blackout", "silence"), None),
                (90, "faulty", ("blackout",), None),
                (100, "not_live", (), None),
            ],
            id="two at once, one open at the end of the stream",
        ),
        pytest.param(
            [span(0, 100)],
            [IncidentSpan(IncidentKind.RENDITION, at(20), at(30))],
            LivePeriod(at(0)),
            [(20, "ok", (), None), (30, "faulty", ("rendition",), None), (100, "ok", (), None)],
            id="a warning is an incident, too",
        ),
        pytest.param(
            [span(14, 60)],
            [],
            LivePeriod(at(10), at(80)),
            [(10, "not_live", (), None), (80, "ok", (), None), (100, "not_live", (), None)],
            id="the edges of a live period",
        ),
        pytest.param(
            [span(45, 60)],
            [],
            LivePeriod(at(10), at(95)),
            [
                (10, "not_live", (), None),
                (45, "unwatched", (), None),
                (60, "ok", (), None),
                (95, "unwatched", (), None),
                (100, "not_live", (), None),
            ],
            id="what is too long for an edge",
        ),
    ],
)
def test_what_a_moment_is(
    observed: list[ObservedSpan],
    open_ones: list[IncidentSpan],
    live: LivePeriod | None,
    expected: list[tuple[float, str, tuple[str, ...], str | None]],
) -> None:
    assert told(observed, open_ones, live) == expected


def test_conditions_are_those_of_the_contract() -> None:
    assert {*CoverageCondition} == {"ok", "faulty", "unknown", "unwatched", "not_live"}
