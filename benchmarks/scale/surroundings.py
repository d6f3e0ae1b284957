"""What lies around the service: playlists of streams that are live, and a receiver of webhooks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.serving import serve_in_background
from tests.testkit.ports import free_port

PLAYLIST = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:100
#EXTINF:2.0,
100.ts
#EXTINF:2.0,
101.ts
#EXTINF:2.0,
102.ts
"""


class Surroundings:
    """Streams and a receiver on one port; `open_surroundings` makes them.

    Attributes:
        webhooks: that were taken.
    """

    def __init__(self, port: int) -> None:
        self.webhooks = 0
        self.app = Starlette(
            routes=[
                Route("/live/{name}.m3u8", self._playlist),
                Route("/hook", self._take, methods=["POST"]),
            ]
        )
        self._base_url = f"http://127.0.0.1:{port}"

    @property
    def callback_url(self) -> str:
        """Where webhooks are taken."""
        return f"{self._base_url}/hook"

    def stream_url(self, number: int) -> str:
        """Return the URL of one of any number of streams."""
        return f"{self._base_url}/live/{number}.m3u8"

    async def _playlist(self, _request: Request) -> Response:
        return Response(PLAYLIST, media_type="application/vnd.apple.mpegurl")

    async def _take(self, request: Request) -> Response:
        await request.body()
        self.webhooks += 1
        return Response()


@asynccontextmanager
async def open_surroundings() -> AsyncIterator[Surroundings]:
    """Serve streams and take webhooks while the context is open."""
    port = free_port()
    surroundings = Surroundings(port)
    config = uvicorn.Config(
        surroundings.app, port=port, log_config=None, access_log=False, lifespan="off"
    )
    async with serve_in_background(config):
        yield surroundings
