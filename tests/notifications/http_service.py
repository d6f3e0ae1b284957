"""A service that takes JSON over HTTP on 127.0.0.1 and answers as it is told."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.serving import serve_in_background
from tests.testkit.ports import free_port


@dataclass
class HttpService:
    """What was posted, and how it is answered.

    Attributes:
        posts: path and JSON of each request.
        headers: of the latest one.
        answer: to each further request.
    """

    port: int
    answer: Callable[[Any], Response] = field(default=lambda _: Response())
    posts: list[tuple[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget what was posted, and answer 200."""
        self.answer = lambda _: Response()
        self.posts.clear()

    async def take(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.posts.append((request.url.path, body))
        self.headers = dict(request.headers)
        return self.answer(body)


@asynccontextmanager
async def http_service() -> AsyncIterator[HttpService]:
    service = HttpService(free_port())
    app = Starlette(routes=[Route("/{path:path}", service.take, methods=["POST"])])
    config = uvicorn.Config(
        app, port=service.port, log_config=None, access_log=False, lifespan="off"
    )
    async with serve_in_background(config):
        yield service
