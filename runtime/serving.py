"""Running an HTTP server inside a process that does other things too."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn

from runtime.errors import StartError


class PortTaken(StartError):
    """Something else listens on the port; the message names it."""


class _Server(uvicorn.Server):
    """A server that leaves signals to its process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve_in_background(config: uvicorn.Config) -> AsyncIterator[None]:
    """Serve while the context is open; at its end, requests in flight finish.

    Raises:
        PortTaken: something else listens there.
    """
    listener = bind(config.host, config.port)
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await serving
        listener.close()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port`.

    Raises:
        PortTaken: something else listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named: 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return listener


@contextlib.contextmanager
def stop_signal() -> Iterator[asyncio.Event]:
    """Return an event that SIGTERM and SIGINT set while the context is open."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
