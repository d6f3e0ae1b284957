"""What one look at a manifest says of its stream."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from media.manifest import ManifestSource
from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.sources import Observation, SourceState
from tests.media.outbound.stand_ins import by_path, reply, scripted_server
from tests.origin import (
    TINY,
    Channel,
    ChannelOptions,
    Encoding,
    Fault,
    FaultKind,
    LiveOrigin,
    ManualClock,
    Programme,
    RenderedProgramme,
    Target,
    Tracks,
    render,
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with media_client(OutboundGuard(allow_private_networks=True)) as opened:
        yield opened


@pytest.fixture
async def origin() -> AsyncIterator[LiveOrigin]:
    async with LiveOrigin(clock=ManualClock()) as running:
        yield running


def rendered(encoding: Encoding = TINY) -> RenderedProgramme:
    return render(Programme.of([("normal", 3.0)], encoding))


def encoded(**changes: Any) -> RenderedProgramme:
    return rendered(TINY.model_copy(update=changes))


async def look(client: httpx.AsyncClient, url: str) -> Observation:
    return await ManifestSource(url, client).observe()


async def test_a_media_playlist_is_watched_as_it_is(
    client: httpx.AsyncClient, origin: LiveOrigin
) -> None:
    seen = await look(client, origin.add("live", rendered()).url)
    assert seen.state is SourceState.LIVE
    assert seen.media is not None
    assert (seen.media.main, seen.media.audio) == (origin["live"].url, None)
    assert seen.media.main_tracks == {"video", "audio"}


async def test_of_a_master_playlist_the_lowest_variant_is_watched(
    client: httpx.AsyncClient, origin: LiveOrigin
) -> None:
    large = encoded(width=256, height=144, video_kbps=300)
    seen = await look(client, origin.add("live", large, rendered()).master_url)
    assert seen.media is not None
    assert seen.media.main == origin["live"].master_url.replace("master", "v1/index")


async def test_sound_of_its_own_is_watched_beside(
    client: httpx.AsyncClient, origin: LiveOrigin
) -> None:
    picture, sound = encoded(tracks=Tracks.VIDEO), encoded(tracks=Tracks.AUDIO)
    seen = await look(client, origin.add("live", picture, audio=sound).master_url)
    assert seen.media is not None
    assert seen.media.main.endswith("/v0/index.m3u8")
    assert str(seen.media.audio).endswith("/audio/index.m3u8")


async def test_a_stream_of_sound_alone_misses_no_picture(
    client: httpx.AsyncClient, origin: LiveOrigin
) -> None:
    channel = origin.add("radio", encoded(tracks=Tracks.AUDIO))
    seen = await look(client, channel.master_url)
    assert seen.media is not None
    assert seen.media.main_tracks == {"audio"}


async def test_an_observation_shows_no_url(client: httpx.AsyncClient, origin: LiveOrigin) -> None:
    url = origin.add("live", rendered()).url + "?token=secret"
    seen = await look(client, url)
    assert "secret" not in repr(seen)


def empty(origin: LiveOrigin) -> Channel:
    return origin.add("live", rendered(), options=ChannelOptions(backlog_segments=0))


async def test_an_empty_playlist_is_a_stream_to_come(
    client: httpx.AsyncClient, origin: LiveOrigin
) -> None:
    seen = await look(client, empty(origin).url)
    assert (seen.state, seen.reason) == (SourceState.UPCOMING, "no_segment")


async def test_an_empty_playlist_that_has_ended_is_over(
    client: httpx.AsyncClient, origin: LiveOrigin
) -> None:
    channel = empty(origin)
    channel.end()
    seen = await look(client, channel.url)
    assert (seen.state, seen.reason) == (SourceState.ENDED, "empty")


async def test_a_playlist_that_has_ended_with_segments_is_still_watched(
    client: httpx.AsyncClient, origin: LiveOrigin
) -> None:
    """Its last segments may not have been seen; the watch notices the end by itself."""
    channel = origin.add("live", rendered())
    channel.end()
    assert (await look(client, channel.url)).state is SourceState.LIVE


@pytest.mark.parametrize("target", [Target.MASTER, Target.PLAYLIST])
@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        pytest.param({"status": 404}, SourceState.UPCOMING, "http_404", id="404"),
        pytest.param({"status": 410}, SourceState.UPCOMING, "http_410", id="410"),
        pytest.param({"status": 403}, SourceState.NOT_OBSERVED, "http_403", id="403"),
        pytest.param({"status": 500}, SourceState.NOT_OBSERVED, "http_5xx", id="500"),
        pytest.param({"kind": "garbage"}, SourceState.NOT_OBSERVED, "bad_playlist", id="garbage"),
        pytest.param({"kind": "empty"}, SourceState.NOT_OBSERVED, "bad_playlist", id="nothing"),
        pytest.param({"kind": "reset"}, SourceState.NOT_OBSERVED, "connection", id="reset"),
        pytest.param({"kind": "cut"}, SourceState.NOT_OBSERVED, "truncated", id="cut off"),
        pytest.param({"kind": "gzip_bomb"}, SourceState.NOT_OBSERVED, "too_large", id="bomb"),
    ],
)
async def test_a_bad_answer_is_told_apart(
    client: httpx.AsyncClient,
    origin: LiveOrigin,
    target: Target,
    fault: dict[str, object],
    state: SourceState,
    reason: str,
) -> None:
    channel = origin.add("live", rendered())
    channel.fault(Fault.model_validate({"kind": FaultKind.STATUS, "target": target, **fault}))
    seen = await look(client, channel.master_url)
    assert (seen.state, seen.reason, seen.is_permanent) == (state, reason, False)
    assert seen.message
    assert channel.master_url not in seen.message


async def test_a_master_playlist_that_leads_to_itself_is_no_stream(
    client: httpx.AsyncClient,
) -> None:
    loop = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmaster.m3u8\n"
    async with scripted_server(by_path({"/master.m3u8": reply(loop)})) as server:
        seen = await look(client, server.url("/master.m3u8", host="127.0.0.1"))
        assert len(server.requests) == 2
    assert (seen.state, seen.reason) == (SourceState.NOT_OBSERVED, "bad_playlist")


async def test_an_address_that_is_refused_is_refused_for_good() -> None:
    async with media_client(OutboundGuard(allow_private_networks=False)) as guarded:
        seen = await look(guarded, "http://127.0.0.1/live.m3u8")
    assert (seen.state, seen.is_permanent) == (SourceState.UNAVAILABLE, True)
    assert (seen.reason, seen.message) == ("address_refused", "the address is not allowed")
