"""Where only one of picture and sound can be decoded, that one is judged still."""

from dataclasses import dataclass
from typing import Any

import pytest

from media.decoding.decode_slots import DecodeUsage
from monitors.config import MonitorConfig
from monitors.measurement import Interval, ProbeContext, SegmentMeasurement
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, WallClock, render
from tests.testkit.viewing import Studio, Viewer, studio

ONCE = ChannelOptions(at_end=AtEnd.END, window_segments=20)
TOUCHY = MonitorConfig(
    blackout_threshold_sec=3,
    silence_threshold_sec=3,
    freeze_threshold_sec=3,
    segment_error_threshold_sec=4,
)


@dataclass
class HalfBroken:
    """Finds silence and black in each segment, and that one of both cannot be decoded."""

    broken: dict[str, Any]

    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        usage: DecodeUsage | None = None,
        context: ProbeContext | None = None,
    ) -> SegmentMeasurement:
        whole = [Interval(start=0.0, end=duration_sec)]
        found = {"silent": whole, "black": whole, **self.broken}
        return SegmentMeasurement(duration_sec=duration_sec, **found)

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("broken", "alert"),
    [
        ({"video_error": "no picture", "black": []}, "alert.silence"),
        ({"audio_error": "no sound", "silent": []}, "alert.blackout"),
    ],
)
async def test_the_other_one_is_judged_and_the_segments_count_as_failed(
    broken: dict[str, Any], alert: str
) -> None:
    clock = WallClock(2)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as home:
        rendered = render(Programme.of([("normal", 10.0)], TINY))
        channel = origin.add("half", rendered, options=ONCE)
        half = Studio(home.client, HalfBroken(broken), clock)
        viewer = await Viewer.of(half, channel.url, TOUCHY).to_the_end()
    assert set(viewer.types) == {alert, "alert.segment_error"}
    assert viewer.failed() == viewer.sequences()
    assert viewer.state.statistics.segments_failed == len(viewer.seen)
    assert viewer.state.statistics.total_segments_analyzed == 0
