from datetime import timedelta

import pytest

from monitors.config import Thresholds
from monitors.detectors.stream_faults import StallDetector, suspend_threshold_sec
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind
from tests.monitors.media_timeline import wall_clock

RULES = Thresholds()
TARGET_SEC = 4.0


def look(state: StallDetector, new_segments: bool, sec: float) -> list[IncidentChange]:
    """What a look at the playlist changes, after the state went through JSON."""
    again = StallDetector.model_validate_json(state.model_dump_json())
    changes = state.observed(new_segments, wall_clock(sec), TARGET_SEC, RULES)
    assert again.observed(new_segments, wall_clock(sec), TARGET_SEC, RULES) == changes
    assert again == state
    return changes


@pytest.mark.parametrize(
    ("target_duration_sec", "setting", "expected"),
    [
        pytest.param(2.0, None, 10.0, id="short segments"),
        pytest.param(6.0, None, 18.0, id="long segments"),
        pytest.param(6.0, 5.0, 5.0, id="set by the user"),
    ],
)
def test_a_playlist_is_judged_by_its_own_pace(
    target_duration_sec: float, setting: float | None, expected: float
) -> None:
    thresholds = Thresholds(suspend_threshold_sec=setting)
    assert suspend_threshold_sec(target_duration_sec, thresholds) == expected


def test_a_stream_that_stands_still_is_suspended_until_its_next_segment() -> None:
    state = StallDetector()
    assert look(state, True, 0) == []
    assert look(state, True, 4) == []
    assert look(state, False, 15.9) == []
    assert look(state, False, 16) == [
        IncidentOpened(
            kind=IncidentKind.SUSPENDED,
            started_at=wall_clock(4),
            duration_sec=12,
            threshold_sec=12,
        )
    ]
    assert state.open_since == wall_clock(4)
    assert look(state, False, 60) == []
    assert look(state, True, 64) == [
        IncidentClosed(
            kind=IncidentKind.SUSPENDED,
            started_at=wall_clock(4),
            recovered_at=wall_clock(64),
            total_duration_sec=60,
        )
    ]
    assert state.open_since is None
    assert look(state, False, 75.9) == []


def test_a_stream_without_any_segment_is_suspended_from_the_first_look_on() -> None:
    state = StallDetector()
    assert look(state, False, 5) == []
    [opened] = look(state, False, 17)
    assert opened.started_at == wall_clock(5)


def test_a_look_that_is_some_milliseconds_early_does_not_wait_for_the_next() -> None:
    state = StallDetector()
    look(state, True, 0)
    assert look(state, False, 11.9) == []
    assert len(look(state, False, 11.99)) == 1


def test_a_late_segment_is_no_suspension() -> None:
    state = StallDetector()
    assert look(state, True, 0) == []
    assert look(state, True, 30) == []


def test_time_in_which_nothing_could_be_seen_is_no_standstill() -> None:
    state = StallDetector()
    assert look(state, True, 0) == []
    assert look(state, False, 4) == []
    state.unobserved(wall_clock(900))
    assert look(state, False, 905) == []
    [opened] = look(state, False, 908)
    assert opened.started_at == wall_clock(0)
    state.unobserved(wall_clock(1800))
    [closed] = look(state, True, 1801)
    assert isinstance(closed, IncidentClosed)
    assert closed.total_duration_sec == 1801 - 896


@pytest.mark.parametrize("step_sec", [-3600, -5])
def test_a_clock_that_is_set_back_breaks_nothing(step_sec: float) -> None:
    state = StallDetector()
    looks = [(True, 0), (False, 8), (False, 9 + step_sec), (False, 13 + step_sec)]
    changes = [look(state, new_segments, sec) for new_segments, sec in looks]
    assert [len(found) for found in changes] == [0, 0, 0, 1]
    [closed] = look(state, True, 20 + step_sec)
    assert isinstance(closed, IncidentClosed)
    assert closed.total_duration_sec == 19
    assert closed.recovered_at >= closed.started_at
    assert closed.recovered_at - closed.started_at <= timedelta(seconds=19)
