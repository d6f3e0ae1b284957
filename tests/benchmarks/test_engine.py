"""A simulated hour of `python -m benchmarks.engine`."""

from activities.watch_stream import REPORT_SEC
from benchmarks.engine import HOUR_SEC, MOST_EVENTS, an_hour, healthy, waiting


async def test_a_healthy_hour_costs_little_history_and_writes_its_counters_alone() -> None:
    hour = await an_hour(healthy())
    assert 0 < hour.events <= MOST_EVENTS
    counters = HOUR_SEC / REPORT_SEC
    assert counters <= hour.writes <= 2 * counters + 2 * hour.reports


async def test_waiting_writes_nothing() -> None:
    hour = await an_hour(waiting())
    assert hour.actions > 0
    assert hour.writes == 0
