"""A packager on 127.0.0.1 whose playlists say what a test has them say."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.origin import TINY, Programme, render
from simulator.origin.server import InProcessServer

SEGMENT_SEC = 1.0
FIRST_SEGMENTS = 3
"""So many are published when it starts."""


@dataclass
class Packager:
    """Publishes a segment a second.

    Attributes:
        media: of the segments; the first comes again after the last.
        answer: what a request for the playlist gets.
        last: number of the last segment, with which the programme ends.
        asked: query strings of the requests for the playlist.
        fetched: segments that were fetched, by number, alone or several in one file.
    """

    media: Sequence[bytes]
    answer: "Callable[[Packager, Request], Awaitable[Response]]"
    last: int
    began: float = 0.0
    url: str = ""
    asked: list[str] = field(default_factory=list)
    fetched: list[int] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """Number of the newest segment that is published."""
        passed_sec = asyncio.get_running_loop().time() - self.began
        return min(FIRST_SEGMENTS - 1 + int(passed_sec / SEGMENT_SEC), self.last)

    async def until(self, number: int) -> None:
        """Return when a segment is published, as an answer to a blocking request does."""
        while self.newest < min(number, self.last):
            due = self.began + (self.newest + 2 - FIRST_SEGMENTS) * SEGMENT_SEC
            await asyncio.sleep(max(0.001, due - asyncio.get_running_loop().time()))

    def playlist(self, *header: str, first: int = 0, gaps: Sequence[int] = ()) -> Response:
        """Return the segments from number `first` on, and the end once all are published."""
        lines, newest = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", *header], self.newest
        for number in range(first, newest + 1):
            lines += ["#EXT-X-GAP"] if number in gaps else []
            lines += [f"#EXTINF:{SEGMENT_SEC},", f"{number}.ts"]
        lines += ["#EXT-X-ENDLIST"] if newest == self.last else []
        return Response("\n".join(lines))

    async def _playlist(self, request: Request) -> Response:
        self.asked.append(request.url.query)
        return await self.answer(self, request)

    async def _segment(self, request: Request) -> Response:
        number = int(request.path_params["number"])
        self.fetched.append(number)
        return Response(self.media[number % len(self.media)])

    async def _segments(self, request: Request) -> Response:
        numbers = range(request.path_params["first"], request.path_params["last"] + 1)
        self.fetched += numbers
        return Response(b"".join(self.media[number % len(self.media)] for number in numbers))

    @asynccontextmanager
    async def serving(self) -> "AsyncIterator[Packager]":
        """Be on air."""
        routes = [
            Route("/{name}.m3u8", self._playlist),
            Route("/{number:int}.ts", self._segment),
            Route("/{first:int}-{last:int}.ts", self._segments),
        ]
        http = InProcessServer(Starlette(routes=routes), "127.0.0.1", 0)
        host, port = await http.start()
        self.url = f"http://{host}:{port}/live.m3u8"
        self.began = asyncio.get_running_loop().time()
        try:
            yield self
        finally:
            await http.stop()


def normal_media(count: int = 4) -> list[bytes]:
    """Return segments without a fault."""
    return [each.data for each in render(Programme.of([("normal", count)], TINY)).segments]
