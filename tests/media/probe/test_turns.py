"""Who waits for whom."""

import asyncio
import contextlib

import pytest

from media.probe.turns import Pace, Turns


async def settle() -> None:
    """Let everybody go as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Stage:
    """Streams that take turns.

    Attributes:
        at_work: names of those that have one, in the order in which they got it.
    """

    def __init__(self, parallel: int) -> None:
        self._turns = Turns(parallel)
        self.at_work: list[str] = []
        self._over: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def asks(self, name: str, *, is_slow: bool = False) -> asyncio.Task[None]:
        self._over[name] = asyncio.Event()
        task = asyncio.create_task(self._take(name, Pace(is_slow)))
        self._tasks.append(task)
        return task

    async def _take(self, name: str, pace: Pace) -> None:
        async with self._turns.taken(pace, 3600.0):
            self.at_work.append(name)
            await self._over[name].wait()
            self.at_work.remove(name)

    async def ends(self, name: str) -> None:
        self._over[name].set()
        await settle()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def test_turns_are_given_in_the_order_of_arrival() -> None:
    stage = Stage(2)
    for name in "abcd":
        stage.asks(name)
    await settle()
    assert stage.at_work == ["a", "b"]
    await stage.ends("a")
    assert stage.at_work == ["b", "c"]
    await stage.close()


async def test_slow_streams_leave_turns_to_the_others() -> None:
    stage = Stage(2)
    for name in ("slow 1", "slow 2", "slow 3"):
        stage.asks(name, is_slow=True)
    stage.asks("good")
    await settle()
    assert stage.at_work == ["slow 1", "good"]
    await stage.ends("good")
    assert stage.at_work == ["slow 1"]
    await stage.ends("slow 1")
    assert stage.at_work == ["slow 2"]
    await stage.close()


async def test_one_that_gives_up_while_it_waits_takes_no_turn() -> None:
    stage = Stage(2)
    first, waiting = stage.asks("slow 1", is_slow=True), stage.asks("slow 2", is_slow=True)
    stage.asks("slow 3", is_slow=True)
    await settle()
    for task in (waiting, first):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    await settle()
    assert stage.at_work[-1] == "slow 3"
    await stage.close()


@pytest.mark.parametrize(
    ("duration_sec", "is_slow"),
    [pytest.param(0.0, True, id="slower than it lasts"), pytest.param(3600.0, False, id="faster")],
)
async def test_a_stream_is_slow_by_its_last_segment(duration_sec: float, is_slow: bool) -> None:
    pace = Pace(is_slow=not is_slow)
    async with Turns(1, slow_sec=0.0).taken(pace, duration_sec):
        await asyncio.sleep(0.001)
    assert pace.is_slow is is_slow


async def failing(pace: Pace) -> None:
    async with Turns(1, slow_sec=0.0).taken(pace, 0.0):
        await asyncio.sleep(0.001)
        raise ValueError("broken")


async def test_a_segment_that_fails_counts_too() -> None:
    pace = Pace()
    with pytest.raises(ValueError, match="broken"):
        await failing(pace)
    assert pace.is_slow
