"""Large playlists are loaded a few at a time, and never stop the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from media.hls.playlist import MediaPlaylist
from media.hls.window import TAIL_SEGMENTS
from media.outbound.bodies import LARGE_AT_ONCE, LargeBodies
from media.outbound.client import media_client
from media.outbound.errors import FetchTimeout, TooLarge
from media.outbound.fetching import PLAYLIST_MAX_BYTES
from media.outbound.guard import OutboundGuard
from media.playlists.loading import LARGE_MAX_BYTES, load_again
from simulator.origin.server import InProcessServer

SEGMENT = "#EXTINF:2.000,\nhttps://cdn.example/live/720p/segment_{:08d}.ts\n"
DAY = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n" + "".join(map(SEGMENT.format, range(125_000)))


@dataclass
class Library:
    """Serves texts by their names, and counts how often it is asked."""

    url: str = ""
    asked: int = 0

    async def answer(self, request: Request) -> Response:
        texts = {"day": DAY, "endless": DAY * 2}
        self.asked += 1
        name = request.path_params["name"]
        return StreamingResponse(self._halting()) if name == "slow" else Response(texts[name])

    async def _halting(self) -> AsyncIterator[str]:
        yield DAY[: PLAYLIST_MAX_BYTES + 1]
        await asyncio.Event().wait()


@asynccontextmanager
async def library() -> AsyncIterator[tuple[Library, httpx.AsyncClient]]:
    served = Library()
    http = InProcessServer(Starlette(routes=[Route("/{name}", served.answer)]), "127.0.0.1", 0)
    host, port = await http.start()
    served.url = f"http://{host}:{port}/"
    try:
        async with media_client(OutboundGuard(allow_private_networks=True)) as client:
            yield served, client
    finally:
        await http.stop()


async def test_the_tail_of_a_day_is_loaded() -> None:
    assert 7_500_000 < len(DAY) <= LARGE_MAX_BYTES
    async with library() as (served, client):
        loaded = await load_again(client, served.url + "day")
        assert isinstance(loaded.playlist, MediaPlaylist)
        assert len(loaded.playlist.segments) == TAIL_SEGMENTS
        assert loaded.playlist.segments[-1].sequence == 124_999
        assert loaded.is_large
        assert served.asked == 2


async def test_what_was_large_before_is_asked_for_once() -> None:
    async with library() as (served, client):
        await load_again(client, served.url + "day", is_large=True)
        assert served.asked == 1


async def test_many_large_playlists_are_all_loaded() -> None:
    async with library() as (served, client):
        url = served.url + "day"
        await asyncio.gather(*(load_again(client, url, is_large=True) for _ in range(9)))


async def test_servers_that_stop_in_the_middle_do_not_keep_others_waiting() -> None:
    """Forty would take two minutes if each had its 15 s and four went at a time."""
    async with library() as (served, client), asyncio.TaskGroup() as tasks:
        slow = [tasks.create_task(_given_up(client, served.url + "slow")) for _ in range(40)]
        async with asyncio.timeout(60):
            while served.asked < len(slow):
                await asyncio.sleep(0.01)
            loaded = await load_again(client, served.url + "day", is_large=True, timeout_sec=60)
        assert loaded.is_large
        for each in slow:
            each.cancel()


async def _given_up(client: httpx.AsyncClient, url: str) -> None:
    with pytest.raises(FetchTimeout):
        await load_again(client, url, is_large=True)


async def test_few_large_bodies_come_at_once_and_give_way_to_those_that_wait() -> None:
    bodies, most, coming, stopped = LargeBodies(), 0, 0, 0

    async def come() -> None:
        nonlocal most, coming, stopped
        await bodies.take()
        coming += 1
        most = max(most, coming)
        try:
            async with bodies.coming():
                await asyncio.Event().wait()
        except TimeoutError:
            stopped += 1
        finally:
            coming -= 1
            bodies.give_back()

    everyone = [asyncio.create_task(come()) for _ in range(LARGE_AT_ONCE + 3)]
    async with asyncio.timeout(60):
        while stopped < 3 or coming < LARGE_AT_ONCE:
            await asyncio.sleep(0.01)
    assert most == coming == LARGE_AT_ONCE
    assert stopped == 3
    for each in everyone:
        each.cancel()
    await asyncio.gather(*everyone, return_exceptions=True)


async def test_what_is_larger_is_refused() -> None:
    async with library() as (served, client):
        with pytest.raises(TooLarge):
            await load_again(client, served.url + "endless")
