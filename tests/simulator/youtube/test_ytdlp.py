"""yt-dlp as a library sees each state of a video."""

import pytest

from simulator.origin.clock import ManualClock
from simulator.youtube import (
    Layout,
    SimulatedYouTube,
    VideoState,
)
from tests.simulator.youtube.conftest import VIDEO_ID
from tests.simulator.youtube.resolvers import Resolvers

S = VideoState


async def test_upcoming_tells_its_start_and_is_rescheduled(
    still_site: SimulatedYouTube, resolvers: Resolvers, clock: ManualClock
) -> None:
    video = still_site.video(VIDEO_ID, title="The launch")
    video.upcoming(in_sec=7300)
    first = await resolvers.ytdlp(still_site, VIDEO_ID)
    video.upcoming(in_sec=200)
    later = await resolvers.ytdlp(still_site, VIDEO_ID)

    assert first.info["live_status"] == "is_upcoming"
    assert first.info["media_type"] == "livestream"
    assert first.info["title"] == "The launch"
    assert first.info["release_timestamp"] == clock.now() + 7300
    assert "this live event will begin in 2 hours" in first.said
    assert later.info["release_timestamp"] == clock.now() + 200
    assert "this live event will begin in 3 minutes" in later.said


@pytest.mark.parametrize(
    ("in_sec", "text"),
    [
        pytest.param(90_000, "premieres in 1 day", id="tomorrow"),
        pytest.param(0, "premiere will begin shortly", id="late"),
    ],
)
async def test_premiere_is_upcoming_and_no_livestream(
    site: SimulatedYouTube, resolvers: Resolvers, in_sec: float, text: str
) -> None:
    site.video(VIDEO_ID).premiere(in_sec=in_sec)
    looked = await resolvers.ytdlp(site, VIDEO_ID)
    assert looked.info["live_status"] == "is_upcoming"
    assert looked.info["media_type"] == "video"
    assert text in looked.said


@pytest.mark.parametrize(
    ("state", "live_status", "text"),
    [
        (S.OFFLINE, "is_upcoming", "offline."),
        (S.POST_LIVE, "post_live", "live event has ended"),
        (S.POST_LIVE_DVR, "post_live", ""),
        (S.ENDED, "was_live", ""),
        (S.ENDED_WITHOUT_RECORDING, "was_live", "live stream recording is not available"),
        (S.PRIVATE, None, "private video"),
        (S.MEMBERS_ONLY, "was_live", "members-only content"),
        (S.MEMBERS_LEVEL, "was_live", "available to this channel's members on level"),
        (S.AGE_GATED, "was_live", "confirm your age"),
        (S.GEO_BLOCKED, "was_live", "not made this video available in your country"),
        (S.REMOVED_BY_UPLOADER, None, "removed by the uploader"),
        (S.REMOVED_FOR_VIOLATION, None, "removed for violating"),
        (S.ACCOUNT_TERMINATED, None, "account associated with this video has been"),
        (S.COPYRIGHT, None, "copyright claim"),
        (S.UNAVAILABLE, None, "video unavailable. this video is not available"),
        (S.GONE, None, "isn't available anymore"),
        (S.RATE_LIMITED, None, "content isn't available, try again later"),
        (S.BOT_CHECK, None, "sign in to confirm you're not a bot"),
        (S.CAPTCHA, None, "captcha challenge"),
        (S.NOT_ON_THIS_APP, "is_live", "not available on this app"),
        (S.NO_FORMATS, "is_live", ""),
        (S.WRONG_VIDEO, None, "your ip is likely being blocked"),
    ],
    ids=str,
)
async def test_state_is_told_in_the_words_of_the_site(
    site: SimulatedYouTube,
    resolvers: Resolvers,
    state: VideoState,
    live_status: str | None,
    text: str,
) -> None:
    site.video(VIDEO_ID).say(state)
    looked = await resolvers.ytdlp(site, VIDEO_ID)
    assert looked.info.get("live_status") == live_status
    assert text in looked.said
    assert bool(looked.said.strip()) == bool(text)
    assert looked.itags <= {"18"}


async def test_premiere_on_air_is_live_and_no_livestream(
    site: SimulatedYouTube, resolvers: Resolvers
) -> None:
    video = site.video(VIDEO_ID)
    video.premiere(in_sec=60)
    video.go_live(backlog=0)
    looked = await resolvers.ytdlp(site, VIDEO_ID)
    assert looked.info["live_status"] == "is_live"
    assert looked.info["media_type"] == "video"
    assert looked.info["release_timestamp"] <= site.clock.now()


async def test_geo_block_names_the_countries(site: SimulatedYouTube, resolvers: Resolvers) -> None:
    site.video(VIDEO_ID).say(S.GEO_BLOCKED)
    looked = await resolvers.ytdlp(site, VIDEO_ID, ignore_no_formats_error=False)
    assert looked.countries == ["DE", "FR"]


@pytest.mark.parametrize(
    ("layout", "itags"),
    [
        pytest.param(Layout.MUXED, {"91", "92", "93"}, id="muxed"),
        pytest.param(Layout.SPLIT, {"233", "234", "269", "229"}, id="split"),
        pytest.param(Layout.BOTH, {"91", "92", "93", "233", "234", "269", "229"}, id="both"),
    ],
)
async def test_live_offers_its_renditions(
    site: SimulatedYouTube, resolvers: Resolvers, layout: Layout, itags: set[str]
) -> None:
    video = site.video(VIDEO_ID)
    video.layout = layout
    video.go_live()
    looked = await resolvers.ytdlp(site, VIDEO_ID)
    assert looked.info["live_status"] == "is_live"
    assert looked.itags == itags
    assert not looked.messages
    assert {each["protocol"] for each in looked.info["formats"]} == {"m3u8_native"}
