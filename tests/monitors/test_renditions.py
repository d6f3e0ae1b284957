"""Which rendition is watched, and what is told of a preferred one that failed."""

from datetime import UTC, datetime, timedelta

import pytest

from monitors.detectors.renditions import (
    FAILING_SEC,
    LOST_AGAIN_SEC,
    MOST_AVOIDED,
    RETRY_SEC,
    WELL_SEC,
    RenditionDetector,
)
from monitors.incidents import IncidentClosed, IncidentOpened

AT = datetime(2026, 5, 1, tzinfo=UTC)
LADDER = {it: f"{it} 800 kbit/s" for it in ("low", "backup", "high")}


def after(sec: float) -> datetime:
    return AT + timedelta(seconds=sec)


def playing(name: str = "low") -> RenditionDetector:
    state = RenditionDetector()
    state.use(name, LADDER, AT)
    assert state.played(AT) == []
    return state


def taken_over(state: RenditionDetector) -> RenditionDetector:
    return RenditionDetector.model_validate_json(state.model_dump_json())


def test_a_failure_is_told_with_the_first_good_segment_of_another_one() -> None:
    state = playing()
    state.failed("http_5xx", after(100))
    state.avoid("low", "http_5xx", after(112))
    assert state.choose(LADDER) == "backup"
    assert state.use("backup", LADDER, after(112))
    state = taken_over(state)
    (opened,) = state.played(after(113))
    assert isinstance(opened, IncidentOpened)
    assert (opened.started_at, opened.duration_sec) == (after(100), 13)
    assert (opened.reason, opened.details) == (
        "http_5xx",
        {"from": LADDER["low"], "to": LADDER["backup"]},
    )
    state.avoid("backup", "stands_still", after(150))
    assert state.use("high", LADDER, after(150))
    assert state.played(after(151)) == []
    state.forgive("low")
    assert state.use("low", LADDER, after(200))
    (closed,) = state.played(after(201))
    assert isinstance(closed, IncidentClosed)
    assert (closed.recovered_at, closed.total_duration_sec) == (after(201), 101)
    assert state.played(after(203)) == []


def test_the_first_rendition_of_a_monitor_may_be_another_than_the_preferred_one() -> None:
    state = RenditionDetector()
    state.avoid("low", "http_404", AT)
    state.use("backup", LADDER, AT)
    (opened,) = state.played(after(2))
    assert isinstance(opened, IncidentOpened)
    assert opened.details == {"from": LADDER["low"], "to": LADDER["backup"]}


def test_renewed_urls_of_the_same_rendition_are_no_change() -> None:
    state = playing()
    assert not state.use("low", LADDER, after(600))
    assert not state.use("low", {}, after(700))
    assert state.played(after(700)) == []


def test_only_a_failure_that_lasts_replaces() -> None:
    state = playing()
    state.failed("timeout", AT)
    state.failed("timeout", after(FAILING_SEC - 1))
    assert not state.is_failing
    state.played(after(FAILING_SEC))
    state.failed("timeout", after(FAILING_SEC + 1))
    assert not state.is_failing
    state.failed("http_5xx", after(2 * FAILING_SEC + 1))
    assert (state.is_failing, state.failure) == (True, "http_5xx")


def test_segments_that_cannot_be_measured_are_a_failure_that_lasts() -> None:
    state = playing()
    for sec in range(int(FAILING_SEC) + 1):
        assert state.played(after(sec), unmeasurable="encrypted") == []
    assert (state.is_failing, state.failure) == (True, "encrypted")
    assert state.played(after(FAILING_SEC + 1)) == []
    assert not state.is_failing


def test_a_preferred_rendition_that_cannot_be_measured_has_not_recovered() -> None:
    state = playing()
    state.avoid("low", "encrypted", AT)
    state.use("backup", LADDER, AT)
    assert len(state.played(AT)) == 1
    state.use("low", LADDER, after(5))
    assert state.played(after(6), unmeasurable="encrypted") == []
    (closed,) = state.played(after(7))
    assert closed.started_at == AT


@pytest.mark.parametrize(
    ("reason", "apart_sec", "is_avoided"),
    [
        pytest.param("http_404", LOST_AGAIN_SEC - 1, True, id="gone twice soon"),
        pytest.param("http_404", LOST_AGAIN_SEC, False, id="gone twice, long apart"),
        pytest.param("http_403", 1, False, id="URLs that ran out"),
    ],
)
def test_one_answer_is_no_reason_to_change(reason: str, apart_sec: float, is_avoided: bool) -> None:
    state = playing()
    state.lost(reason, AT)
    assert state.avoided == {}
    state.lost(reason, after(apart_sec))
    assert ("low" in state.avoided) is is_avoided


def test_the_preferred_one_is_asked_again_later_and_later_until_it_was_well_for_long() -> None:
    state, now = playing(), 0.0
    for wait_sec in (*RETRY_SEC, RETRY_SEC[-1]):
        state.avoid("low", "stands_still", after(now))
        state.use("backup", LADDER, after(now))
        assert not state.is_retry_due(after(now + wait_sec - 1))
        assert state.is_retry_due(after(now + wait_sec))
        now += wait_sec
        state.forgive("low")
        state.use("low", LADDER, after(now))
    now += WELL_SEC
    state.avoid("low", "stands_still", after(now))
    state.use("backup", LADDER, after(now))
    assert state.is_retry_due(after(now + RETRY_SEC[0]))


def test_where_all_have_failed_none_is_chosen() -> None:
    state = playing()
    for name in LADDER:
        state.avoid(name, "http_404", AT)
    assert state.choose(LADDER) is None


def test_what_a_master_playlist_names_no_longer_is_forgotten() -> None:
    state = playing()
    state.avoid("low", "http_404", AT)
    state.use("high", {"high": "2 Mbit/s", "higher": "4 Mbit/s"}, AT)
    assert (state.preferred, state.avoided, state.played(AT)) == ("high", {}, [])


def test_what_is_remembered_is_bounded() -> None:
    state = playing()
    for number in range(2 * MOST_AVOIDED):
        state.avoid(f"variant {number}", "http_404", AT)
    assert len(state.avoided) == MOST_AVOIDED
