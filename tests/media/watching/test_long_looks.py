"""Looks at a source that take long: what is told of the stream meanwhile and afterwards."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx

from media.decoding.ffmpeg_probe import FfmpegProbe
from media.sources.source import Observation, SourceState
from media.watching import SegmentProber, StreamWatch, WatchState
from media.watching.stream import LONG_LOOK
from monitors.config import MonitorConfig
from monitors.detectors.stream_faults import Elapsed
from monitors.status import Health

START = datetime(2026, 5, 1, tzinfo=UTC)
LONG_LOOK_SEC = 0.01
CONFIG = MonitorConfig(segment_error_threshold_sec=60)


def paused(minutes: int) -> Observation:
    return Observation(
        state=SourceState.NOT_OBSERVED,
        reason="bot_check",
        message=f"nothing is asked for {minutes} min",
        retry_after_sec=0.001,
    )


class Asked:
    """A source that answers what it is told to, when it is told to."""

    def __init__(self, *answers: Observation) -> None:
        self.may_answer = asyncio.Event()
        self._answers: Iterator[Observation] = iter(answers)

    async def observe(self, *, refresh: bool = False) -> Observation:
        await self.may_answer.wait()
        return next(self._answers)

    async def observe_status(self, *, priority: bool = False) -> Observation:
        return await self.observe()

    def poll_delay_sec(self, seen: Observation, **schedule: object) -> float:
        raise NotImplementedError


class Clock:
    """A clock that a test puts forward."""

    at = START

    def __call__(self) -> datetime:
        return self.at


def watch_of(source: Asked, state: WatchState, clock: Clock) -> StreamWatch:
    prober = SegmentProber(
        httpx.AsyncClient(), FfmpegProbe("none", parallel=1), segment_max_bytes=1
    )
    return StreamWatch(
        source, state, config=CONFIG, prober=prober, now=clock, long_look_sec=LONG_LOOK_SEC
    )


async def until_unknown(state: WatchState) -> None:
    async with asyncio.timeout(30):
        while state.unknown is None:
            await asyncio.sleep(0.01)


async def test_while_a_look_takes_long_nothing_is_known_and_its_time_counts_not() -> None:
    state, clock, source = WatchState(), Clock(), Asked(paused(15))
    state.segment_errors.elapsed = Elapsed.since(START)
    watching = asyncio.create_task(watch_of(source, state, clock).run())
    await until_unknown(state)
    assert (state.unknown, state.looked_at) == (LONG_LOOK, START)
    assert (state.health().video, state.health().audio) == (Health.UNKNOWN, Health.UNKNOWN)
    assert state.health().reason
    clock.at += timedelta(minutes=10)
    source.may_answer.set()
    await watching
    assert state.unknown == "bot_check"
    assert state.segment_errors.elapsed.until(clock.at) == 0


async def test_the_time_of_a_look_that_finds_a_fault_counts() -> None:
    fault = Observation(state=SourceState.NOT_OBSERVED, reason="timeout", is_fault=True)
    state, clock, source = WatchState(), Clock(), Asked(fault)
    state.segment_errors.elapsed = Elapsed.since(START)
    watching = asyncio.create_task(watch_of(source, state, clock).run())
    await until_unknown(state)
    clock.at += timedelta(minutes=10)
    source.may_answer.set()
    await watching
    assert [each.event_type for each in state.pending_events] == ["alert.segment_error"]


async def test_another_pause_is_told_at_once() -> None:
    state, source = WatchState(), Asked(paused(15), paused(15), paused(30))
    source.may_answer.set()
    told = []
    for _ in range(2):
        await watch_of(source, state, Clock()).run()
        told.append(state.unknown_because)
    assert told == ["nothing is asked for 15 min", "nothing is asked for 30 min"]
