"""A certificate authority of one's own and TLS servers that it vouches for."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

HOST = "origin.example"
MEDIA = b"media" * 1000


@dataclass
class TlsServer:
    """A server of `MEDIA`: HTTP/2 where the client offers it.

    Attributes:
        names: server names that clients asked for (SNI).
        short_by: bytes that an HTTP/2 answer lacks of its announced length.
        pings: of HTTP/2, before each answer.
    """

    port: int = 0
    short_by: int = 0
    pings: int = 0
    names: list[str | None] = field(default_factory=list)
    protocols: list[str | None] = field(default_factory=list)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = writer.get_extra_info("ssl_object")
        self.protocols.append(session.selected_alpn_protocol())
        if session.selected_alpn_protocol() == "h2":
            await self._converse_h2(reader, writer)
        writer.close()

    async def _converse_h2(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived) and event.stream_id:
                    for _ in range(self.pings):
                        connection.ping(bytes(8))
                    self._answer(connection, event.stream_id)
            writer.write(connection.data_to_send())

    def _answer(self, connection: h2.connection.H2Connection, stream_id: int) -> None:
        headers = [(":status", "200"), ("content-length", str(len(MEDIA)))]
        connection.send_headers(stream_id, headers)
        body = MEDIA[: len(MEDIA) - self.short_by]
        connection.send_data(stream_id, body, end_stream=True)


def make_certificates(folder: Path) -> Path:
    """Write an authority (`ca.pem`) and a certificate of `HOST` (`server.pem`) to `folder`."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl command to make certificates with")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    authority = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "2"]
    usage = ["-addext", "keyUsage=critical,keyCertSign"]
    server = ["-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={HOST}"]
    sign = ["-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    (folder / "san").write_text(f"subjectAltName=DNS:{HOST}\nauthorityKeyIdentifier=keyid\n")
    for arguments in (
        ["req", "-x509", *new_key, *authority, *usage],
        ["req", *new_key, *server],
        ["x509", "-req", *sign, "-days", "2", "-extfile", "san", "-out", "server.pem"],
    ):
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)
    return folder


@asynccontextmanager
async def tls_server(
    certificates: Path, *, short_by: int = 0, pings: int = 0
) -> AsyncIterator[TlsServer]:
    """Serve `MEDIA` under the certificate of `HOST` until the block ends."""
    server = TlsServer(short_by=short_by, pings=pings)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    tls.set_alpn_protocols(["h2", "http/1.1"])
    tls.sni_callback = lambda _session, name, _context: server.names.append(name)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(server.converse(reader, writer)))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def tunnelling_proxy(asked: list[str]) -> AsyncIterator[str]:
    """Yield the URL of a proxy that opens each tunnel to the asked port of 127.0.0.1."""
    tasks: set[asyncio.Task[None]] = set()

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        asked.append(target)
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", int(target.rpartition(":")[2])
        )
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(tunnel(reader, writer)))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
