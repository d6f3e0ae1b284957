"""Who waits for whom."""

import asyncio
import contextlib

import pytest

from media.decoding.decode_slots import (
    MAX_DEBT_SEC,
    REFUND_RATE,
    SLOW_FACTOR,
    SLOW_SEC,
    DecodeSlots,
    DecodeUsage,
)


async def settle() -> None:
    """Let everybody go as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Harness:
    """Streams that take turns.

    Attributes:
        now: of its clock.
        at_work: names of those that have one, in the order in which they got it.
    """

    def __init__(self, parallel: int) -> None:
        self._slots = DecodeSlots(parallel, clock=lambda: self.now)
        self.now = 1000.0
        self.at_work: list[str] = []
        self._over: dict[str, asyncio.Event] = {}
        self._usages: dict[str, DecodeUsage] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def asks(self, *names: str) -> "asyncio.Task[None]":
        """Have streams ask for a turn, one after the other; return the last one's task."""
        for name in names:
            self._over[name] = asyncio.Event()
            task = asyncio.create_task(
                self._take(name, self._usages.setdefault(name, DecodeUsage()))
            )
            self._tasks.append(task)
        await settle()
        return task

    async def _take(self, name: str, usage: DecodeUsage) -> None:
        async with self._slots.slot(usage):
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
    harness = Harness(2)
    await harness.asks(*"abcd")
    assert harness.at_work == ["a", "b"]
    await harness.ends("a")
    assert harness.at_work == ["b", "c"]
    await harness.close()


async def test_who_used_little_waits_for_few() -> None:
    harness = Harness(1)
    await harness.has_used("greedy", SLOW_SEC)
    await harness.asks("at work", "greedy", "modest")
    await harness.ends("at work")
    assert harness.at_work == ["modest"]
    await harness.close()


async def test_what_was_used_is_refunded_as_time_passes() -> None:
    harness = Harness(1)
    await harness.has_used("greedy", SLOW_SEC)
    harness.now += SLOW_SEC / REFUND_RATE
    await harness.asks("at work", "greedy", "modest")
    await harness.ends("at work")
    assert harness.at_work == ["greedy"]
    await harness.close()


async def test_nobody_waits_for_ever() -> None:
    """Who used much comes before those that come long after."""
    harness = Harness(1)
    usage = DecodeUsage()
    usage.record(3600.0, harness.now)
    assert usage.due_at(harness.now) == harness.now + MAX_DEBT_SEC / REFUND_RATE
    await harness.has_used("greedy", SLOW_SEC)
    await harness.asks("at work", "greedy")
    harness.now += SLOW_SEC / REFUND_RATE + 1
    await harness.asks("modest")
    await harness.ends("at work")
    assert harness.at_work == ["greedy"]
    await harness.close()


async def test_streams_with_slow_turns_leave_half_of_the_turns_to_the_others() -> None:
    harness = Harness(2)
    slow = ["slow 1", "slow 2", "slow 3"]
    for name in slow:
        await harness.has_used(name, SLOW_SEC + 1)
    await harness.asks(*slow, "good")
    assert harness.at_work == ["slow 1", "good"]
    await harness.ends("good")
    assert harness.at_work == ["slow 1"]
    await harness.ends("slow 1")
    assert harness.at_work == ["slow 2"]
    await harness.close()


async def test_neighbours_do_not_wait_for_segments_that_say_they_last_a_minute() -> None:
    """Two streams take 40 s for each of their segments, one comes every minute.

    The first of them is waited for, as nobody knows them yet.
    """
    harness, hostile = Harness(2), ("hostile 1", "hostile 2")
    for name in hostile:
        await harness.has_used(name, 40.0)
    for _ in range(10):
        harness.now += 20.0
        await harness.asks(*hostile)
        for _ in range(20):
            await harness.asks("good")
            assert "good" in harness.at_work
            await harness.ends("good", after_sec=0.1)
        await harness.ends(*hostile, after_sec=38.0)
    await harness.close()


async def test_a_quick_turn_between_slow_ones_hides_nothing() -> None:
    harness = Harness(2)
    for name in ("cunning 1", "cunning 2"):
        await harness.has_used(name, 40.0)
        await harness.has_used(name, 0.1)
    await harness.asks("cunning 1", "cunning 2", "good")
    assert harness.at_work == ["cunning 1", "good"]
    await harness.close()


async def test_a_stream_whose_turns_are_quick_again_is_no_longer_slow() -> None:
    harness = Harness(2)
    for name in ("once slow 1", "once slow 2"):
        await harness.has_used(name, 10.0)
    harness.now += 10.0 * SLOW_FACTOR
    await harness.asks("once slow 1", "once slow 2")
    assert harness.at_work == ["once slow 1", "once slow 2"]
    await harness.close()


async def test_one_that_gives_up_while_it_waits_takes_no_turn() -> None:
    harness = Harness(2)
    for name in ("slow 1", "slow 2", "slow 3"):
        await harness.has_used(name, SLOW_SEC + 1)
    first = await harness.asks("slow 1")
    waiting = await harness.asks("slow 2")
    await harness.asks("slow 3")
    for task in (waiting, first):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    await settle()
    assert harness.at_work == ["slow 3"]
    await harness.close()


async def test_one_that_gives_up_just_when_its_turn_comes_gives_it_back() -> None:
    harness = Harness(1)
    await harness.asks("a")
    waiting = await harness.asks("b")
    await harness.asks("c")
    harness._over["a"].set()
    while harness.at_work == ["a"]:
        await asyncio.sleep(0)
    waiting.cancel()
    await settle()
    assert harness.at_work == ["c"]
    await harness.close()


async def failing(slots: DecodeSlots, usage: DecodeUsage) -> None:
    async with slots.slot(usage):
        raise ValueError("broken")


async def test_a_segment_that_fails_counts_too() -> None:
    moments = iter([0.0, 0.0, 0.0, 10.0])
    usage = DecodeUsage()
    with pytest.raises(ValueError, match="broken"):
        await failing(DecodeSlots(1, clock=lambda: next(moments)), usage)
    assert usage.is_slow(10.0)
