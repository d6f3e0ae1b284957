"""Large playlists are loaded a few at a time, and never stop the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from media.hls.playlist import MediaPlaylist
from media.hls.window import TAIL_SEGMENTS
from media.outbound.client import media_client
from media.outbound.errors import TooLarge
from media.outbound.guard import OutboundGuard
from media.playlists import LARGE_AT_ONCE, LARGE_MAX_BYTES, load_again
from tests.origin.server import InProcessServer

SEGMENT = "#EXTINF:2.000,\nhttps://cdn.example/live/720p/segment_{:08d}.ts\n"
DAY = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n" + "".join(map(SEGMENT.format, range(125_000)))


@dataclass
class Library:
    """Serves texts by their names, and counts who is served one at the same time."""

    url: str = ""
    asked: int = 0
    being_served: int = 0
    most: int = 0

    async def answer(self, request: Request) -> Response:
        texts = {"day": DAY, "endless": DAY * 2}
        self.asked += 1
        self.being_served += 1
        self.most = max(self.most, self.being_served)
        await asyncio.sleep(0.05)
        self.being_served -= 1
        return Response(texts[request.path_params["name"]])


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


async def test_few_large_playlists_are_loaded_at_once() -> None:
    async with library() as (served, client):
        url = served.url + "day"
        await asyncio.gather(*(load_again(client, url, is_large=True) for _ in range(9)))
        assert served.most == LARGE_AT_ONCE


async def test_what_is_larger_is_refused() -> None:
    async with library() as (served, client):
        with pytest.raises(TooLarge):
            await load_again(client, served.url + "endless")
