"""A stream that stands still is suspended, one that keeps failing is told, less is not."""

import asyncio
from dataclasses import dataclass, field

import pytest

from media.sources.direct import ManifestSource
from media.sources.source import Observation
from monitors.config import MonitorConfig
from monitors.events import EndReason
from simulator.origin import (
    TINY,
    AtEnd,
    Change,
    Channel,
    ChannelOptions,
    Fault,
    FaultKind,
    LiveOrigin,
    Programme,
    Target,
    WallClock,
    render,
)
from tests.testkit.viewing import Studio, Viewer, moment, studio

SPEED = 4
LOOK_SEC = SPEED * 3.0
"""How late a watch may notice: a target duration of its own time, and as much again on a busy
machine."""

ONCE = ChannelOptions(at_end=AtEnd.END, window_segments=40)
EMPTY_AT_FIRST = ONCE.model_copy(update={"backlog_segments": 0})
SUSPENDING = MonitorConfig(suspend_threshold_sec=6)
FAILING = MonitorConfig(segment_error_threshold_sec=6)
PATIENT = MonitorConfig(suspend_threshold_sec=6, segment_error_threshold_sec=30)
FAULTY = MonitorConfig(blackout_threshold_sec=5, silence_threshold_sec=5)


class CountedLooks(ManifestSource):
    """A source that counts how often it is asked."""

    looks = 0

    async def observe(self, *, refresh: bool = False) -> Observation:
        self.looks += 1
        return await super().observe(refresh=refresh)


@dataclass
class Show:
    """A channel, who watched it, and the conditions of picture and sound on the way."""

    channel: Channel
    source: CountedLooks
    viewer: Viewer
    conditions: list[tuple[str, str]] = field(default_factory=list)

    async def watch(self) -> None:
        await self.viewer.until(self._record)

    def _record(self, viewer: Viewer) -> bool:
        health = viewer.state.health()
        condition = (health.video.value, health.audio.value)
        if self.conditions[-1:] != [condition]:
            self.conditions.append(condition)
        return False


def show(
    origin: LiveOrigin,
    hurried: Studio,
    name: str,
    scenes: list[tuple[str, float]],
    *,
    config: MonitorConfig | None = None,
    options: ChannelOptions = ONCE,
    faults: tuple[Fault, ...] = (),
    changes: tuple[Change, ...] = (),
) -> Show:
    rendered = render(Programme.of(scenes, TINY))
    channel = origin.add(name, rendered, options=options, faults=faults, changes=changes)
    source = CountedLooks(channel.url, hurried.client)
    return Show(channel, source, Viewer(hurried, source, config or MonitorConfig()))


def shows(origin: LiveOrigin, hurried: Studio) -> list[Show]:
    stall = Change(kind="stall", at_sec=10, for_sec=20)
    pause = Change(kind="stall", at_sec=8, for_sec=5, catch_up=True)
    garbage = Fault(kind=FaultKind.GARBAGE, from_sec=6, to_sec=20)
    interrupted = Fault(kind=FaultKind.GARBAGE, from_sec=6, to_sec=12)
    refused = Fault(kind=FaultKind.STATUS, status=403, from_sec=8, to_sec=16)
    page = Fault(
        kind=FaultKind.STATUS, target=Target.PLAYLIST, status=200, skip_requests=3, max_requests=2
    )
    return [
        show(origin, hurried, "stall", [("normal", 16)], config=SUSPENDING, changes=(stall,)),
        show(origin, hurried, "pause", [("normal", 14)], changes=(pause,)),
        show(origin, hurried, "empty-at-first", [("normal", 16)], options=EMPTY_AT_FIRST),
        show(origin, hurried, "garbage", [("normal", 28)], config=FAILING, faults=(garbage,)),
        show(
            origin,
            hurried,
            "garbage-around-a-stall",
            [("normal", 16)],
            config=PATIENT,
            faults=(interrupted,),
            changes=(Change(kind="stall", at_sec=9, for_sec=40),),
        ),
        show(origin, hurried, "refused", [("normal", 28)], faults=(refused,)),
        show(origin, hurried, "page", [("normal", 22)], faults=(page,)),
        show(
            origin,
            hurried,
            "faulty",
            [("normal", 5), ("black_silent", 10), ("normal", 14)],
            config=FAULTY,
        ),
    ]


