"""Where the rendition that is watched fails, another one of the programme is watched."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from media.watching import WatchState
from monitors.config import MonitorConfig
from monitors.detectors.renditions import RETRY_SEC
from monitors.events import EndReason
from simulator.origin import (
    TINY,
    AtEnd,
    Channel,
    ChannelOptions,
    Fault,
    FaultKind,
    LiveOrigin,
    Programme,
    Target,
    Tracks,
    WallClock,
    render,
)
from tests.testkit.stand_ins import always, reply, scripted_server
from tests.testkit.viewing import Studio, Viewer, studio

SPEED = 3
"""At more, a busy machine takes what is late for what stands still."""
ONCE = ChannelOptions(at_end=AtEnd.END, window_segments=60, program_date_time=True)
UNDATED = ONCE.model_copy(update={"program_date_time": False})
CONFIG = MonitorConfig(blackout_threshold_sec=10, recovery_sec=2, suspend_threshold_sec=20)
LARGER = TINY.model_copy(update={"width": 256, "height": 144, "video_kbps": 300})
SMALL_NAME, LARGER_NAME = "128x72", "256x144"
LONG = [("normal", 70.0)]
DARK = [("normal", 12.0), ("black", 40.0), ("normal", 18.0)]


@dataclass
class Show:
    channel: Channel
    viewer: Viewer


def gone(status: int = 404, target: Target = Target.PLAYLIST, **when: float) -> Fault:
    return Fault(kind=FaultKind.STATUS, status=status, target=target, label="v0", **when)


FAULTS = {
    "never there": gone(to_sec=1000),
    "gone": gone(from_sec=20),
    "broken server": gone(status=503, from_sec=20),
    "stands still": Fault(kind=FaultKind.FROZEN, label="v0", from_sec=20),
    "ended": Fault(kind=FaultKind.ENDED, label="v0", from_sec=20),
    "segments gone": gone(target=Target.SEGMENT, from_sec=20),
    "garbage": Fault(kind=FaultKind.GARBAGE, label="v0", from_sec=20),
}
REASONS = {
    "never there": "http_404",
    "gone": "http_404",
    "broken server": "http_5xx",
    "stands still": "stands_still",
    "ended": "ended",
    "segments gone": "http_404",
    "garbage": "undecodable",
}
LOST_AT_MOST = {"segments gone": 30, "garbage": 30}
"""Segments of 50 that fail before another rendition is watched: more on a busy machine."""


def show(
    origin: LiveOrigin,
    hurried: Studio,
    name: str,
    *,
    scenes: list[tuple[str, float]] = LONG,
    options: ChannelOptions = ONCE,
    fault: Fault | None = None,
) -> Show:
    small, larger = (render(Programme.of(scenes, encoding)) for encoding in (TINY, LARGER))
    channel = origin.add(name, small, larger, options=options, faults=[fault] if fault else [])
    return Show(channel, Viewer.of(hurried, channel.master_url, CONFIG))


def split_show(origin: LiveOrigin, hurried: Studio) -> Show:
    """Return one whose sound comes apart, the same for both pictures, of which one stands still."""
    encodings = [each.model_copy(update={"tracks": Tracks.VIDEO}) for each in (TINY, LARGER)]
    pictures = [render(Programme.of(LONG, encoding)) for encoding in encodings]
    sound = render(Programme.of(LONG, TINY.model_copy(update={"tracks": Tracks.AUDIO})))
    fault = FAULTS["stands still"]
    channel = origin.add("split", *pictures, audio=sound, options=ONCE, faults=[fault])
    return Show(channel, Viewer.of(hurried, channel.master_url, CONFIG))


@asynccontextmanager
async def on_air() -> AsyncIterator[tuple[LiveOrigin, Studio]]:
    clock = WallClock(SPEED)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as hurried:
        yield origin, hurried


async def watch_everything() -> dict[str, Show]:
    async with on_air() as (origin, hurried):
        watched = {
            name: show(origin, hurried, f"c{number}", fault=fault)
            for number, (name, fault) in enumerate(FAULTS.items())
        }
        watched["healthy"] = show(origin, hurried, "healthy")
        watched["undated"] = show(
            origin, hurried, "undated", options=UNDATED, fault=gone(from_sec=20)
        )
        watched["split"] = split_show(origin, hurried)
        watched["dark"] = show(origin, hurried, "dark", scenes=DARK, fault=FAULTS["gone"])
        await asyncio.gather(*(each.viewer.to_the_end() for each in watched.values()))
        return watched


@pytest.fixture(scope="module")
def watched() -> dict[str, Show]:
    """All of them on air at the same time, to their ends."""
    return asyncio.run(watch_everything())


@pytest.mark.parametrize("name", FAULTS)
def test_another_rendition_is_watched_and_that_is_told_once(
    watched: dict[str, Show], name: str
) -> None:
    viewer = watched[name].viewer
    assert viewer.types == ["alert.rendition"]
    told = viewer.data("alert.rendition")
    assert told["reason"] == REASONS[name]
    assert (told["from"].split()[0], told["to"].split()[0]) == (SMALL_NAME, LARGER_NAME)
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    assert viewer.state.statistics.rendition_events == 1


@pytest.mark.parametrize("name", [*FAULTS, "undated", "healthy"])
def test_no_segment_counts_twice_or_is_lost(watched: dict[str, Show], name: str) -> None:
    viewer = watched[name].viewer
    count = Counter(viewer.sequences())
    assert max(count.values()) == 1
    first, last = min(count), watched[name].channel.published[-1].sequence
    assert sorted(count) == list(range(first, last + 1))
    assert len(viewer.failed()) <= LOST_AT_MOST.get(name, 0)
    assert viewer.state.statistics.segments_missed == 0


def test_nothing_is_told_of_a_healthy_stream(watched: dict[str, Show]) -> None:
    assert watched["healthy"].viewer.types == []


def test_a_picture_that_stands_still_alone_is_taken_from_elsewhere(
    watched: dict[str, Show],
) -> None:
    viewer = watched["split"].viewer
    assert viewer.types == ["alert.rendition"]
    for track in ("main", "audio"):
        assert max(Counter(viewer.sequences(track)).values()) == 1
    newest = watched["split"].channel.published[-1].sequence
    assert viewer.sequences()[-1] == newest
    assert viewer.sequences() == list(range(viewer.sequences()[0], newest + 1))


def test_an_incident_goes_on_over_the_change(watched: dict[str, Show]) -> None:
    viewer = watched["dark"].viewer
    assert sorted(viewer.types) == [
        "alert.blackout",
        "alert.blackout_recovered",
        "alert.rendition",
    ]
    recovered = viewer.data("alert.blackout_recovered")
    assert recovered["total_duration_sec"] == pytest.approx(40, abs=0.1)


async def play_back(origin: LiveOrigin, hurried: Studio) -> Viewer:
    scenes = [("normal", RETRY_SEC[0] + 60)]
    shown = show(origin, hurried, "back", scenes=scenes, fault=gone(from_sec=10, to_sec=40))
    return await shown.viewer.until(lambda it: len(it.told) == 2)


async def play_taken_over(origin: LiveOrigin, hurried: Studio) -> tuple[Show, Viewer]:
    """Return what is shown to the first worker, and the second one."""
    shown = show(origin, hurried, "taken-over", fault=FAULTS["stands still"])
    first = await shown.viewer.until(lambda it: "alert.rendition" in it.types)
    state = WatchState.model_validate_json(first.state.model_dump_json())
    second = Viewer(hurried, first.source, CONFIG, state=state)
    return shown, await second.to_the_end()


async def play_all_gone(origin: LiveOrigin, hurried: Studio) -> tuple[Viewer, Counter[str]]:
    """Return who watched, and what was asked for how often once all was gone."""
    shown = show(origin, hurried, "all-gone")
    await shown.viewer.until(lambda it: len(it.seen) >= 3)
    shown.channel.fault(Fault(kind=FaultKind.STATUS, target=Target.PLAYLIST))
    before = len(origin.log)
    await shown.viewer.to_the_end()
    paths = (each.path.rpartition("/live/")[2] for each in list(origin.log)[before:])
    return shown.viewer, Counter(path for path in paths if path.startswith("all-gone/"))


async def play_counted(
    origin: LiveOrigin, hurried: Studio, name: str, options: ChannelOptions
) -> Viewer:
    """Watch a programme whose second rendition numbers the segments otherwise."""
    rendered = render(Programme.of([("normal", 50.0)], TINY))
    first = origin.add(f"{name}-1", rendered, options=options, faults=[gone(from_sec=20)])
    counting = options.model_copy(update={"first_sequence": 70_000})
    second = origin.add(f"{name}-2", rendered, options=counting)
    lines = ["#EXTM3U"]
    for rate, channel in ((100_000, first), (200_000, second)):
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={rate},RESOLUTION=128x72", channel.url]
    master = reply("\n".join(lines).encode())
    async with scripted_server(always(master)) as server:
        url = server.url("/master.m3u8", host="127.0.0.1")
        return await Viewer.of(hurried, url, CONFIG).to_the_end()


@dataclass
class Played:
    """What was seen of those that are not only watched from their beginning to their end."""

    back: Viewer
    taken_over: tuple[Show, Viewer]
    all_gone: tuple[Viewer, Counter[str]]
    dated: Viewer
    undated: Viewer


async def play_everything() -> Played:
    async with on_air() as (origin, hurried):
        return Played(
            *await asyncio.gather(
                play_back(origin, hurried),
                play_taken_over(origin, hurried),
                play_all_gone(origin, hurried),
                play_counted(origin, hurried, "dated", ONCE),
                play_counted(origin, hurried, "undated", UNDATED),
            )
        )


@pytest.fixture(scope="module")
def played() -> Played:
    """All of them on air at the same time."""
    return asyncio.run(play_everything())


def test_the_preferred_rendition_is_watched_again_when_it_plays(played: Played) -> None:
    viewer = played.back
    assert viewer.types == ["alert.rendition", "alert.rendition_recovered"]
    recovered = viewer.data("alert.rendition_recovered")
    assert recovered["to"].startswith(SMALL_NAME)
    assert recovered["total_duration_sec"] >= RETRY_SEC[0] - 1
    assert viewer.state.open_incidents() == {}
    assert max(Counter(viewer.sequences()).values()) == 1
    newest = viewer.seen[-1].segment.uri
    assert "/v0/" in newest


def test_another_worker_goes_on_with_the_rendition_that_plays(played: Played) -> None:
    shown, second = played.taken_over
    assert second.types == []
    assert all("/v1/" in each.segment.uri for each in second.seen)
    seen = Counter(shown.viewer.sequences() + second.sequences())
    assert max(seen.values()) <= 2  # a segment that was not done is measured again
    assert sorted(seen) == list(range(min(seen), shown.channel.published[-1].sequence + 1))


def test_a_ladder_that_is_gone_ends_the_stream_and_is_not_hammered(played: Played) -> None:
    viewer, asked = played.all_gone
    assert viewer.ended is EndReason.MANIFEST_GONE
    assert viewer.types == ["stream.suspended"]
    assert 0 < max(asked.values()) <= 20


def test_a_rendition_that_counts_otherwise_is_entered_where_the_first_was_left(
    played: Played,
) -> None:
    viewer = played.dated
    shown = sequences_of_a_counted(viewer)
    missed = viewer.state.statistics.segments_missed
    assert (shown, missed) == (list(range(shown[0], shown[-1] + 1)), 0)


def test_where_nothing_is_dated_no_segment_comes_twice_and_few_are_left_out(
    played: Played,
) -> None:
    viewer = played.undated
    shown = sequences_of_a_counted(viewer)
    assert shown == sorted(shown)
    left_out = shown[-1] + 1 - shown[0] - len(shown)
    assert left_out <= viewer.state.statistics.segments_missed + 1


def sequences_of_a_counted(viewer: Viewer) -> list[int]:
    """Return what was seen, as the first rendition numbers it, of a watch that went well."""
    assert viewer.types == ["alert.rendition"]
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    shown = [each.segment.sequence % 70_000 for each in viewer.seen]
    assert max(Counter(shown).values()) == 1
    return shown
