"""A segment with thousands of stretches is judged like any other, beside the event loop."""

import asyncio
import itertools

import pytest

from media.probe import Pace
from media.watch.track import MANY_STRETCHES
from monitors.measurement import Glance, Interval, SegmentMeasurement, StillRun
from monitors.pictures import PICTURE_BYTES
from tests.media.watch.viewing import Studio, Viewer, studio
from tests.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, WallClock, render

ONCE = ChannelOptions(at_end=AtEnd.END, window_segments=20)
LONGEST_PAUSE_SEC = 1.0
"""All of it takes several seconds."""


class Crafted:
    """Finds the same picture `runs` times a segment, with a little movement in between."""

    def __init__(self, runs: int) -> None:
        self._runs = runs

    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        pace: Pace | None = None,
        glance: Glance | None = None,
    ) -> SegmentMeasurement:
        step_sec = duration_sec / self._runs
        pictures = itertools.cycle([bytes([100]) * PICTURE_BYTES, bytes([101]) * PICTURE_BYTES])
        still = [
            StillRun(start=at * step_sec, end=(at + 0.9) * step_sec, picture=next(pictures))
            for at in range(self._runs)
        ]
        silent = [Interval(start=each.start, end=each.end) for each in still]
        return SegmentMeasurement(duration_sec=duration_sec, still=still, silent=silent)

    async def close(self) -> None:
        pass


async def longest_pause_sec(task: "asyncio.Task[Viewer]") -> float:
    """Return how long the event loop came to nothing else until `task` was done."""
    clock, longest = asyncio.get_running_loop().time, 0.0
    while not task.done():
        at = clock()
        await asyncio.sleep(0.01)
        longest = max(longest, clock() - at)
    return longest


@pytest.mark.parametrize("runs", [MANY_STRETCHES // 4, 3_000])
async def test_it_is_the_same_freeze_and_silence_and_the_loop_goes_on(runs: int) -> None:
    clock = WallClock(4)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as home:
        rendered = render(Programme.of([("normal", 6.0)], TINY))
        channel = origin.add("crafted", rendered, options=ONCE)
        crafted = Studio(home.client, Crafted(runs), clock)
        viewer = Viewer.of(crafted, channel.url)
        watching = asyncio.create_task(viewer.to_the_end())
        pause_sec = await longest_pause_sec(watching)
    assert (await watching).types == ["alert.silence", "alert.freeze"]
    assert pause_sec < LONGEST_PAUSE_SEC
