"""How loud streams were in the last half hour."""

from datetime import UTC, datetime, timedelta

import pytest

from api.monitors import level_history
from api.monitors.level_history import LevelHistory
from monitors.reports import SoundLevels

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def loud(dbfs: float) -> SoundLevels:
    return SoundLevels(channels_dbfs=[dbfs - 3, dbfs])


def test_half_an_hour_is_kept_and_no_more_than_one_point_in_five_seconds() -> None:
    history = LevelHistory()
    for second in range(0, 3600, 2):
        history.add("mon-1", BEGIN + timedelta(seconds=second), loud(-20))
    points = history.of("mon-1", "dBFS")
    assert len(points) == 301
    assert points[-1][0] - points[0][0] == 1800
    assert {level for _, level in points} == {-20.0}


def test_levels_of_another_unit_begin_anew() -> None:
    history = LevelHistory()
    history.add("mon-1", BEGIN, loud(-20))
    later = BEGIN + timedelta(seconds=10)
    history.add("mon-1", later, SoundLevels(short_term_lufs=-23.04, channels_dbfs=[-20]))
    history.add("mon-1", later, None)
    assert history.of("mon-1", "dBFS") == []
    assert history.of("mon-1", "LUFS") == [(later.timestamp(), -23.0)]


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    history = LevelHistory()
    history.add("mon-1", BEGIN, loud(-20))
    earlier = BEGIN - timedelta(hours=1)
    history.add("mon-1", earlier, loud(-30))
    assert history.of("mon-1", "dBFS") == [(earlier.timestamp(), -30.0)]


def test_a_new_monitor_takes_the_place_of_a_quiet_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_history, "MOST_MONITORS", 2)
    history = LevelHistory()
    for second, monitor_id in ((0, "mon-1"), (10, "mon-2"), (200, "mon-2"), (210, "mon-3")):
        history.add(monitor_id, BEGIN + timedelta(seconds=second), loud(-20))
    assert [len(history.of(each, "dBFS")) for each in ("mon-1", "mon-2", "mon-3")] == [0, 2, 1]


def test_more_monitors_than_are_kept_push_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_history, "MOST_MONITORS", 2)
    history = LevelHistory()
    for second in range(0, 600, 10):
        for monitor_id in ("mon-1", "mon-2", "mon-3"):
            history.add(monitor_id, BEGIN + timedelta(seconds=second), loud(-20))
    assert [len(history.of(each, "dBFS")) for each in ("mon-1", "mon-2", "mon-3")] == [60, 60, 0]
