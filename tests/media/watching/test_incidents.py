"""Scripted scenes on air become exactly their incidents, however the stream is packaged."""

import asyncio
from dataclasses import dataclass

import pytest

from monitors.events import EndReason
from simulator.origin import (
    TINY,
    AtEnd,
    Channel,
    ChannelOptions,
    Container,
    Encoding,
    LiveOrigin,
    Programme,
    SceneOnAir,
    Tracks,
    WallClock,
    render,
)
from tests.testkit.viewing import Viewer, moment, studio, together

SCENES = [
    *(("normal", 2.5), ("black", 4.3), ("normal", 3.0), ("silent", 4.5), ("normal", 2.7)),
    *(("cut_to_black", 1.0), ("normal", 2.0), ("frozen", 5.6), ("normal", 3.4)),
]
SHORT_SCENES = [
    *(("normal", 2.5), ("black", 3.3), ("normal", 2.0), ("silent", 3.4), ("normal", 2.0)),
    *(("frozen", 4.5), ("normal", 2.3)),
]
EXPECTED = [
    *("alert.blackout", "alert.blackout_recovered"),
    *("alert.silence", "alert.silence_recovered"),
    *("alert.freeze", "alert.freeze_recovered"),
]
FAULTS = {"blackout": "black", "silence": "silent", "freeze": "frozen"}
TOLERANCE_SEC = 0.1 + 1e-3
ONCE = ChannelOptions(at_end=AtEnd.END, window_segments=40)
REAL_TIME = "at real speed"
FORMATS = [
    *("media playlist", "master playlist", "split audio", "fmp4", "byte ranges"),
    *("fmp4 byte ranges", "not compressed", "two second segments"),
    *("encrypted", "encrypted fmp4", "DASH", "DASH by the clock", "DASH split audio"),
]
SPLIT = ("split audio", "DASH split audio")


@dataclass(frozen=True)
class Seen:
    """What a viewer saw of a channel, and what was on air."""

    viewer: Viewer
    scenes: dict[str, SceneOnAir]
    paths: set[str]


def encoded(**changes: object) -> Encoding:
    return TINY.model_copy(update=changes)


def put_on_air(origin: LiveOrigin) -> dict[str, tuple[Channel, str]]:
    """Start one channel for each format; return it and the URL to watch."""
    tiny = render(Programme.of(SCENES, TINY))
    large = render(Programme.of(SCENES, encoded(width=256, height=144, video_kbps=300)))
    fmp4 = render(Programme.of(SCENES, encoded(container=Container.FMP4)))
    longer = render(Programme.of(SCENES, encoded(segment_sec=2.0)))
    picture = render(Programme.of(SCENES, encoded(tracks=Tracks.VIDEO)))
    sound = render(Programme.of(SCENES, encoded(tracks=Tracks.AUDIO)))
    fmp4_picture = render(
        Programme.of(SCENES, encoded(tracks=Tracks.VIDEO, container=Container.FMP4))
    )
    fmp4_sound = render(
        Programme.of(SCENES, encoded(tracks=Tracks.AUDIO, container=Container.FMP4))
    )
    ranges = ONCE.model_copy(update={"byte_range": True})
    plain = ONCE.model_copy(update={"compress": False})
    secret = ONCE.model_copy(update={"encrypted": True})
    by_clock = ONCE.model_copy(update={"by_clock": True})
    master = origin.add("master", tiny, large, options=ONCE)
    split = origin.add("split", picture, audio=sound, options=ONCE)
    dash = origin.add("dash", fmp4, options=ONCE)
    dash_by_clock = origin.add("dash-clock", fmp4, options=by_clock)
    dash_split = origin.add("dash-split", fmp4_picture, audio=fmp4_sound, options=ONCE)
    channels = {
        "media playlist": origin.add("media", tiny, options=ONCE),
        "fmp4": origin.add("fmp4", fmp4, options=ONCE),
        "byte ranges": origin.add("ranges", tiny, options=ranges),
        "fmp4 byte ranges": origin.add("fmp4-ranges", fmp4, options=ranges),
        "not compressed": origin.add("plain", tiny, options=plain),
        "encrypted": origin.add("encrypted", tiny, options=secret),
        "encrypted fmp4": origin.add("encrypted-fmp4", fmp4, options=secret),
        "two second segments": origin.add("longer", longer, options=ONCE),
    }
    listed = {name: (channel, channel.url) for name, channel in channels.items()}
    return listed | {
        "master playlist": (master, master.master_url),
        "split audio": (split, split.master_url),
        "DASH": (dash, dash.manifest_url),
        "DASH by the clock": (dash_by_clock, dash_by_clock.manifest_url),
        "DASH split audio": (dash_split, dash_split.manifest_url),
    }


