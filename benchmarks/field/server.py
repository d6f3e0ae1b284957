"""A plain HTTP server of files that other programs write."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.serving import serve_in_background
from tests.service.children import free_port

MANIFESTS = (".m3u8", ".mpd")


@dataclass
class FileServer:
    """Serves a folder.

    Attributes:
        requests: how often each file, or range of a file, was sent; without manifests.
    """

    port: int
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)

    def url(self, path: str) -> str:
        """Return the URL of a file of the folder."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def sent_again(self, source: str) -> list[tuple[str, str]]:
        """Return the media of a source that were asked for more than once."""
        return [
            each
            for each, count in self.requests.items()
            if each[0].startswith(f"/{source}/") and count > 1
        ]

    def counting(self, app: ASGIApp) -> ASGIApp:
        """Return `app` with its successful answers counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            async def note(message: Message) -> None:
                if message["type"] == "http.response.start" and message["status"] < 300:
                    self._count(scope)
                await send(message)

            await app(scope, receive, note)

        return counted

    def _count(self, scope: Scope) -> None:
        if not scope["path"].endswith(MANIFESTS):
            self.requests[scope["path"], dict(scope["headers"]).get(b"range", b"").decode()] += 1


@asynccontextmanager
async def serve_files(folder: Path) -> AsyncIterator[FileServer]:
    """Serve `folder` while the context is open."""
    server = FileServer(free_port())
    app = Starlette(routes=[Mount("/", StaticFiles(directory=folder))])
    config = uvicorn.Config(
        server.counting(app), port=server.port, log_config=None, access_log=False, lifespan="off"
    )
    async with serve_in_background(config):
        yield server
