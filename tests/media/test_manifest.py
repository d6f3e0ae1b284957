"""What one look at a manifest says of its stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from media.outbound.client import media_client
from media.outbound.guard import OutboundGuard
from media.sources.direct import ManifestSource
from media.sources.source import Observation, SourceState
from simulator.origin import (
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
from tests.testkit.stand_ins import Request, by_path, reply, scripted_server


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
    assert seen.media.declared == {"audio"}


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


LADDER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=128x72
low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=128x72
backup/low.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=500000,RESOLUTION=256x144
high.m3u8
"""
ALIVE = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n1.ts\n"
OVER = ALIVE + b"#EXT-X-ENDLIST\n"
LOW, BACKUP, HIGH = "128x72 100 kbit/s", "128x72 100 kbit/s (2)", "256x144 500 kbit/s"


async def look_at_ladder(client: httpx.AsyncClient, **answers: list[bytes]) -> Observation:
    """Look at a master playlist whose media playlists answer so, one after the other."""
    paths = {"/low.m3u8": "low", "/backup/low.m3u8": "backup", "/high.m3u8": "high"}

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        left = answers.get(paths.get(request.path, ""), [reply(LADDER.encode())])
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    async with scripted_server(answer) as server:
        return await look(client, server.url("/master.m3u8", host="127.0.0.1"))


GONE, BROKEN = reply(status=404), reply(status=503)


@pytest.mark.parametrize(
    ("answers", "chosen", "passed_over"),
    [
        pytest.param({}, LOW, {}, id="all play"),
        pytest.param({"low": [GONE]}, BACKUP, {LOW: "http_404"}, id="a redundant one is next"),
        pytest.param(
            {"low": [GONE], "backup": [BROKEN]},
            HIGH,
            {LOW: "http_404", BACKUP: "http_5xx"},
            id="then another",
        ),
        pytest.param({"low": [reply(OVER)]}, BACKUP, {LOW: "ended"}, id="one has ended"),
        pytest.param({"low": [reply(b"<html>")]}, BACKUP, {LOW: "bad_playlist"}, id="a page"),
        pytest.param({"low": [GONE, reply(ALIVE)]}, LOW, {}, id="one bad answer"),
    ],
)
async def test_the_first_rendition_that_goes_on_is_chosen(
    client: httpx.AsyncClient,
    answers: dict[str, list[bytes]],
    chosen: str,
    passed_over: dict[str, str],
) -> None:
    playing = {name: [reply(ALIVE)] for name in ("low", "backup", "high")}
    seen = await look_at_ladder(client, **{**playing, **answers})
    assert seen.state is SourceState.LIVE
    assert seen.media
    names = {each.rendition: each.rendition_name for each in seen.renditions}
    told = {names[it]: why for it, why in seen.passed_over.items()}
    assert (seen.media.rendition_name, told) == (chosen, passed_over)
    assert [each.rendition_name for each in seen.renditions] == [LOW, BACKUP, HIGH]


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        pytest.param([GONE, GONE, GONE], SourceState.UPCOMING, id="all gone"),
        pytest.param([GONE, BROKEN, GONE], SourceState.NOT_OBSERVED, id="one may be there"),
        pytest.param([GONE, GONE, reply(OVER)], SourceState.LIVE, id="one is left to be read"),
    ],
)
async def test_a_stream_is_gone_when_all_renditions_are(
    client: httpx.AsyncClient, answers: list[bytes], state: SourceState
) -> None:
    low, backup, high = ([each] for each in answers)
    seen = await look_at_ladder(client, low=low, backup=backup, high=high)
    assert seen.state is state
    assert (seen.retry_after_sec, seen.passed_over) == (6.0, {})


async def test_a_manifest_that_has_ended_is_not_asked_for_each_of_its_renditions(
    client: httpx.AsyncClient,
) -> None:
    representations = "".join(
        f'<Representation id="{n}" bandwidth="{n}00000" width="{n}60" height="{n}20">'
        '<SegmentTemplate media="$RepresentationID$-$Number$.m4s" duration="2"/></Representation>'
        for n in range(1, 9)
    )
    manifest = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT8S">'
        f'<Period><AdaptationSet mimeType="video/mp4">{representations}</AdaptationSet></Period>'
        "</MPD>"
    )
    async with scripted_server(by_path({"/live.mpd": reply(manifest.encode())})) as server:
        seen = await look(client, server.url("/live.mpd", host="127.0.0.1"))
        assert len(server.requests) == 2
    assert seen.media
    assert len(seen.renditions) == 8
