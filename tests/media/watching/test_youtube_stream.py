"""Watching YouTube videos: signed URLs that run out, refusals, new broadcasts."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from benchmarks.youtube.soak import VIDEOS, Followed, NoProbe, soak
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.sources.source import MediaUrls, Observation, SourceState
from media.sources.youtube.confirmation import DEFAULT_POLICY
from media.sources.youtube.media_cache import LOST_AGAIN_SEC, MediaCache
from media.sources.youtube.request_budget import Egress
from media.sources.youtube.resolver_options import YouTubeOptions
from media.sources.youtube.site import YouTubeSite
from media.sources.youtube.video_source import OFFLINE_GRACE_SEC, YouTubeSource
from media.watching import StreamUnavailable
from media.watching.stream import SAID_OVER_APART_SEC
from monitors.config import MonitorConfig
from monitors.detectors.stream_faults import Elapsed
from monitors.events import EndReason
from simulator.origin import WallClock
from simulator.youtube import (
    PLAYLISTS_FORBIDDEN,
    MediaEnd,
    RequestKind,
    SimulatedYouTube,
    SiteFault,
    Video,
    VideoState,
)
from tests.testkit.viewing import Studio, Viewer
from tests.testkit.waiting import until_true

VIDEO_ID = "aaaaaaaaaaa"
HASTY = MonitorConfig(suspend_threshold_sec=2, segment_error_threshold_sec=3, recovery_sec=1)
SOAK_SEC = 24.0
SOAK_SEGMENT_SEC = 0.1
"""20 simulated minutes, with one life of the URLs and two refusals."""


@asynccontextmanager
async def viewer_of(
    site: SimulatedYouTube, cache: MediaCache | None = None
) -> AsyncIterator[Viewer]:
    options = YouTubeOptions(proxy=site.proxy_url, ca_bundle=site.ca_path)
    egress = YouTubeSite(options, egress=Egress(interval_sec=0, pauses_sec=(900,)))
    guard = OutboundGuard(allow_private_networks=True)
    try:
        async with media_client(guard, proxy=site.proxy_url, ca_bundle=site.ca_path) as client:
            studio = Studio(client, NoProbe("none", parallel=1), WallClock())
            stream = YouTubeSource(VIDEO_ID, egress, client, cache or MediaCache())
            yield Viewer(studio, stream, HASTY)
    finally:
        await egress.close()


def seen_at_least(count: int) -> Callable[[Viewer], bool]:
    return lambda viewer: len(viewer.seen) >= count


def told(event_type: str) -> Callable[[Viewer], bool]:
    return lambda viewer: event_type in viewer.types


def read_all(viewer: Viewer, video: Video) -> bool:
    return len(viewer.seen) == len(video.broadcast.segments)


def said_long_ago(viewer: Viewer) -> None:
    """Let the next look be due, and be far from the last one."""
    viewer.state.look_again_at = None
    if viewer.state.said_over_at:
        viewer.state.said_over_at -= timedelta(seconds=SAID_OVER_APART_SEC)


@pytest.fixture(scope="module")
def day() -> dict[str, Followed]:
    return asyncio.run(soak(SOAK_SEC, segment_sec=SOAK_SEGMENT_SEC))


@pytest.mark.parametrize("video_id", VIDEOS)
def test_no_segment_is_lost_or_doubled_over_lives_of_urls(
    day: dict[str, Followed], video_id: str
) -> None:
    seen = day[video_id]
    assert (seen.lost, seen.doubled, seen.failed, seen.told) == (0, 0, 0, [])
    assert all(each == sorted(each) for each in seen.sequences.values())
    assert seen.published > 200
    assert seen.looks >= 2
    assert seen.ended is EndReason.ENDLIST_DETECTED


async def test_a_new_broadcast_is_found_while_the_old_urls_still_work() -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        video.stall()
        await viewer.until(told("stream.suspended"))
        video.new_broadcast()
        first = len(video.broadcasts[1].segments)
        await viewer.until(seen_at_least(first + 1))
        assert viewer.types == ["stream.suspended", "stream.resumed"]
        assert viewer.sequences()[:first] == list(range(first))
        assert viewer.sequences()[first] == 0
        assert viewer.state.broadcast == f"{VIDEO_ID}.2"


async def test_a_stream_that_goes_offline_is_waited_for_as_suspended() -> None:
    """The site says so at once when an encoder is gone, and waits for it itself."""
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        video.stall()
        video.media_end = MediaEnd.GONE
        video.say(VideoState.OFFLINE)
        await viewer.until(lambda viewer: viewer.state.gone is not None)
        assert viewer.state.gone
        long_ago = viewer.state.gone.started_at - timedelta(seconds=OFFLINE_GRACE_SEC - 60)
        viewer.state.gone = Elapsed.since(long_ago)
        viewer.state.look_again_at = None
        await viewer.until(told("stream.suspended"))
        viewer.state.look_again_at = None
        video.new_broadcast()
        await viewer.until(told("stream.resumed"))
        assert viewer.ended is None
        assert viewer.types == ["stream.suspended", "stream.resumed"]


async def test_a_stream_that_stays_offline_is_over_in_the_end() -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        video.stall()
        video.media_end = MediaEnd.GONE
        video.say(VideoState.OFFLINE)
        await viewer.until(lambda viewer: viewer.state.gone is not None)
        assert viewer.state.gone
        long_ago = viewer.state.gone.started_at - timedelta(seconds=OFFLINE_GRACE_SEC)
        viewer.state.gone = Elapsed.since(long_ago)
        viewer.state.look_again_at = None
        await viewer.to_the_end()
        assert viewer.ended is EndReason.MANIFEST_GONE


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        pytest.param(MediaEnd.ENDLIST, EndReason.ENDLIST_DETECTED, id="ENDLIST"),
        pytest.param(MediaEnd.FROZEN, EndReason.STREAM_NO_LONGER_LIVE, id="frozen"),
    ],
)
async def test_the_last_segments_are_read_when_urls_run_out_as_the_stream_ends(
    media: MediaEnd, reason: EndReason
) -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        unseen = len(viewer.seen) + 3
        await until_true(lambda: len(video.broadcast.segments) > unseen, "unseen segments")
        video.end(VideoState.POST_LIVE_DVR, media=media)
        site.faults.add(SiteFault(kinds=frozenset({RequestKind.PLAYLIST}), status=403, times=1))
        await viewer.until(lambda viewer: viewer.state.not_live == 1 and read_all(viewer, video))
        said_long_ago(viewer)
        await viewer.to_the_end()
        assert viewer.sequences() == list(range(len(video.broadcast.segments)))
        assert viewer.ended is reason


async def test_a_stream_whose_media_is_gone_at_its_end_is_over() -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        video.end(VideoState.POST_LIVE_DVR, media=MediaEnd.GONE)
        await viewer.until(lambda viewer: viewer.state.not_live == 1)
        said_long_ago(viewer)
        await viewer.to_the_end()
        assert viewer.ended is EndReason.STREAM_NO_LONGER_LIVE


async def test_media_that_is_refused_for_good_is_looked_for_less_and_less() -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        site.faults.add(PLAYLISTS_FORBIDDEN)
        mark = len(site.requests)
        await viewer.until(told("alert.segment_error"))
        refused = site.requests.of(RequestKind.PLAYLIST, after=mark)
        looks = site.requests.extractions(after=mark)
        site.faults.clear()
        viewer.state.look_again_at = None
        await viewer.until(told("alert.segment_error_recovered"))
        assert "403" in str(viewer.data("alert.segment_error")["error"])
        assert looks <= len(refused) <= 4
        assert viewer.types == ["alert.segment_error", "alert.segment_error_recovered"]
        assert not viewer.failed()


async def test_a_bot_check_leaves_the_stream_unknown_and_asks_no_more() -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        site.video(VIDEO_ID).go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        site.faults.add(PLAYLISTS_FORBIDDEN)
        site.say(VideoState.BOT_CHECK)
        await viewer.until(lambda viewer: viewer.state.unknown is not None)
        health = viewer.state.health()
        mark = len(site.requests)
        again_at = viewer.state.look_again_at
        assert (health.video, health.audio) == ("unknown", "unknown")
        assert "no bot" in (health.reason or "")
        assert again_at
        assert 800 < (again_at - datetime.now(UTC)).total_seconds() <= 900
        assert site.requests.extractions(after=mark) == 0
        assert viewer.ended is None


async def test_a_video_that_becomes_private_is_unavailable_when_it_is_confirmed() -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        video.end(VideoState.PRIVATE, media=MediaEnd.GONE)
        await viewer.until(lambda viewer: viewer.state.bad_news.looks == 1)
        assert viewer.state.unknown == "video_private"
        long_ago = {
            "looks": DEFAULT_POLICY.looks - 1,
            "counted_at": datetime(2020, 1, 1, tzinfo=UTC),
        }
        viewer.state.bad_news = viewer.state.bad_news.model_copy(update=long_ago)
        viewer.state.look_again_at = None
        with pytest.raises(StreamUnavailable) as unavailable:
            await viewer.to_the_end()
    assert unavailable.value.reason == "video_private"


@pytest.mark.parametrize(
    ("lives_sec", "waits_sec"),
    [
        pytest.param([100, 100, 100], [0, 0, 0, 0], id="long lives"),
        pytest.param([1, 1, 1], list(LOST_AGAIN_SEC[:4]), id="short lives"),
        pytest.param([1, 1, 100], [0, *LOST_AGAIN_SEC[1:3], 0], id="a long one ends it"),
    ],
)
def test_the_wait_grows_with_media_that_is_lost_at_once(
    lives_sec: list[float], waits_sec: list[float]
) -> None:
    found, now = MediaCache(), 1_000_000.0
    live = Observation(state=SourceState.LIVE, media=MediaUrls(main="https://a.tv/x"))
    waits = []
    for life_sec in [*lives_sec, 0.0]:
        seen = found.remember(VIDEO_ID, live, datetime.fromtimestamp(now, UTC))
        waits.append(seen.retry_after_sec)
        now += (seen.retry_after_sec or 0.0) + life_sec
    assert waits == waits_sec


def test_the_machine_is_not_left_with_processes_of_the_soak(day: dict[str, Followed]) -> None:
    left = [
        each.name()
        for each in psutil.Process(os.getpid()).children(recursive=True)
        if "media.sources.youtube.resolver_process" in " ".join(each.cmdline())
    ]
    assert left == []


async def test_another_rendition_is_watched_where_one_is_gone() -> None:
    async with SimulatedYouTube() as site, viewer_of(site) as viewer:
        video = site.video(VIDEO_ID)
        video.go_live(backlog=3)
        await viewer.until(seen_at_least(4))
        site.faults.add(SiteFault(kinds=frozenset({RequestKind.PLAYLIST}), itag=91, status=404))
        await viewer.until(told("alert.rendition"))
        assert viewer.types == ["alert.rendition"]
        assert viewer.data("alert.rendition")["reason"] == "http_404"
        await viewer.until(seen_at_least(len(viewer.seen) + 4))
        assert viewer.sequences() == list(range(len(viewer.sequences())))
