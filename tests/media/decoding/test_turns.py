"""Who waits for whom."""

import asyncio
import contextlib

import pytest

from media.decoding.decode_slots import (
    MOST_DEBT_SEC,
    REFUND,
    SLOW_SEC,
    SLOW_TIMES,
    DecodeSlots,
    Pace,
)


async def settle() -> None:
    """Let everybody go as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Stage:
    """Streams that take turns.

    Attributes:
        now: of its clock.
        at_work: names of those that have one, in the order in which they got it.
    """

    def __init__(self, parallel: int) -> None:
        self._turns = DecodeSlots(parallel, clock=lambda: self.now)
        self.now = 1000.0
        self.at_work: list[str] = []
        self._over: dict[str, asyncio.Event] = {}
        self._paces: dict[str, Pace] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def asks(self, *names: str) -> "asyncio.Task[None]":
        """Have streams ask for a turn, one after the other; return the last one's task."""
        for name in names:
            self._over[name] = asyncio.Event()
            task = asyncio.create_task(self._take(name, self._paces.setdefault(name, Pace())))
            self._tasks.append(task)
        await settle()
        return task

    async def _take(self, name: str, pace: Pace) -> None:
        async with self._turns.taken(pace):
            self.at_work.append(name)
            try:
                await self._over[name].wait()
            finally:
                self.at_work.remove(name)

    async def ends(self, *names: str, after_sec: float = 0.0) -> None:
        self.now += after_sec
        for name in names:
            self._over[name].set()
            await settle()

    async def has_used(self, name: str, seconds: float) -> None:
        """Let a stream have had a turn that took so long."""
        await self.asks(name)
        await self.ends(name, after_sec=seconds)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_turns_are_given_in_the_order_of_arrival() -> None:
    stage = Stage(2)
    await stage.asks(*"abcd")
    assert stage.at_work == ["a", "b"]
    await stage.ends("a")
    assert stage.at_work == ["b", "c"]
    await stage.close()


async def test_who_used_little_waits_for_few() -> None:
    stage = Stage(1)
    await stage.has_used("greedy", SLOW_SEC)
    await stage.asks("at work", "greedy", "modest")
    await stage.ends("at work")
    assert stage.at_work == ["modest"]
    await stage.close()


async def test_what_was_used_is_refunded_as_time_passes() -> None:
    stage = Stage(1)
    await stage.has_used("greedy", SLOW_SEC)
    stage.now += SLOW_SEC / REFUND
    await stage.asks("at work", "greedy", "modest")
    await stage.ends("at work")
    assert stage.at_work == ["greedy"]
    await stage.close()


async def test_nobody_waits_for_ever() -> None:
    """Who used much comes before those that come long after."""
    stage = Stage(1)
    pace = Pace()
    pace.used(3600.0, stage.now)
    assert pace.due_at(stage.now) == stage.now + MOST_DEBT_SEC / REFUND
    await stage.has_used("greedy", SLOW_SEC)
    await stage.asks("at work", "greedy")
    stage.now += SLOW_SEC / REFUND + 1
    await stage.asks("modest")
    await stage.ends("at work")
    assert stage.at_work == ["greedy"]
    await stage.close()


async def test_streams_with_slow_turns_leave_half_of_the_turns_to_the_others() -> None:
    stage = Stage(2)
    slow = ["slow 1", "slow 2", "slow 3"]
    for name in slow:
        await stage.has_used(name, SLOW_SEC + 1)
    await stage.asks(*slow, "good")
    assert stage.at_work == ["slow 1", "good"]
    await stage.ends("good")
    assert stage.at_work == ["slow 1"]
    await stage.ends("slow 1")
    assert stage.at_work == ["slow 2"]
    await stage.close()


async def test_neighbours_do_not_wait_for_segments_that_say_they_last_a_minute() -> None:
    """Two streams take 40 s for each of their segments, one comes every minute.

    The first of them is waited for, as nobody knows them yet.
    """
    stage, hostile = Stage(2), ("hostile 1", "hostile 2")
    for name in hostile:
        await stage.has_used(name, 40.0)
    for _ in range(10):
        stage.now += 20.0
        await stage.asks(*hostile)
        for _ in range(20):
            await stage.asks("good")
            assert "good" in stage.at_work
            await stage.ends("good", after_sec=0.1)
        await stage.ends(*hostile, after_sec=38.0)
    await stage.close()


async def test_a_quick_turn_between_slow_ones_hides_nothing() -> None:
    stage = Stage(2)
    for name in ("cunning 1", "cunning 2"):
        await stage.has_used(name, 40.0)
        await stage.has_used(name, 0.1)
    await stage.asks("cunning 1", "cunning 2", "good")
    assert stage.at_work == ["cunning 1", "good"]
    await stage.close()


async def test_a_stream_whose_turns_are_quick_again_is_no_longer_slow() -> None:
    stage = Stage(2)
    for name in ("once slow 1", "once slow 2"):
        await stage.has_used(name, 10.0)
    stage.now += 10.0 * SLOW_TIMES
    await stage.asks("once slow 1", "once slow 2")
    assert stage.at_work == ["once slow 1", "once slow 2"]
    await stage.close()


async def test_one_that_gives_up_while_it_waits_takes_no_turn() -> None:
    stage = Stage(2)
    for name in ("slow 1", "slow 2", "slow 3"):
        await stage.has_used(name, SLOW_SEC + 1)
    first = await stage.asks("slow 1")
    waiting = await stage.asks("slow 2")
    await stage.asks("slow 3")
    for task in (waiting, first):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    await settle()
    assert stage.at_work == ["slow 3"]
    await stage.close()


async def test_one_that_gives_up_just_when_its_turn_comes_gives_it_back() -> None:
    stage = Stage(1)
    await stage.asks("a")
    waiting = await stage.asks("b")
    await stage.asks("c")
    stage._over["a"].set()
    while stage.at_work == ["a"]:
        await asyncio.sleep(0)
    waiting.cancel()
    await settle()
    assert stage.at_work == ["c"]
    await stage.close()


async def failing(turns: DecodeSlots, pace: Pace) -> None:
    async with turns.taken(pace):
        raise ValueError("broken")


async def test_a_segment_that_fails_counts_too() -> None:
    moments = iter([0.0, 0.0, 0.0, 10.0])
    pace = Pace()
    with pytest.raises(ValueError, match="broken"):
        await failing(DecodeSlots(1, clock=lambda: next(moments)), pace)
    assert pace.is_slow(10.0)
