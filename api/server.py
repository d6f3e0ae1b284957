"""Serves the gateway over HTTP within a running event loop."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

from runtime.settings import GatewaySettings

GRACE_SEC: Final = 10
KEEP_ALIVE_SEC: Final = 30
BACKLOG: Final = 2048


class AddressUnavailable(Exception):
    """The gateway cannot listen where it should; the message is one line that says why."""


class _Server(uvicorn.Server):
    """A server that leaves signals to the process that runs it, and says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: asyncio.Event) -> None:
        super().__init__(config)
        self._listening = listening

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listening.set()


async def serve_gateway(
    app: FastAPI,
    settings: GatewaySettings,
    *,
    stop: asyncio.Event,
    listening: asyncio.Event | None = None,
) -> None:
    """Serve `app` until `stop` is set, then finish the requests in flight, for `GRACE_SEC` at most.

    Args:
        app: made by `api.app.create_app`.
        settings: where to listen.
        stop: set by the caller, for example on a signal.
        listening: set once requests are taken.

    Raises:
        AddressUnavailable: host or port cannot be listened on.
    """
    with _listener(settings.host, settings.port) as listener:
        server = _Server(_config(app), listening or asyncio.Event())
        stopping = asyncio.create_task(_stop_when_told(server, stop))
        try:
            await server.serve(sockets=[listener])
        finally:
            stopping.cancel()
            await asyncio.gather(stopping, return_exceptions=True)


async def _stop_when_told(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SEC,
        timeout_graceful_shutdown=GRACE_SEC,
    )


@contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket]:
    try:
        listener = _listen(host, port)
    except OSError as error:
        raise AddressUnavailable(
            f"HOST, PORT: cannot listen on {host} port {port}: {error.strerror}"
        ) from None
    with listener:
        yield listener


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host,
        port,
        type=socket.SOCK_STREAM,
        # Named, because asyncio switches Nagle's algorithm off only where it is: else every answer
        # of two writes waits 40 ms for the client's delayed ACK.
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_PASSIVE,
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
