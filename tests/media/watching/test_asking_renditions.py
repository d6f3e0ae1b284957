"""Which renditions count as playing, and that asking them leaves no trace in what is watched."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from media.decoding.decode_slots import DecodeUsage
from media.hls.playlist import MediaPlaylist
from media.playlists.loading import load_playlist
from media.sources.source import MediaUrls
from media.watching import SegmentProber
from media.watching.rendition_switch import first_that_plays
from monitors.config import MonitorConfig
from monitors.measurement import ProbeContext, SegmentMeasurement, Track, Unmeasurable
from simulator.origin import TINY, AtEnd, ChannelOptions, LiveOrigin, Programme, WallClock, render
from tests.testkit.viewing import SEGMENT_MAX_BYTES, Studio, Viewer, studio

SPEED = 4
OPTIONS = ChannelOptions(at_end=AtEnd.END, window_segments=20, program_date_time=True)
LARGER = TINY.model_copy(update={"width": 256, "height": 144, "video_kbps": 300})
BOTH: frozenset[Track] = frozenset({"video", "audio"})
SOUND: frozenset[Track] = frozenset({"audio"})
ENCRYPTED = Unmeasurable(codec="avc1", reason="encrypted")
WHOLE = {"audio_sec": 1.0, "video_sec": 1.0}


@dataclass
class Finds:
    """Finds the same in each segment, and remembers what it was told of those before."""

    found: dict[str, Any]
    glances: list[ProbeContext | None] = field(default_factory=list)

    async def measure(
        self,
        segment: bytes,
        *,
        duration_sec: float,
        silence_db: float,
        usage: DecodeUsage | None = None,
        context: ProbeContext | None = None,
    ) -> SegmentMeasurement:
        self.glances.append(context)
        return SegmentMeasurement(duration_sec=duration_sec, **self.found)

    async def close(self) -> None:
        pass


async def is_playing(found: dict[str, Any], wanted: frozenset[Track]) -> bool:
    clock = WallClock(SPEED)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as home:
        channel = origin.add("c", render(Programme.of([("normal", 40.0)], TINY)), options=OPTIONS)
        prober = SegmentProber(home.client, Finds(found), segment_max_bytes=SEGMENT_MAX_BYTES)
        media = MediaUrls(main=channel.url, rendition="other")
        return await first_that_plays([media], prober, wanted=wanted) is media


@pytest.mark.parametrize(
    ("found", "wanted", "plays"),
    [
        pytest.param(WHOLE, BOTH, True, id="whole"),
        pytest.param(WHOLE | {"video_error": "broken"}, BOTH, False, id="broken picture"),
        pytest.param(WHOLE | {"video_error": "broken"}, SOUND, False, id="broken, not wanted"),
        pytest.param(WHOLE | {"audio_error": "broken"}, BOTH, False, id="broken sound"),
        pytest.param(
            WHOLE | {"video_error": "none", "needs_lead": True}, BOTH, True, id="no keyframe"
        ),
        pytest.param(
            WHOLE | {"unmeasurable": {"video": ENCRYPTED}}, BOTH, False, id="encrypted picture"
        ),
        pytest.param(
            WHOLE | {"unmeasurable": {"video": ENCRYPTED}}, SOUND, True, id="encrypted, not wanted"
        ),
        pytest.param(WHOLE | {"is_video_missing": True}, BOTH, False, id="empty picture"),
        pytest.param(WHOLE | {"has_video": False}, BOTH, False, id="no picture"),
        pytest.param(WHOLE | {"has_video": False}, SOUND, True, id="radio"),
        pytest.param(WHOLE | {"audio_sec": 0.0}, BOTH, False, id="empty sound"),
    ],
)
async def test_what_is_watched_now_must_be_there_and_nothing_broken(
    found: dict[str, Any], wanted: frozenset[Track], plays: bool
) -> None:
    assert await is_playing(found, wanted) is plays


async def test_where_all_pictures_are_broken_the_watch_stays_with_its_rendition() -> None:
    clock = WallClock(SPEED)
    config = MonitorConfig(segment_error_threshold_sec=20, suspend_threshold_sec=100)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as home:
        rendered = (render(Programme.of([("normal", 50.0)], it)) for it in (TINY, LARGER))
        channel = origin.add("broken", *rendered, options=OPTIONS)
        half = Studio(home.client, Finds(WHOLE | {"video_error": "broken"}), clock)
        viewer = await Viewer.of(half, channel.master_url, config).to_the_end()
    assert viewer.types == ["alert.segment_error"]
    assert all("/v0/" in each.segment.uri for each in viewer.seen)


async def test_asking_another_rendition_changes_nothing_that_is_remembered_of_the_watched_one() -> (
    None
):
    clock = WallClock(SPEED)
    async with LiveOrigin(clock=clock) as origin, studio(clock) as home:
        rendered = (render(Programme.of([("normal", 40.0)], it)) for it in (TINY, LARGER))
        channel = origin.add("c", *rendered, options=OPTIONS)
        probe = Finds(WHOLE | {"parameter_sets": b"of the watched one"})
        prober = SegmentProber(home.client, probe, segment_max_bytes=SEGMENT_MAX_BYTES)
        playlist = await load_playlist(home.client, channel.url)
        assert isinstance(playlist, MediaPlaylist)
        await prober.measure(playlist.segments[0], target_duration_sec=1.0, silence_db=-50)
        probe.found = WHOLE | {"parameter_sets": b"of another one"}
        other = MediaUrls(main=channel.url.replace("/v0/", "/v1/"), rendition="other")
        assert await first_that_plays([other], prober, wanted=BOTH)
        assert probe.glances[-1] is None
        await prober.measure(playlist.segments[0], target_duration_sec=1.0, silence_db=-50)
    last = probe.glances[-1]
    assert last is not None
    assert last.parameter_sets == b"of the watched one"
