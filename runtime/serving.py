"""Running HTTP servers inside a process that does other things too."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Final, TypeVar

import uvicorn

from runtime.errors import StartError

GRACE_SEC: Final = 10
"""What requests in flight get at the end."""

NEW_OBJECTS: Final = 10_000
"""So many more than before, and the garbage collector looks at them; by itself it does at 700."""

ResultT = TypeVar("ResultT")


class PortTaken(StartError):
    """Something else listens on the port, or the host is none of ours; the message names both."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve_in_background(
    config: uvicorn.Config, *, variables: str | None = None
) -> AsyncIterator[None]:
    """Serve while the context is open; at its end, requests in flight finish.

    Errors name the `variables` that say where. Raises PortTaken, and StartError where the
    application does not start.
    """
    with bind(config.host, config.port, variables) as listener:
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            if not server.started:
                raise StartError("the HTTP server does not start, its log says why")
            yield
        finally:
            server.should_exit = True
            await serving


def bind(host: str, port: int, variables: str | None = None) -> socket.socket:
    """Return a bound socket; where that fails, PortTaken names the `variables` that say where."""
    place = f"{variables}: " if variables else ""
    place += f"cannot listen on {host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host,
            port,
            type=socket.SOCK_STREAM,
            # asyncio switches Nagle's algorithm off only where the protocol is named: else an
            # answer of two writes waits 40 ms for the client's delayed ACK.
            proto=socket.IPPROTO_TCP,
            flags=socket.AI_PASSIVE,
        )[0]
    except OSError as error:
        raise PortTaken(f"{place}: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise PortTaken(f"{place}: {error.strerror}") from None
    return listener


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop that costs least: uvloop, where it is installed."""
    try:
        import uvloop
    except ImportError:  # not for every platform
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def spare_the_garbage_collector() -> None:
    """Have it look rarely, and at nothing that is there already: that stays to the end.

    All that was imported stops a process for 0.1 s, and looking often takes a tenth of its time.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


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


async def run_until_signal(
    work: Coroutine[Any, Any, ResultT], on_signal: Callable[[], None] = lambda: None
) -> ResultT | None:
    """Run `work` to its end; SIGTERM or SIGINT cancels it, and then the result is None."""
    working = asyncio.create_task(work)
    with stop_signal() as stop:
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            return working.result()
        on_signal()
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        return None
