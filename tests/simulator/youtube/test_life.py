"""A video's life from its announcement to its end, and what the site remembers of its visitors."""

import asyncio
import gc
import warnings
from collections.abc import Sequence

import httpx
import pytest

from simulator.origin.clock import ManualClock, WallClock
from simulator.youtube import SILENT, MediaEnd, RequestKind, SimulatedYouTube, Video, VideoState
from simulator.youtube.broadcast import BroadcastError
from tests.simulator.youtube.conftest import VIDEO_ID, make_client
from tests.simulator.youtube.player import fetch_media, lowest_url, sequences
from tests.simulator.youtube.resolvers import Resolvers


async def test_script_runs_by_the_clock_whenever_somebody_looks(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient, clock: ManualClock
) -> None:
    video = still_site.video(VIDEO_ID)
    video.upcoming(in_sec=60)
    video.script(
        (10, lambda v: v.upcoming(in_sec=30)),
        (45, lambda v: v.go_live(backlog=0)),
        (55, Video.stall),
        (75, Video.new_broadcast),
        (85, lambda v: v.end(VideoState.ENDED, media=MediaEnd.ENDLIST)),
    )
    states = []
    for _ in range(10):
        clock.advance(10)
        states.append(str(video.state))
    assert states == ["upcoming"] * 4 + ["live"] * 4 + ["ended"] * 2
    assert {number: len(each.segments) for number, each in video.broadcasts.items()} == {
        1: 10,
        2: 10,
    }


async def test_following_a_stream_needs_one_extraction(
    still_site: SimulatedYouTube,
    still_client: httpx.AsyncClient,
    resolvers: Resolvers,
    clock: ManualClock,
) -> None:
    still_site.video(VIDEO_ID).go_live(backlog=2)
    url = (await resolvers.ytdlp(still_site, VIDEO_ID)).url_of("91")
    mark = len(still_site.requests)
    fetched: list[int] = []
    for _ in range(5):
        playlist = await fetch_media(still_client, url)
        for segment in playlist.segments[len(fetched) :]:
            assert (await still_client.get(segment.uri)).is_success
            fetched.append(segment.sequence)
        clock.advance(1)

    assert fetched == [0, 1, 2, 3, 4, 5]
    assert still_site.requests.extractions() == 1
    assert not still_site.requests.site_requests(after=mark)
    segments = still_site.requests.of(RequestKind.SEGMENT, video_id=VIDEO_ID)
    assert [(seen.broadcast, seen.itag, seen.sequence) for seen in segments] == [
        (1, 91, number) for number in fetched
    ]


async def test_a_faster_clock_publishes_faster() -> None:
    async with SimulatedYouTube(WallClock(speed=500)) as site, make_client(site) as client:
        video = site.video(VIDEO_ID)
        video.window_sec = 3600
        video.go_live(backlog=0)
        url = await lowest_url(client, video)
        listed: Sequence[int] = []
        while len(listed) < 120:
            listed = sequences(await fetch_media(client, url))
    assert listed == list(range(len(listed)))


async def test_waiting_for_requests(site: SimulatedYouTube, client: httpx.AsyncClient) -> None:
    video = site.video(VIDEO_ID)
    video.go_live()
    waiting = asyncio.create_task(site.requests.until(lambda log: log.of(RequestKind.PLAYLIST)))
    await fetch_media(client, await lowest_url(client, video))
    await waiting
    with pytest.raises(TimeoutError):
        await site.requests.until(lambda log: log.of(RequestKind.EMBED), timeout_sec=0.01)


async def test_other_hosts_are_refused_and_counted(
    site: SimulatedYouTube, client: httpx.AsyncClient
) -> None:
    for url in ("https://example.com/", "https://youtube.com.example.com/"):
        with pytest.raises(httpx.ProxyError):
            await client.get(url)
    answer = await client.get("http://www.youtube.com/watch", follow_redirects=False)
    assert answer.status_code == 403
    assert site.refused == [
        "example.com:443",
        "youtube.com.example.com:443",
        "www.youtube.com",
    ]
    assert not site.requests.of()


async def test_many_clients_at_once(site: SimulatedYouTube, client: httpx.AsyncClient) -> None:
    video = site.video(VIDEO_ID)
    video.go_live(backlog=20)
    url = await lowest_url(client, video)
    playlist = await fetch_media(client, url)
    answers = await asyncio.gather(*(client.get(each.uri) for each in playlist.segments))
    assert {answer.status_code for answer in answers} == {200}


async def test_stopping_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with SimulatedYouTube() as site, make_client(site) as client:
            site.video(VIDEO_ID).go_live()
            await lowest_url(client, site.video(VIDEO_ID))
            site.faults.add(SILENT)
            mark = len(site.requests)
            hanging = asyncio.create_task(client.get("https://www.youtube.com/watch"))
            await site.requests.until(lambda log: len(log) > mark)
            ca_path = site.ca_path
        with pytest.raises(httpx.TransportError):
            await hanging
        gc.collect()
    assert not ca_path.exists()
    assert asyncio.all_tasks() == before


async def test_a_site_that_does_not_run_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        _ = SimulatedYouTube().proxy_url


@pytest.mark.parametrize("scenes", [[("normal", 0.5)], [("normal", 1.5)]])
def test_programmes_are_of_whole_segments(scenes: list[tuple[str, float]]) -> None:
    with pytest.raises(BroadcastError):
        Video(VIDEO_ID, ManualClock()).go_live(scenes)


async def test_sequences_never_jump_within_a_broadcast(
    still_site: SimulatedYouTube, still_client: httpx.AsyncClient, clock: ManualClock
) -> None:
    video = still_site.video(VIDEO_ID)
    video.go_live(backlog=0)
    url = await lowest_url(still_client, video)
    known: list[int] = []
    for act in (Video.stall, Video.resume, Video.cut, Video.stall, Video.resume):
        clock.advance(3.3)
        act(video)
        listed = sequences(await fetch_media(still_client, url))
        known += [number for number in listed if number not in known]
    assert known == list(range(len(known)))
    assert len(known) > 5
