"""A segment with thousands of stretches is judged like any other, beside the event loop."""

import threading
from typing import Any, ClassVar

import pytest

from media.decoding.decode_slots import DecodeUsage
from media.watching.track_judge import MANY_STRETCHES
from monitors.frames import FRAME_BYTES
from monitors.measurement import Interval, ProbeContext, SegmentMeasurement, StillRun
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, WallClock, render
from tests.testkit.viewing import Studio, Viewer, studio

ONCE = ChannelOptions(at_end=AtEnd.END, window_segments=20)


class Noted(SegmentMeasurement):
    """Notes which threads look at its silence."""

    readers: ClassVar[set[int]] = set()

    def __getattribute__(self, name: str) -> Any:
        if name == "silent":
            Noted.readers.add(threading.get_ident())
        return super().__getattribute__(name)


class Crafted:
    """Finds the same picture in `runs` pieces a segment."""

    def __init__(self, runs: int) -> None:
        self._runs = runs

    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        usage: DecodeUsage | None = None,
        context: ProbeContext | None = None,
    ) -> SegmentMeasurement:
        step_sec = duration_sec / self._runs
        still = [
            StillRun(
                start=at * step_sec, end=(at + 1) * step_sec, picture=bytes([100]) * FRAME_BYTES
            )
            for at in range(self._runs)
        ]
        silent = [Interval(start=each.start, end=each.end) for each in still]
        return Noted(duration_sec=duration_sec, still=still, silent=silent)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("runs", "is_beside"), [(MANY_STRETCHES // 4, False), (3_000, True)], ids=["few", "many"]
)
async def test_it_is_the_same_freeze_and_silence_and_the_loop_goes_on(
    runs: int, is_beside: bool
) -> None:
    Noted.readers.clear()
    clock = WallClock(4)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as home:
        rendered = render(Programme.of([("normal", 6.0)], TINY))
        channel = origin.add("crafted", rendered, options=ONCE)
        viewer = Viewer.of(Studio(home.client, Crafted(runs), clock), channel.url)
        await viewer.to_the_end()
    assert viewer.types == ["alert.silence", "alert.freeze"]
    beside = Noted.readers - {threading.get_ident()}
    assert bool(beside) is is_beside
