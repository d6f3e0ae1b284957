"""Playlists and segments of a live video, fetched through the proxy as a player would."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from simulator.origin.clock import ManualClock
from simulator.youtube import (
    PLAYLISTS_FORBIDDEN,
    SEGMENTS_FORBIDDEN,
    Layout,
    MediaEnd,
    RequestKind,
    SimulatedYouTube,
    SiteFault,
    VideoState,
)
from tests.simulator.youtube.conftest import VIDEO_ID
from tests.simulator.youtube.player import fetch, fetch_master, fetch_media, lowest_url, sequences

_H264, _AAC = 0x1B, 0x0F


async def test_segments_appear_as_time_passes(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient, clock: ManualClock
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live(backlog=3, first_sequence=100, cuts=1593)
    url = await lowest_url(still_client, video)
    first = await fetch_media(still_client, url)
    clock.advance(2.5)
    later = await fetch_media(still_client, url)

    assert sequences(first) == [100, 101, 102]
    assert sequences(later) == [100, 101, 102, 103, 104]
    assert first.discontinuity_sequence == 1593
    assert not first.ended
    began = datetime.fromtimestamp(clock.now() - 2.5, UTC) - timedelta(seconds=3)
    assert first.segments[0].program_date_time == began


async def test_window_is_what_the_url_asks_for(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live(backlog=100)
    url = await lowest_url(still_client, video)
    assert len((await fetch_media(still_client, url)).segments) == 30
    longer = url.replace("/playlist_duration/30/", "/playlist_duration/3600/")
    assert len((await fetch_media(still_client, longer)).segments) == 100


async def test_segments_carry_what_their_renditions_promise(
    site: SimulatedYouTube, client: httpx.AsyncClient
) -> None:
    video = site.video(VIDEO_ID)
    video.layout = Layout.SPLIT
    video.go_live(backlog=2)
    split = await fetch_master(client, video)
    video.layout = Layout.MUXED
    muxed = await fetch_master(client, video)
    video.layout = Layout.BOTH

    assert muxed.variants[0].resolution == (256, 144)
    assert [each.group_id for each in split.renditions] == ["233", "234"]
    sound = split.renditions[0].uri
    assert sound
    promised = (
        (muxed.variants[0].uri, {_H264, _AAC}),
        (split.variants[0].uri, {_H264}),
        (sound, {_AAC}),
    )
    for url, kinds in promised:
        playlist = await fetch_media(client, url)
        body = (await fetch(client, playlist.segments[0].uri)).content
        assert _stream_types(body) == kinds


def _stream_types(body: bytes) -> set[int]:
    """Read the stream types of an MPEG-TS program map (ISO/IEC 13818-1 2.4.4.8)."""
    packets = [body[at : at + 188] for at in range(0, len(body), 188)]
    table = next(each for each in packets if each[1] & 0x5F == 0x50 and each[2] == 0x00)
    section = table[5:]
    length = ((section[1] & 0x0F) << 8) + section[2]
    at, end = 12 + ((section[10] & 0x0F) << 8) + section[11], 3 + length - 4
    types = set()
    while at < end:
        types.add(section[at])
        at += 5 + ((section[at + 3] & 0x0F) << 8) + section[at + 4]
    return types


async def test_urls_expire(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient, clock: ManualClock
) -> None:
    video = still_site.video(VIDEO_ID)
    video.url_life_sec = 20
    video.go_live()
    url = await lowest_url(still_client, video)
    segment = (await fetch_media(still_client, url)).segments[-1].uri
    clock.advance(19)
    assert (await still_client.get(url)).status_code == 200
    clock.advance(1)
    assert (await still_client.get(url)).status_code == 403
    assert (await still_client.get(segment)).status_code == 403
    assert (await still_client.get(await lowest_url(still_client, video))).status_code == 200


async def test_media_can_be_forbidden_on_demand(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live(backlog=3)
    url = await lowest_url(still_client, video)
    playlist = await fetch_media(still_client, url)

    still_site.faults.add(SEGMENTS_FORBIDDEN)
    assert (await still_client.get(playlist.segments[0].uri)).status_code == 403
    assert (await still_client.get(url)).status_code == 200
    still_site.faults.clear()
    still_site.faults.add(PLAYLISTS_FORBIDDEN)
    assert (await still_client.get(url)).status_code == 403
    still_site.faults.clear()
    still_site.faults.add(
        SiteFault(kinds=frozenset({RequestKind.SEGMENT}), first_sequence=1, status=503)
    )
    answers = [(await still_client.get(each.uri)).status_code for each in playlist.segments]
    assert answers == [200, 503, 503]


async def test_stall_freezes_the_playlist_and_resuming_goes_on(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient, clock: ManualClock
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live(backlog=3)
    url = await lowest_url(still_client, video)
    video.stall()
    clock.advance(100)
    assert sequences(await fetch_media(still_client, url)) == [0, 1, 2]
    assert video.state is VideoState.LIVE
    video.resume()
    clock.advance(1)
    playlist = await fetch_media(still_client, url)
    assert sequences(playlist) == [0, 1, 2, 3]
    assert playlist.segments[-1].discontinuity
    first, last = playlist.segments[0].program_date_time, playlist.segments[-1].program_date_time
    assert first
    assert last
    assert last - first == timedelta(seconds=103)


async def test_new_broadcast_counts_from_zero_at_the_same_page(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient, clock: ManualClock
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live(backlog=3, first_sequence=700)
    old = await lowest_url(still_client, video)
    video.new_broadcast()
    new = await lowest_url(still_client, video)
    clock.advance(2)

    assert f"/id/{VIDEO_ID}.1/" in old
    assert f"/id/{VIDEO_ID}.2/" in new
    assert sequences(await fetch_media(still_client, new)) == [0, 1]
    assert sequences(await fetch_media(still_client, old)) == [700, 701, 702]


async def test_first_playlist_may_hold_no_segment(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live(backlog=0)
    playlist = await fetch_media(still_client, await lowest_url(still_client, video))
    assert not playlist.segments
    assert not playlist.ended


@pytest.mark.parametrize(
    ("media", "status", "is_ended"),
    [
        pytest.param(MediaEnd.FROZEN, 200, False, id="frozen"),
        pytest.param(MediaEnd.ENDLIST, 200, True, id="endlist"),
        pytest.param(MediaEnd.GONE, 404, False, id="gone"),
    ],
)
async def test_end_of_the_media(
    still_site: SimulatedYouTube,
    still_client: httpx.AsyncClient,
    clock: ManualClock,
    media: MediaEnd,
    status: int,
    is_ended: bool,
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live()
    url = await lowest_url(still_client, video)
    video.end(media=media)
    clock.advance(60)
    answer = await still_client.get(url)
    assert answer.status_code == status
    assert ("#EXT-X-ENDLIST" in answer.text) == is_ended


async def test_scenes_change_with_a_discontinuity(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient, clock: ManualClock
) -> None:
    video = still_site.video(VIDEO_ID)
    video.layout = Layout.MUXED
    video.go_live([("normal", 12)], backlog=1)
    video.show([("black", 2), ("frozen", 2)])
    clock.advance(5)
    playlist = await fetch_media(still_client, await lowest_url(still_client, video))
    cuts = [segment.sequence for segment in playlist.segments if segment.discontinuity]
    assert cuts == [1, 5]
    sizes = [len((await fetch(still_client, each.uri)).content) for each in playlist.segments]
    assert sizes[0] > 1.5 * max(sizes[1:3])


async def test_what_was_never_given_out_is_not_there(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live(backlog=2)
    url = await lowest_url(still_client, video)
    segment = (await fetch_media(still_client, url)).segments[0].uri
    for wrong in (
        segment.replace("/sq/0/", "/sq/2/"),
        url.replace(".1/", ".7/"),
        url.replace("/itag/91/", "/itag/999/"),
        url.replace("/id/", "/it/"),
    ):
        assert (await still_client.get(wrong)).status_code == 404
