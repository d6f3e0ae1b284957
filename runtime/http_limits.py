"""HTTP as uvicorn speaks it, with bounds on what clients send, in which time, and how many do.

Anybody may connect: keys are checked only when a request's head is complete. httptools buffers all
that comes before and after a body, and uvicorn waits for it without a limit.

A connection waits while its client owes it something: the first byte, the rest of a head or of a
body. Where there are as many connections as may be, the one that has waited longest makes room;
those that never got an answer go before those that are kept for the next request.
"""

import asyncio
import json
import resource
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_OVERHEAD_BYTES: Final = 64 * 1024
"""A message without its body: request line, headers, chunk sizes, trailers. One read may bring
more."""

BODY_PIECE_BYTES: Final = 64 * 1024

MAX_PIPELINED: Final = 8
"""Requests that wait behind the one that is being answered."""

MAX_CONNECTIONS: Final = 2048
BACKLOG: Final = 64
"""Connections that are accepted in one go, before others are closed for them."""

RESERVED_DESCRIPTORS: Final = 64 + BACKLOG
"""For the database, Temporal and files, and for connections that are about to be closed."""


@dataclass(frozen=True)
class Timeouts:
    """How long the server waits for a client.

    Attributes:
        head_sec: from a connection's beginning, or a message's first byte, to the end of its head.
        body_sec: for each `BODY_PIECE_BYTES` of a body.
        unread_sec: for a client to read the next 48 KiB or so of an answer, or the last ones.
    """

    head_sec: float = 10.0
    body_sec: float = 30.0
    unread_sec: float = 30.0


def connections_limit(*, listeners: int = 1) -> int:
    """Return how many connections each of a process's listeners may have."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(16, min(MAX_CONNECTIONS, (descriptors - RESERVED_DESCRIPTORS) // listeners))


class Connections:
    """The open connections of a listener, the one that was answered last at the end."""

    def __init__(self, limit: int, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self._limit = limit
        self._open: OrderedDict[BoundedHttp, None] = OrderedDict()

    def add(self, connection: "BoundedHttp") -> None:
        """Take a new connection; where there is no room, close another one, or this."""
        self._open[connection] = None
        if len(self._open) > self._limit:
            self._longest_waiting(connection).abort()

    def move_to_end(self, connection: "BoundedHttp") -> None:
        if connection in self._open:
            self._open.move_to_end(connection)

    def remove(self, connection: "BoundedHttp") -> None:
        self._open.pop(connection, None)

    def _longest_waiting(self, newcomer: "BoundedHttp") -> "BoundedHttp":
        kept = newcomer
        for connection in self._open:
            if connection is newcomer or not connection.is_waiting:
                continue
            if not connection.was_answered:
                return connection
            kept = connection if kept is newcomer else kept
        return kept


class BoundedHttp(HttpToolsProtocol):
    def __init__(self, connections: Connections, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.was_answered = False
        self._others = connections
        self._timeouts = connections.timeouts
        self._is_in_head = self._is_in_message = False
        self._overhead_bytes = 0
        self._body_bytes = 0
        self._request_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the client owes something: all of a request, or the rest of one."""
        return self._is_in_message or not self._is_answering

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def abort(self) -> None:
        self._others.remove(self)
        self.transport.abort()

    # The transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit_request(self._timeouts.head_sec)
        self._others.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._others.remove(self)
        self._limit_request(None)
        self._limit_reading(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._overhead_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._overhead_bytes > MAX_OVERHEAD_BYTES:
            self._refuse(HTTPStatus.BAD_REQUEST, "The headers or trailers are too long")
        elif self._request_timer is None and not self._is_answering:
            self._limit_request(self._timeouts.head_sec)  # what came before a message is none yet

    def pause_writing(self) -> None:
        self._limit_reading(self._timeouts.unread_sec)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._limit_reading(None)
        super().resume_writing()

    # The messages

    def on_message_begin(self) -> None:
        self._is_in_head = self._is_in_message = True
        self._body_bytes = 0
        self._limit_request(self._timeouts.head_sec)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait for the body.

        Raises:
            ValueError: too many requests wait for this client's earlier ones; that makes it a 400.
        """
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError
        self._limit_request(self._timeouts.body_sec)
        super().on_headers_complete()
        self._is_in_head = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, but none that comes after a body."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; the application bounds the whole."""
        self._overhead_bytes -= len(body)
        before, self._body_bytes = self._body_bytes, self._body_bytes + len(body)
        if before // BODY_PIECE_BYTES < self._body_bytes // BODY_PIECE_BYTES:
            self._limit_request(self._timeouts.body_sec)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the application now; what else came belongs to the next message."""
        self._is_in_message = False
        self._overhead_bytes = 0
        self._limit_request(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to read the last answer."""
        self.was_answered = True
        self._others.move_to_end(self)
        super().on_response_complete()
        if self.transport.is_closing():
            self._limit_reading(self._timeouts.unread_sec)

    # The ends

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._limit_reading(self._timeouts.unread_sec)

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Answer in the form of the API's errors, and close."""
        body = json.dumps({"error": {"code": "VALIDATION_ERROR", "message": message}}).encode()
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % len(body) + body)
        self._close()

    def _close(self) -> None:
        self._limit_request(None)
        self.transport.close()
        self._limit_reading(self._timeouts.unread_sec)

    def _limit_request(self, seconds: float | None) -> None:
        self._request_timer = self._restarted(self._request_timer, seconds, self._time_out)

    def _limit_reading(self, seconds: float | None) -> None:
        self._read_timer = self._restarted(self._read_timer, seconds, self.abort)

    def _restarted(
        self,
        running: asyncio.TimerHandle | None,
        seconds: float | None,
        on_timeout: Callable[[], None],
    ) -> asyncio.TimerHandle | None:
        if running:
            running.cancel()
        return None if seconds is None else self.loop.call_later(seconds, on_timeout)

    def _time_out(self) -> None:
        if self._is_in_head or (self._is_in_message and not self.cycle.response_started):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request did not come in time")
        else:
            self._close()


def http_config(
    app: Any,
    host: str,
    port: int,
    *,
    connections: int | None = None,
    timeouts: Timeouts = Timeouts(),
    **more: Any,
) -> uvicorn.Config:
    """Return how an ASGI application is served to clients that nobody vouches for.

    It has as many connections at once as the process has descriptors for, unless `connections` says
    how many.
    """
    limit = connections_limit() if connections is None else connections
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=partial(BoundedHttp, Connections(limit, timeouts)),  # type: ignore[arg-type]  # made by a call
        ws="none",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        **more,
    )
