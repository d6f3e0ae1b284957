"""A simulated hour of `python -m benchmarks.engine`."""

from benchmarks.engine import (
    HOUR_SEC,
    MOST_EVENTS,
    MOST_EVENTS_FLAPPING,
    REPORT_SEC,
    an_hour,
    flapping_as_told,
    healthy,
    waiting,
)


async def test_a_healthy_hour_costs_little_history_and_writes_its_counters_alone() -> None:
    hour = await an_hour(healthy())
    assert 0 < hour.events <= MOST_EVENTS
    counters = HOUR_SEC / REPORT_SEC
    # The first report, too, changes more than measurements.
    assert counters <= hour.writes <= counters + 2 * (1 + hour.reports)


async def test_an_hour_of_flapping_costs_little_history() -> None:
    hour = await an_hour(flapping_as_told())
    assert 200 < hour.events <= MOST_EVENTS_FLAPPING


async def test_waiting_writes_nothing() -> None:
    hour = await an_hour(waiting())
    assert hour.actions > 0
    assert hour.writes == 0