async def watch_formats() -> dict[str, Seen]:
    fast = WallClock(2.5)
    async with (
        LiveOrigin() as real,
        LiveOrigin(clock=fast) as origin,
        studio(fast) as hurried,
        studio(real.clock) as calm,
    ):
        channels = put_on_air(origin)
        viewers = {
            name: Viewer.of(hurried, url).to_the_end() for name, (_, url) in channels.items()
        }
        slow = real.add("slow", render(Programme.of(SHORT_SCENES, TINY)), options=ONCE)
        viewers[REAL_TIME] = Viewer.of(calm, slow.url).to_the_end()
        seen = await together(viewers)
        everything = {name: channel for name, (channel, _) in channels.items()} | {REAL_TIME: slow}
        served = [*origin.log, *real.log]
        return {
            name: Seen(
                seen[name],
                {fault: channel.scenes_on_air(kind)[0] for fault, kind in FAULTS.items()},
                {each.path for each in served if each.channel == channel.name},
            )
            for name, channel in everything.items()
        }


@pytest.fixture(scope="module")
def formats() -> dict[str, Seen]:
    """All of them on air at the same time, to their ends."""
    return asyncio.run(watch_formats())


@pytest.mark.parametrize("name", [REAL_TIME, *FORMATS])
def test_each_fault_is_one_incident_with_its_times(formats: dict[str, Seen], name: str) -> None:
    seen = formats[name]
    viewer = seen.viewer
    assert sorted(viewer.types) == sorted(EXPECTED)
    for fault, scene in seen.scenes.items():
        opened = viewer.data(f"alert.{fault}")
        closed = viewer.data(f"alert.{fault}_recovered")
        began = pytest.approx(scene.started_at.timestamp(), abs=TOLERANCE_SEC)
        assert moment(opened["started_at"]) == moment(closed["started_at"]) == began
        assert moment(closed["recovered_at"]) == pytest.approx(
            scene.ended_at.timestamp(), abs=TOLERANCE_SEC
        )
        assert closed["total_duration_sec"] == pytest.approx(
            scene.end_sec - scene.start_sec, abs=TOLERANCE_SEC
        )


@pytest.mark.parametrize("name", [REAL_TIME, *FORMATS])
def test_every_segment_is_measured_once_and_the_end_is_noticed(
    formats: dict[str, Seen], name: str
) -> None:
    viewer = formats[name].viewer
    assert viewer.ended is EndReason.ENDLIST_DETECTED
    for track in viewer.state.tracks:
        sequences = viewer.sequences(track)
        assert sequences == list(range(len(sequences)))
        assert len(sequences) >= 14
    statistics = viewer.state.statistics
    assert statistics.total_segments_analyzed == len(viewer.seen)
    assert (statistics.segments_failed, statistics.segments_missed) == (0, 0)
    events = (statistics.blackout_events, statistics.silence_events, statistics.freeze_events)
    assert events == (1, 1, 1)


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in SPLIT])
def test_events_come_in_the_order_of_the_stream(formats: dict[str, Seen], name: str) -> None:
    assert formats[name].viewer.types == EXPECTED


def test_of_the_lowest_variant_alone_segments_are_fetched(formats: dict[str, Seen]) -> None:
    paths = formats["master playlist"].paths
    assert any("/v0/" in path for path in paths)
    # The other's playlist is asked for at the end: does the stream go on there?
    assert not any("/v1/" in path for path in paths if not path.endswith(".m3u8"))


@pytest.mark.parametrize("name", SPLIT)
def test_split_sound_and_picture_are_watched_side_by_side(
    formats: dict[str, Seen], name: str
) -> None:
    viewer = formats[name].viewer
    assert set(viewer.state.tracks) == {"main", "audio"}
    assert viewer.state.health().video == viewer.state.health().audio == "ok"
