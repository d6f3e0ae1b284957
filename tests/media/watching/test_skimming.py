"""A calm stream is skimmed; what happens in it is told as if each picture had been looked at."""

import asyncio
from dataclasses import dataclass

import pytest

from media.watching import ResumeHint, SegmentCache
from monitors.config import MonitorConfig
from monitors.events import EndReason
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, WallClock, render
from tests.media.watching.test_takeover import Relay, told
from tests.testkit.viewing import Viewer, studio

SCENES = [
    *(("normal", 6.4), ("black", 7.3), ("normal", 6.9), ("frozen", 3.6), ("black", 2.0)),
    *(("frozen", 4.7), ("normal", 4.2)),
]
EXPECTED = [
    *("alert.blackout", "alert.blackout_recovered", "alert.freeze", "alert.freeze_recovered"),
]
SPEED = 2
CALM = MonitorConfig(
    blackout_threshold_sec=5, silence_threshold_sec=0, freeze_threshold_sec=6, recovery_sec=1.5
)
OPTIONS = ChannelOptions(at_end=AtEnd.END, window_segments=40)


class Forgetful(Relay):
    """Each turn is on another worker, which has kept nothing."""

    async def _turn(self) -> bool:
        self.viewer.cache = SegmentCache()
        self.viewer.hint = ResumeHint()
        return await super()._turn()


@dataclass(frozen=True)
class Day:
    """The same stream, seen in full and skimmed, without and with interruptions."""

    in_full: Viewer
    skimmed: dict[str, Viewer]


async def watch_in_each_way() -> Day:
    clock = WallClock(SPEED)
    async with (
        LiveOrigin(clock=clock) as origin,
        studio(clock, skims=False) as thorough,
        studio(clock) as hurried,
    ):
        url = origin.add("calm", render(Programme.of(SCENES, TINY)), options=OPTIONS).url
        viewers = [Viewer.of(hurried, url, CALM) for _ in range(4)]
        in_full, *skimmed = await asyncio.gather(
            Viewer.of(thorough, url, CALM).to_the_end(),
            viewers[0].to_the_end(),
            Relay(viewers[1], 1).hand_over(),
            Forgetful(viewers[2], 2).hand_over(),
            Forgetful(viewers[3], 3).crash(),
        )
    ways = ("unbroken", "handed over", "taken over", "crashed")
    return Day(in_full, dict(zip(ways, skimmed, strict=True)))


@pytest.fixture(scope="module")
def day() -> Day:
    return asyncio.run(watch_in_each_way())


@pytest.mark.parametrize("way", ["unbroken", "handed over", "taken over", "crashed"])
def test_it_tells_what_looking_at_each_picture_tells(day: Day, way: str) -> None:
    viewer = day.skimmed[way]
    assert day.in_full.types == EXPECTED
    assert told(viewer) == told(day.in_full)
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    assert viewer.state.statistics == day.in_full.state.statistics


def test_only_calm_media_is_skimmed(day: Day) -> None:
    assert skimmed_of(day.in_full) == 0
    assert skimmed_of(day.skimmed["unbroken"]) >= 6


def test_the_cache_holds_what_is_deferred_and_no_more(day: Day) -> None:
    viewer = day.skimmed["unbroken"]
    assert any(each.measurement and each.measurement.cached for each in viewer.seen)
    viewer.seen.clear()
    deferred = [
        it.measurement.cached for it in viewer.state.tracks["main"].detectors.video.deferred
    ]
    assert viewer.cache.held_bytes == sum(len(it.media or b"") for it in deferred if it)


def skimmed_of(viewer: Viewer) -> int:
    return sum(bool(each.measurement and each.measurement.is_skimmed) for each in viewer.seen)
