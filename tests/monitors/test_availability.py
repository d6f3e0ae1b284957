"""Availability: the parts add up, and 100 % says that nothing was wrong."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.availability import TimeResolution, Totals, periods
from monitors.coverage import CoverageCondition, CoverageInterval

START = datetime(2026, 1, 30, 22, 30, tzinfo=UTC)


def intervals(*parts: tuple[str, float]) -> list[CoverageInterval]:
    made, reached = [], START
    for condition, length_sec in parts:
        end = reached + timedelta(milliseconds=round(length_sec * 1000))
        reason = "timeout" if condition == "unknown" else None
        made.append(CoverageInterval(reached, end, CoverageCondition(condition), (), reason))
        reached = end
    return made


@pytest.mark.parametrize(
    ("parts", "low", "high"),
    [
        pytest.param([("not_live", 60)], None, None, id="never live"),
        pytest.param([("ok", 60), ("not_live", 60)], 100.0, 100.0, id="nothing wrong"),
        pytest.param([("ok", 90), ("faulty", 10)], 90.0, 90.0, id="a fault"),
        pytest.param(
            [("ok", 80), ("unknown", 5), ("unwatched", 5), ("faulty", 10)], 80.0, 90.0, id="unseen"
        ),
        pytest.param([("ok", 2_592_000), ("faulty", 0.001)], 99.9999, 99.9999, id="a millisecond"),
        pytest.param([("faulty", 1)], 0.0, 0.0, id="all of it"),
    ],
)
def test_how_available_a_stream_was(
    parts: list[tuple[str, float]], low: float | None, high: float | None
) -> None:
    totals = Totals.of(intervals(*parts))
    assert (totals.availability_low, totals.availability_high) == (low, high)


@pytest.mark.parametrize("reason", ["unwatched", "bot_check"])
def test_an_incident_that_nobody_sees_going_on_may_be_over(reason: str) -> None:
    seen, unseen = intervals(("faulty", 10), ("faulty", 40))
    up = intervals(("ok", 50))
    totals = Totals.of([*up, seen, unseen._replace(reason=reason)])
    assert (totals.availability_low, totals.availability_high) == (50.0, 90.0)
    assert totals.sec(CoverageCondition.FAULTY) == 50


lengths = st.lists(
    st.tuples(st.sampled_from(CoverageCondition), st.floats(0.001, 400_000)),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(lengths, st.sampled_from(TimeResolution))
def test_periods_add_up_to_the_whole_and_border_each_other(
    parts: list[tuple[str, float]], resolution: TimeResolution
) -> None:
    whole = intervals(*parts)
    cut = periods(whole, resolution)
    together, unseen_ms = Totals.of([]), 0
    for each in cut:
        together.milliseconds.update(each.totals.milliseconds)
        unseen_ms += each.totals.unseen_ms
        assert resolution.begin_of(each.start) == resolution.begin_of(
            each.end - timedelta(milliseconds=1)
        )
    assert Totals(together.milliseconds, unseen_ms) == Totals.of(whole)
    assert (cut[0].start, cut[-1].end) == (whole[0].start, whole[-1].end)
    assert all(one.end == other.start for one, other in pairwise(cut))
    assert all(resolution.begin_of(each.start) == each.start for each in cut[1:])
