"""An HTTPS proxy that answers CONNECT with the site itself instead of the real one."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import trustme

from simulator.youtube.exchange import NoReply, Reply, Request, encode, error, read_request

SITE_HOSTS = (
    "youtube.com",
    "*.youtube.com",
    "youtu.be",
    "googlevideo.com",
    "*.googlevideo.com",
    "*.ytimg.com",
)

Answer = Callable[[Request], Awaitable[Reply | NoReply]]

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class InterceptingProxy:
    """Serves the site's hosts over TLS on 127.0.0.1; all others are refused and listed."""

    def __init__(self, tls: ssl.SSLContext, answer: Answer) -> None:
        self.refused: list[str] = []
        self._tls = tls
        self._answer = answer
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where clients find it: `http://127.0.0.1:PORT`."""
        if self._server is None:
            raise RuntimeError("the proxy does not run")
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            host = await self._tunnel(reader, writer)
            while host and (request := await read_request(reader, host)):
                await self._exchange(request, reader, writer)
        except OSError:
            pass  # The client left (`ssl.SSLError` is one of these): nothing to answer.
        finally:
            await _close(writer)

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str | None:
        """Take the CONNECT request and start TLS; return the host, None when it is refused."""
        request = await read_request(reader)
        if request is None:
            return None
        host, _, port = request.host.rpartition(":")
        if request.method != "CONNECT" or port != "443" or not _is_site_host(host):
            self.refused.append(request.host)
            writer.write(encode(error(403)))
            await writer.drain()
            return None
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.start_tls(self._tls)
        return host

    async def _exchange(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        reply = await self._answer(request)
        if reply is NoReply.HANG:
            await reader.read(1)
            raise ConnectionAbortedError
        if reply is NoReply.RESET:
            _reset(writer)
            raise ConnectionResetError
        writer.write(encode(reply, without_body=request.method == "HEAD"))
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Make closing the connection send RST: lingering for 0 s discards what is queued."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    writer.transport.abort()


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close at once: a TLS farewell would wait for clients that keep idle connections."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _is_site_host(host: str) -> bool:
    return any(
        host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in SITE_HOSTS
    )


def make_certificates(ca_path: Path) -> ssl.SSLContext:
    """Make an authority, write its certificate to `ca_path` (PEM), return the site's TLS side."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_path))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*SITE_HOSTS).configure_cert(context)
    return context
