"""Clocks are set, forward and back, and workers' clocks differ: that is no fault of a stream."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from media.watching import WatchState
from media.watching.step_applier import SteadyClock
from monitors.config import MonitorConfig
from monitors.coverage_log import PAUSE, longest_pause
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, WallClock, render
from tests.testkit.viewing import Studio, Viewer, studio

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOUCHY = MonitorConfig(suspend_threshold_sec=5)


class Set:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.by_sec = 0.0

    def now(self) -> float:
        return WallClock().now() + self.by_sec

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def test_a_watch_does_not_notice_that_the_clock_is_set() -> None:
    wall, steady = [NOW], [100.0]
    clock = SteadyClock(lambda: wall[0], lambda: steady[0])
    wall[0], steady[0] = NOW + HOUR, 102.5
    assert clock() == NOW + timedelta(seconds=2.5)


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_clock_that_was_set_between_two_watches_makes_no_standstill(by: timedelta) -> None:
    rendered = render(Programme.of([("normal", 12.0)], TINY))
    options = ChannelOptions(at_end=AtEnd.END, window_segments=20)
    async with LiveOrigin() as origin, studio(WallClock()) as real:
        channel = origin.add("set", rendered, options=options)
        clock = Set()
        viewer = Viewer.of(Studio(real.client, real.probe, clock), channel.url, TOUCHY)
        await viewer.until(lambda it: len(it.seen) >= 4)
        clock.by_sec = by.total_seconds()
        viewer.state = WatchState.model_validate_json(viewer.state.model_dump_json())
        await viewer.to_the_end()
    assert viewer.types == []
    assert viewer.sequences() == list(range(len(channel.published)))


def test_what_is_waited_for_moves_with_a_clock_that_is_set_back() -> None:
    state = WatchState(clock_at=NOW, look_again_at=NOW + timedelta(seconds=9), said_over_at=NOW)
    state.go_on_at(NOW - HOUR)
    assert state.look_again_at == NOW - HOUR + timedelta(seconds=9)
    assert state.said_over_at == NOW - HOUR


def test_a_standstill_goes_on_through_a_takeover() -> None:
    state = WatchState(clock_at=NOW)
    state.stall.observed(False, NOW, 2.0, TOUCHY)
    at = NOW + PAUSE / 2
    state.go_on_at(at)
    assert state.stall.observed(False, at, 2.0, TOUCHY)


def test_time_in_which_nobody_watched_is_no_standstill() -> None:
    state = WatchState(clock_at=NOW)
    state.stall.observed(False, NOW, 2.0, TOUCHY)
    state.go_on_at(NOW + HOUR)
    assert state.stall.observed(False, NOW + HOUR, 2.0, TOUCHY) == []


def test_a_stream_that_is_looked_at_rarely_stands_still_between_two_looks() -> None:
    state = WatchState(clock_at=NOW)
    state.coverage.pause = longest_pause(300)
    state.stall.observed(False, NOW, 2.0, TOUCHY)
    at = NOW + timedelta(seconds=310)
    state.go_on_at(at)
    assert state.stall.observed(False, at, 2.0, TOUCHY)


def test_a_state_of_an_older_version_goes_on() -> None:
    state = WatchState(look_again_at=NOW)
    state.go_on_at(NOW - HOUR)
    assert state.look_again_at == NOW
