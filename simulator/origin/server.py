"""An ASGI app on uvicorn inside this process, with connections that can be cut."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_BACKLOG = 512


class _QuietServer(uvicorn.Server):
    """A uvicorn that leaves when told, not at its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._left = asyncio.Event()

    def leave(self) -> None:
        self.should_exit = True
        self._left.set()

    async def main_loop(self) -> None:
        """Wait for `leave`; what uvicorn's own loop refreshes are headers that are switched off."""
        await self._left.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class InProcessServer:
    """Serves an ASGI app between `start` and `stop`; port 0 takes a free one."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._app = app
        self._server = self._new_server()
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> tuple[str, int]:
        """Listen and return host and port; after a `stop` the port is the same again."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # asyncio switches Nagle's algorithm off only where the protocol is named; with it on,
        # each answer of head and body takes 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        self._port = listener.getsockname()[1]
        self._server = self._new_server()
        # Connections wait in the backlog until the loop serves: nothing to poll for.
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        return self._host, self._port

    async def stop(self) -> None:
        """Cut all connections, free the port, return when nothing runs any more."""
        if self._serving is None:
            return
        self._server.leave()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        await self._serving
        self._serving = None

    def _new_server(self) -> _QuietServer:
        return _QuietServer(
            uvicorn.Config(
                self._app,
                http="httptools",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                date_header=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    def close_connection(self, client: tuple[str, int], reset: bool) -> None:
        """Close the connection of a client, or reset it (RST instead of FIN)."""
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, HttpToolsProtocol) and connection.client == client:
                _close(connection.transport, reset)


def _close(transport: asyncio.Transport, reset: bool) -> None:
    if not reset:
        transport.close()
        return
    peer = transport.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
