"""One log line for each request, and the request id that ties it to all others.

No secret gets into a line: neither headers nor bodies nor query strings are logged, clients appear
by the digest of their key.
"""

import re
import time
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid7

from api.errors import InternalError
from api.metrics import GatewayMetrics

REQUEST_ID: Final = "X-Request-ID"
CLIENT_GONE: Final = 499
UNMATCHED: Final = "(unmatched)"
QUIET_PATHS: Final = ("/healthz", "/readyz", "/metrics", "/internal/", "/static/")
QUIET_ENDS: Final = ("/picture.jpg",)
"""What is asked without end: pictures of walls, health, what workers report, the files of pages."""


_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = structlog.get_logger("api.access")


class AccessLog:
    """ASGI middleware around everything else.

    A request id from the client is kept when it is harmless, else a new one is made; both ways it
    is in the answer and in every log line of the request. An exception that nothing below handled
    is logged with its traceback and answered with a plain 500.
    """

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ACCEPTED_ID.fullmatch(given) else str(uuid7())
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._serve(scope, receive, send, request_id)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        begun = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                headers.setdefault("Cache-Control", "no-store")  # what says nothing is private
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception:
            _log.exception("request failed")
            if status:
                raise  # half an answer is out: only closing the connection tells the client
            await InternalError().response()(scope, receive, send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - begun)

    def _record(self, scope: Scope, status: int, duration_sec: float) -> None:
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_duration.labels(method, route).observe(duration_sec)
        path = scope["path"]
        is_quiet = status < 400 and (path.startswith(QUIET_PATHS) or path.endswith(QUIET_ENDS))
        log = _log.debug if is_quiet else _log.info
        log(
            "request",
            method=method,
            path=path,
            route=route,
            status=status,
            duration_ms=round(duration_sec * 1000, 1),
            peer=scope["client"][0] if scope.get("client") else None,
            client=scope.get("state", {}).get("client"),
        )


def route_of(scope: Scope) -> str:
    """Return the template of the path that served a request, for labels of few values."""
    path: str = getattr(scope.get("route"), "path", UNMATCHED)
    return path
