"""streamlink as a library sees the same videos through another client."""

import pytest

from simulator.youtube import (
    MASTER_FORBIDDEN,
    PLAYER_RATE_LIMITED,
    Layout,
    RequestKind,
    SimulatedYouTube,
    VideoState,
)
from tests.simulator.youtube.conftest import VIDEO_ID
from tests.simulator.youtube.resolvers import Resolvers

S = VideoState


@pytest.mark.parametrize(
    ("layout", "names"),
    [
        pytest.param(Layout.MUXED, {"144p", "240p", "360p"}, id="muxed"),
        pytest.param(Layout.SPLIT, {"144p", "240p"}, id="split"),
    ],
)
async def test_live_offers_its_renditions(
    site: SimulatedYouTube, resolvers: Resolvers, layout: Layout, names: set[str]
) -> None:
    site.video(VIDEO_ID).layout = layout
    site.video(VIDEO_ID).go_live()
    looked = await resolvers.streamlink(site, VIDEO_ID)
    assert names <= looked.info.keys()
    assert not looked.messages
    kinds = [seen.kind for seen in site.requests.of()]
    assert kinds == [RequestKind.WATCH, RequestKind.PLAYER, RequestKind.MASTER]
    assert {seen.client for seen in site.requests.of(RequestKind.PLAYER)} == {"ANDROID"}


@pytest.mark.parametrize("url", ["https://youtu.be/{}", "https://www.youtube.com/live/{}"])
async def test_other_addresses_lead_to_the_video(
    site: SimulatedYouTube, resolvers: Resolvers, url: str
) -> None:
    site.video(VIDEO_ID).go_live()
    assert (await resolvers.streamlink(site, url.format(VIDEO_ID))).info


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (S.PRIVATE, "login_required: this is a private video"),
        (S.MEMBERS_ONLY, "unplayable: join this channel"),
        (S.GEO_BLOCKED, "not made this video available in your country"),
        (S.REMOVED_BY_UPLOADER, "removed by the uploader"),
        (S.BOT_CHECK, "sign in to confirm you're not a bot"),
        (S.NOT_ON_THIS_APP, "not available on this app"),
        (S.POST_LIVE, "live event has ended"),
    ],
    ids=str,
)
async def test_refusal_is_logged_and_nothing_is_found(
    site: SimulatedYouTube, resolvers: Resolvers, state: VideoState, text: str
) -> None:
    site.video(VIDEO_ID).say(state)
    looked = await resolvers.streamlink(site, VIDEO_ID)
    assert not looked.info
    assert looked.raised is None
    assert text in looked.said


async def test_upcoming_is_refused_with_the_countdown(
    site: SimulatedYouTube, resolvers: Resolvers
) -> None:
    site.video(VIDEO_ID).upcoming(in_sec=0)
    looked = await resolvers.streamlink(site, VIDEO_ID)
    assert "this live event will begin in a few moments" in looked.said


async def test_rate_limit_and_forbidden_master(
    site: SimulatedYouTube, resolvers: Resolvers
) -> None:
    site.video(VIDEO_ID).go_live()
    site.faults.add(PLAYER_RATE_LIMITED)
    limited = await resolvers.streamlink(site, VIDEO_ID)
    site.faults.clear()
    site.faults.add(MASTER_FORBIDDEN)
    forbidden = await resolvers.streamlink(site, VIDEO_ID)

    assert "429" in (limited.raised or "")
    assert not forbidden.info
    assert "403" in forbidden.said


async def test_javascript_manifest_is_not_for_its_client(
    site: SimulatedYouTube, resolvers: Resolvers
) -> None:
    site.video(VIDEO_ID).needs_javascript = True
    site.video(VIDEO_ID).go_live()
    assert not (await resolvers.streamlink(site, VIDEO_ID)).info