async def watch_everything() -> dict[str, Show]:
    clock = WallClock(SPEED)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as hurried:
        watched = shows(origin, hurried)
        await asyncio.gather(*(each.watch() for each in watched))
        return {each.channel.name: each for each in watched}


@pytest.fixture(scope="module")
def watched() -> dict[str, Show]:
    """All of them on air at the same time, to their ends."""
    return asyncio.run(watch_everything())


def test_a_stall_is_told_with_its_times_and_loses_nothing(watched: dict[str, Show]) -> None:
    viewer, channel = watched["stall"].viewer, watched["stall"].channel
    assert viewer.types == ["stream.suspended", "stream.resumed"]
    last_before, first_after = channel.published[9], channel.published[10]
    suspended, resumed = (viewer.data(name) for name in viewer.types)
    late_sec = moment(suspended["last_segment_at"]) - last_before.published_at
    assert -0.1 <= late_sec <= LOOK_SEC
    assert suspended["threshold_sec"] == 6
    stood_sec = first_after.published_at - last_before.published_at
    assert resumed["suspended_sec"] == pytest.approx(stood_sec, abs=LOOK_SEC)
    assert viewer.sequences() == list(range(16))
    assert viewer.state.statistics.suspended_events == 1


def test_failures_that_last_are_one_segment_error_that_recovers(watched: dict[str, Show]) -> None:
    viewer, channel = watched["garbage"].viewer, watched["garbage"].channel
    assert viewer.types == ["alert.segment_error", "alert.segment_error_recovered"]
    opened, closed = (viewer.data(name) for name in viewer.types)
    first_bad = channel.published[6]
    assert -0.1 <= moment(opened["started_at"]) - first_bad.published_at <= LOOK_SEC
    assert opened["threshold_sec"] == 6
    assert "segment" in opened["error"]
    assert closed["total_duration_sec"] == pytest.approx(14, abs=2 * LOOK_SEC)
    assert viewer.failed() == list(range(6, 20))


def test_time_in_which_a_stream_stands_still_is_no_segment_error(watched: dict[str, Show]) -> None:
    viewer = watched["garbage-around-a-stall"].viewer
    assert viewer.failed() == list(range(6, 12))
    assert viewer.types == ["stream.suspended", "stream.resumed"]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        pytest.param("pause", 14, id="a stall shorter than the threshold"),
        pytest.param("empty-at-first", 16, id="a playlist that is empty at first"),
        pytest.param("refused", 28, id="segments refused for a while"),
        pytest.param("page", 22, id="a page of text instead of the playlist"),
    ],
)
def test_what_passes_is_not_told_and_loses_no_segment(
    watched: dict[str, Show], name: str, count: int
) -> None:
    viewer = watched[name].viewer
    assert viewer.types == []
    assert viewer.sequences() == list(range(count))
    assert viewer.ended is EndReason.ENDLIST_DETECTED


def test_segments_refused_in_a_row_make_the_watch_ask_its_source(watched: dict[str, Show]) -> None:
    """As when signed URLs have run out."""
    refused, plain = watched["refused"], watched["pause"]
    assert refused.viewer.failed() == list(range(8, 16))
    assert refused.source.looks >= 2
    assert plain.source.looks == 1


def test_health_follows_what_is_on_air(watched: dict[str, Show]) -> None:
    conditions = watched["faulty"].conditions
    assert conditions[0] == ("unknown", "unknown")
    plain = [("ok", "ok"), ("error", "error"), ("ok", "ok")]
    assert [each for each in conditions if each in plain] == plain
    assert watched["faulty"].viewer.types[:2] == ["alert.blackout", "alert.silence"]
