"""The health port of a worker: /healthz, /readyz and /metrics."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

import prometheus_client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runtime.http_limits import http_config
from runtime.serving import serve_in_background

MAX_CONNECTIONS: Final = 32

Readiness = Callable[[], str | None]  # returns what is missing; None when the process is ready
Details = Callable[[], Mapping[str, str]]
"""Returns further fields of /readyz when the process is ready."""


def health_app(readiness: Readiness, details: Details = dict) -> Starlette:
    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        missing = readiness()
        if missing:
            return JSONResponse({"status": "not ready", "missing": missing}, status_code=503)
        return JSONResponse({"status": "ready", **details()})

    async def metrics(request: Request) -> Response:
        content = prometheus_client.generate_latest()
        return Response(content, media_type=prometheus_client.CONTENT_TYPE_LATEST)

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    return Starlette(routes=routes)


def health_port(
    host: str, port: int, readiness: Readiness, details: Details = dict
) -> AbstractAsyncContextManager[None]:
    """Serve the health port while the context is open; raises PortTaken."""
    config = http_config(health_app(readiness, details), host, port, connections=MAX_CONNECTIONS)
    return serve_in_background(config, variables="HEALTH_HOST, HEALTH_PORT")
