"""yt-dlp as a library meets faults, distrust and challenges, and finds a video by any address."""

import pytest

from simulator.youtube import (
    MASTER_FORBIDDEN,
    PLAYER_RATE_LIMITED,
    RATE_LIMITED,
    SILENT,
    UNREACHABLE,
    NoReply,
    RequestKind,
    SimulatedYouTube,
    SiteFault,
    VideoState,
)
from tests.simulator.youtube.conftest import VIDEO_ID
from tests.simulator.youtube.resolvers import Resolvers

S = VideoState


async def test_clients_can_be_told_different_things(
    site: SimulatedYouTube, resolvers: Resolvers
) -> None:
    video = site.video(VIDEO_ID)
    video.go_live()
    video.manifest_clients = frozenset({"TVHTML5"})
    video.say(S.BOT_CHECK, client="VISIONOS")
    looked = await resolvers.ytdlp(site, VIDEO_ID)
    assert looked.info["live_status"] == "is_live"
    assert "91" in looked.itags
    assert {seen.client for seen in site.requests.of(RequestKind.PLAYER)} == {"TVHTML5", "VISIONOS"}


async def test_a_distrusted_egress_hears_the_same_of_every_video(
    site: SimulatedYouTube, resolvers: Resolvers
) -> None:
    site.video(VIDEO_ID).go_live()
    site.say(S.BOT_CHECK)
    for video_id in (VIDEO_ID, "another-one"):
        assert "not a bot" in (await resolvers.ytdlp(site, video_id)).said
    site.say(None)
    assert (await resolvers.ytdlp(site, VIDEO_ID)).itags


async def test_a_stream_said_to_be_over_can_still_be_played(
    site: SimulatedYouTube, resolvers: Resolvers
) -> None:
    site.video(VIDEO_ID).go_live()
    site.video(VIDEO_ID).say(S.LIVE_BUT_SAID_TO_BE_OVER)
    looked = await resolvers.ytdlp(site, VIDEO_ID)
    assert looked.info["live_status"] == "is_live"
    assert looked.itags
    assert "live event has ended" in (await resolvers.streamlink(site, VIDEO_ID)).said


async def test_manifest_behind_a_javascript_challenge_needs_the_real_solver(
    site: SimulatedYouTube,
    resolvers: Resolvers,
) -> None:
    video = site.video(VIDEO_ID)
    video.needs_javascript = True
    video.go_live()

    solved = await resolvers.ytdlp(site, VIDEO_ID)
    assert "91" in solved.itags
    assert site.requests.of(RequestKind.PLAYER_JS)
    assert {seen.status for seen in site.requests.of(RequestKind.MASTER)} == {200}

    unsolved = await resolvers.ytdlp(site, VIDEO_ID, js_runtimes={})
    assert unsolved.info["live_status"] == "is_live"
    assert not unsolved.itags


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        pytest.param(PLAYER_RATE_LIMITED, "http error 429", id="player API rate-limited"),
        pytest.param(MASTER_FORBIDDEN, "http error 403", id="master forbidden"),
    ],
)
async def test_live_without_formats_is_no_exception(
    site: SimulatedYouTube, resolvers: Resolvers, fault: SiteFault, text: str
) -> None:
    site.video(VIDEO_ID).go_live()
    site.faults.add(fault)
    site.video(VIDEO_ID).manifest_clients = frozenset({"TVHTML5", "VISIONOS"})
    looked = await resolvers.ytdlp(site, VIDEO_ID)
    assert looked.raised is None
    assert looked.info["live_status"] == "is_live"
    assert not looked.itags
    assert text in looked.said


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        pytest.param(RATE_LIMITED, "failed to extract any player response", id="429 everywhere"),
        pytest.param(UNREACHABLE, "remotedisconnected", id="reset"),
        pytest.param(SILENT, "read timed out", id="silence"),
    ],
)
async def test_nothing_is_learned_when_nothing_answers(
    site: SimulatedYouTube, resolvers: Resolvers, fault: SiteFault, text: str
) -> None:
    site.video(VIDEO_ID).go_live()
    site.faults.add(fault)
    looked = await resolvers.ytdlp(site, VIDEO_ID, socket_timeout=0.2)
    assert looked.raised
    assert text in looked.said
    assert not looked.info


async def test_faults_can_be_limited_and_cleared(
    site: SimulatedYouTube, resolvers: Resolvers
) -> None:
    site.video(VIDEO_ID).go_live()
    site.faults.add(
        SiteFault(kinds=frozenset({RequestKind.WATCH}), no_reply=NoReply.RESET, times=1)
    )
    await resolvers.ytdlp(site, VIDEO_ID)
    assert (await resolvers.ytdlp(site, VIDEO_ID)).info["live_status"] == "is_live"
    assert [seen.status for seen in site.requests.of(RequestKind.WATCH)] == [0, 200]

    site.faults.add(RATE_LIMITED)
    assert (await resolvers.ytdlp(site, VIDEO_ID)).raised
    site.faults.clear()
    assert (await resolvers.ytdlp(site, VIDEO_ID)).itags


async def test_a_status_check_is_one_request(site: SimulatedYouTube, resolvers: Resolvers) -> None:
    site.video(VIDEO_ID).go_live()
    arguments = {"player_client": ["web"], "skip": ["hls", "dash"]}
    looked = await resolvers.ytdlp(site, VIDEO_ID, extractor_args={"youtube": arguments})
    assert looked.info["live_status"] == "is_live"
    assert [seen.kind for seen in site.requests.of()] == [RequestKind.WATCH]
    assert site.requests.extractions(video_id=VIDEO_ID) == 1


@pytest.mark.parametrize(
    "url",
    [
        f"https://youtu.be/{VIDEO_ID}",
        f"https://www.youtube.com/live/{VIDEO_ID}",
        f"https://m.youtube.com/watch?v={VIDEO_ID}",
        f"https://music.youtube.com/watch?v={VIDEO_ID}",
    ],
)
async def test_all_addresses_of_a_video_lead_to_it(
    site: SimulatedYouTube, resolvers: Resolvers, url: str
) -> None:
    site.video(VIDEO_ID).go_live()
    assert (await resolvers.ytdlp(site, url)).info["id"] == VIDEO_ID
