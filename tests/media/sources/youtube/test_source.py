"""A video as a source: real resolvers against the stand-in, from its state to the observation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from media.sources.source import Observation, SourceState
from media.sources.youtube.media_cache import MediaCache
from media.sources.youtube.request_budget import Egress
from media.sources.youtube.resolver_options import PollDepth, Resolver, YouTubeOptions
from media.sources.youtube.site import YouTubeSite
from media.sources.youtube.video_source import YouTubeSource
from runtime.settings import StreamSettings
from simulator.youtube import (
    MASTER_FORBIDDEN,
    PLAYER_RATE_LIMITED,
    RATE_LIMITED,
    UNREACHABLE,
    Layout,
    RequestKind,
    SimulatedYouTube,
    SiteFault,
    Video,
    VideoState,
)
from tests.media.sources.youtube.conftest import VIDEO_ID

MakeOptions = Callable[..., YouTubeOptions]
LIVE, UPCOMING, ENDED = SourceState.LIVE, SourceState.UPCOMING, SourceState.ENDED
UNAVAILABLE, NOT_OBSERVED = SourceState.UNAVAILABLE, SourceState.NOT_OBSERVED


@dataclass(frozen=True)
class VideoOfSite:
    """What the site says of the video, before its playlists are loaded."""

    site: YouTubeSite
    video_id: str = VIDEO_ID

    async def observe(self) -> Observation:
        return await self.site.observe(self.video_id)

    async def observe_status(self, *, priority: bool = False) -> Observation:
        return await self.site.observe(self.video_id, PollDepth.STATUS, background=not priority)


@asynccontextmanager
async def source_of(
    options: YouTubeOptions,
    *,
    pauses_sec: tuple[float, ...] = (0.0,),
    interval_sec: float = 0,
    patience_sec: float = 30,
) -> AsyncIterator[VideoOfSite]:
    egress = Egress(interval_sec=interval_sec, pauses_sec=pauses_sec)
    site = YouTubeSite(options, egress=egress, max_background_wait_sec=patience_sec)
    try:
        yield VideoOfSite(site)
    finally:
        await site.close()


STATES = {
    VideoState.UPCOMING: (UPCOMING, "upcoming"),
    VideoState.PREMIERE: (UPCOMING, "premiere"),
    VideoState.OFFLINE: (UPCOMING, "offline"),
    VideoState.LIVE: (LIVE, ""),
    VideoState.POST_LIVE: (ENDED, "stream_ended"),
    VideoState.POST_LIVE_DVR: (ENDED, "post_live"),
    VideoState.ENDED: (ENDED, "was_live"),
    VideoState.ENDED_WITHOUT_RECORDING: (ENDED, "stream_ended"),
    VideoState.PRIVATE: (UNAVAILABLE, "video_private"),
    VideoState.MEMBERS_ONLY: (UNAVAILABLE, "members_only"),
    VideoState.MEMBERS_LEVEL: (UNAVAILABLE, "members_only"),
    VideoState.AGE_GATED: (UNAVAILABLE, "age_restricted"),
    VideoState.GEO_BLOCKED: (UNAVAILABLE, "geo_blocked"),
    VideoState.REMOVED_BY_UPLOADER: (UNAVAILABLE, "video_removed"),
    VideoState.REMOVED_FOR_VIOLATION: (UNAVAILABLE, "video_removed"),
    VideoState.ACCOUNT_TERMINATED: (UNAVAILABLE, "account_terminated"),
    VideoState.COPYRIGHT: (UNAVAILABLE, "copyright"),
    VideoState.UNAVAILABLE: (UNAVAILABLE, "video_removed"),
    VideoState.GONE: (UNAVAILABLE, "video_removed"),
    VideoState.RATE_LIMITED: (NOT_OBSERVED, "rate_limited"),
    VideoState.BOT_CHECK: (NOT_OBSERVED, "bot_check"),
    VideoState.CAPTCHA: (NOT_OBSERVED, "bot_check"),
    VideoState.NOT_ON_THIS_APP: (NOT_OBSERVED, "client_broken"),
    VideoState.NO_FORMATS: (NOT_OBSERVED, "client_broken"),
    VideoState.WRONG_VIDEO: (NOT_OBSERVED, "bot_check"),
}


async def test_every_state_of_a_video(options: MakeOptions, video: Video) -> None:
    async with source_of(options()) as source:
        for state, expected in STATES.items():
            video.say(state)
            seen = await source.observe()
            assert (state, seen.state, seen.reason) == (state, *expected)
            checked = await source.observe_status()
            if state is not VideoState.NO_FORMATS:
                assert (state, checked.state, checked.reason) == (state, *expected)
            assert "http" not in seen.message
            has_media = state in (VideoState.LIVE, VideoState.POST_LIVE_DVR)
            assert (state, seen.media is not None) == (state, has_media)


async def test_a_stream_that_is_said_to_be_over_is_live_while_it_plays(
    options: MakeOptions, video: Video
) -> None:
    video.say(VideoState.LIVE_BUT_SAID_TO_BE_OVER)
    async with source_of(options()) as source:
        assert (await source.observe()).state is LIVE
        assert (await source.observe_status()).state is LIVE
        video.manifest_clients = frozenset()
        assert (await source.observe_status()).reason == "stream_ended"


async def test_an_upcoming_stream_tells_when_it_starts(
    options: MakeOptions, site: SimulatedYouTube
) -> None:
    site.video(VIDEO_ID, title="News at noon").upcoming(in_sec=3600)
    expected = datetime.fromtimestamp(site.clock.now() + 3600, UTC)
    async with source_of(options()) as source:
        seen = await source.observe_status()
    assert seen.title == "News at noon"
    assert seen.starts_at is not None
    assert abs((seen.starts_at - expected).total_seconds()) < 120


@pytest.mark.parametrize(
    ("layout", "itag", "audio"),
    [(Layout.MUXED, 91, None), (Layout.SPLIT, 269, 233), (Layout.BOTH, 91, None)],
)
async def test_the_media_of_a_live_stream(
    options: MakeOptions, video: Video, layout: Layout, itag: int, audio: int | None
) -> None:
    video.layout = layout
    async with source_of(options()) as source:
        media = (await source.observe()).media
    assert media is not None
    assert f"/itag/{itag}/" in media.main
    assert (audio is None) == (media.audio is None)
    assert audio is None or f"/itag/{audio}/" in (media.audio or "")
    assert media.broadcast == f"{VIDEO_ID}.1"
    assert media.expires_at is not None
    assert media.expires_at > datetime.now(UTC)


async def test_a_new_broadcast_has_another_name(options: MakeOptions, video: Video) -> None:
    async with source_of(options()) as source:
        video.new_broadcast(backlog=5)
        media = (await source.observe()).media
    assert media is not None
    assert media.broadcast == f"{VIDEO_ID}.2"


async def test_streamlink_finds_what_ytdlp_does_not(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    video.manifest_clients = frozenset({"ANDROID"})
    async with source_of(options()) as source:
        seen = await source.observe()
    assert seen.state is LIVE
    assert seen.title
    assert seen.media is not None
    assert "hls_variant" in seen.media.main
    assert site.requests.extractions() == 2


async def test_streamlink_alone(options: MakeOptions, video: Video) -> None:
    async with source_of(options(resolvers=(Resolver.STREAMLINK,))) as source:
        assert (await source.observe()).media
        video.say(VideoState.PRIVATE)
        assert (await source.observe()).reason == "video_private"


async def test_streamlinks_word_does_not_end_a_stream_that_ytdlp_sees_live(
    options: MakeOptions, video: Video
) -> None:
    video.manifest_clients = frozenset()
    video.say(VideoState.POST_LIVE, client="ANDROID")
    async with source_of(options()) as source:
        seen = await source.observe()
    assert (seen.state, seen.reason) == (NOT_OBSERVED, "client_broken")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(RATE_LIMITED, "rate_limited", id="429-everywhere"),
        pytest.param(MASTER_FORBIDDEN, "client_broken", id="403-on-the-master"),
        pytest.param(UNREACHABLE, "network", id="unreachable"),
        pytest.param(SiteFault(status=503), "network", id="503-everywhere"),
    ],
)
async def test_a_look_that_fails_is_no_end(
    options: MakeOptions, video: Video, site: SimulatedYouTube, fault: SiteFault, expected: str
) -> None:
    site.faults.add(fault)
    async with source_of(options()) as source:
        seen = await source.observe()
    assert (seen.state, seen.reason) == (NOT_OBSERVED, expected)


async def test_an_api_that_counts_is_a_rate_limit(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    video.manifest_clients = frozenset({"ANDROID", "TVHTML5", "VISIONOS"})
    site.faults.add(PLAYER_RATE_LIMITED)
    async with source_of(options()) as source:
        seen = await source.observe()
    assert (seen.state, seen.reason) == (NOT_OBSERVED, "rate_limited")


async def test_a_bot_check_pauses_all_looks(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    video.say(VideoState.BOT_CHECK)
    async with source_of(options(), pauses_sec=(900,)) as source:
        first = await source.observe()
        video.say(VideoState.LIVE)
        mark = len(site.requests)
        second = await source.observe()
    assert len(site.requests) == mark
    for seen in (first, second):
        assert (seen.state, seen.reason) == (NOT_OBSERVED, "bot_check")
        assert seen.retry_after_sec == pytest.approx(900, abs=60)
    assert "15 min" in second.message


async def test_requests_not_looks_are_spaced(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    """Looks for media make several requests: the next look waits for all of them."""
    began = site.clock.now()
    async with source_of(options(), interval_sec=0.1) as source:
        for _ in range(4):
            assert (await source.observe()).media
    last_look = site.requests.of(RequestKind.WATCH)[-1]
    before = [seen for seen in site.requests.of() if seen.at < last_look.at]
    assert len(before) > 10
    assert last_look.at - began >= 0.1 * len(before)


async def test_a_look_that_finds_no_turn_says_nothing_of_the_stream(
    options: MakeOptions, video: Video
) -> None:
    async with source_of(options(), interval_sec=600, patience_sec=0.01) as source:
        assert (await source.observe_status()).state is LIVE
        async with httpx.AsyncClient() as client:
            stream = YouTubeSource(VIDEO_ID, source.site, client, MediaCache())
            seen = await stream.observe_status()
    assert (seen.state, seen.reason, seen.retry_after_sec) == (NOT_OBSERVED, "busy", None)


async def test_a_status_check_of_a_stream_that_runs_is_not_put_off(
    options: MakeOptions, video: Video
) -> None:
    async with source_of(options(), interval_sec=0.5, patience_sec=0.01) as source:
        assert (await source.observe_status(priority=True)).state is LIVE
        assert (await source.observe_status(priority=True)).state is LIVE


async def test_a_look_that_takes_too_long_observes_nothing(
    options: MakeOptions, video: Video
) -> None:
    async with source_of(options(extraction_timeout_sec=0.01)) as source:
        seen = await source.observe()
    assert (seen.state, seen.reason) == (NOT_OBSERVED, "resolver_timeout")


async def test_ten_live_videos_are_all_found_within_30_seconds(
    options: MakeOptions, site: SimulatedYouTube
) -> None:
    """With the budget as it comes: first whether they are live, as all wait, then their media."""
    settings = StreamSettings()
    egress = Egress(
        interval_sec=settings.egress_request_interval_sec,
        burst_requests=settings.egress_burst_requests,
    )
    video_ids = [f"{number:011}" for number in range(10)]
    for video_id in video_ids:
        site.video(video_id).go_live()
    one_egress = YouTubeSite(options(), egress=egress)

    async def watched(video_id: str) -> None:
        source = VideoOfSite(one_egress, video_id)
        assert (await source.observe_status()).state is LIVE
        assert (await source.observe()).media

    try:
        async with asyncio.timeout(30), asyncio.TaskGroup() as videos:
            for video_id in video_ids:
                videos.create_task(watched(video_id))
        assert egress.outcomes["live"] == 20
    finally:
        await one_egress.close()
