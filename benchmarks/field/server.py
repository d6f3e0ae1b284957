"""A plain HTTP server of files that other programs write."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.serving import serve_in_background
from tests.testkit.ports import free_port

MANIFESTS = (".m3u8", ".mpd")


@dataclass
class FileServer:
    """Serves a folder; a file that grows is sent as far as it is there.

    Attributes:
        requests: how often each file, or range of a file, was sent; without manifests.
    """

    folder: Path
    port: int
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)

    def url(self, path: str) -> str:
        """Return the URL of a file of the folder."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def sent_again(self, source: str) -> int:
        """Return how many media of a source were sent more than once."""
        ours = ((path, count) for (path, _), count in self.requests.items() if count > 1)
        return sum(path.startswith(f"{source}/") for path, _ in ours)

    async def answer(self, request: Request) -> Response:
        """Send a file, or a range of it."""
        path, wanted = request.path_params["path"], request.headers.get("range", "")
        try:
            body = await asyncio.to_thread((self.folder / path).read_bytes)
        except OSError:
            return Response(status_code=404)
        if not path.endswith(MANIFESTS):
            self.requests[path, wanted] += 1
        return _part(body, wanted) if wanted else Response(body)


def _part(body: bytes, wanted: str) -> Response:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    if match is None or int(match[1]) >= len(body):
        return Response(status_code=416)
    first = int(match[1])
    last = min(int(match[2] or len(body)), len(body) - 1)
    headers = {"Content-Range": f"bytes {first}-{last}/{len(body)}"}
    return Response(body[first : last + 1], 206, headers)


@asynccontextmanager
async def serve_files(folder: Path) -> AsyncIterator[FileServer]:
    """Serve `folder` while the context is open."""
    server = FileServer(folder, free_port())
    app = Starlette(routes=[Route("/{path:path}", server.answer)])
    config = uvicorn.Config(
        app, port=server.port, log_config=None, access_log=False, lifespan="off"
    )
    async with serve_in_background(config):
        yield server
