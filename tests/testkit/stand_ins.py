"""A network that never leaves the loopback, names that are a table, and scripted servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpcore

from media.outbound.addresses import IPAddress
from media.outbound.errors import NameNotResolved
from media.outbound.overhead import SocketOption

PUBLIC = "93.184.216.34"
OTHER_PUBLIC = "2606:4700:4700::1111"

PLAYLIST = "#EXTM3U\n#EXTINF:4,Grüße\nseg.ts\n"
BODY = PLAYLIST.encode()
MEDIA = bytes(range(256)) * 8


class Loopback(httpcore.AsyncNetworkBackend):
    """Records where a connection would go and opens it to 127.0.0.1.

    Attributes:
        attempts: (address, port) of each connection asked for.
        dead: addresses that refuse connections.
    """

    def __init__(self) -> None:
        self.attempts: list[tuple[str, int]] = []
        self.dead: set[str] = set()
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.attempts.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError
        return await self._sockets.connect_tcp("127.0.0.1", port, timeout)


class Names:
    """Answers for names, in turn; the last answer of a name stays."""

    def __init__(self, answers: Mapping[str, Sequence[Sequence[str]]]) -> None:
        self._answers = {name: list(turns) for name, turns in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        self.asked.append(host)
        turns = self._answers.get(host)
        if turns is None:
            raise NameNotResolved
        answer = turns.pop(0) if len(turns) > 1 else turns[0]
        return [ip_address(text) for text in answer]


@dataclass(frozen=True)
class Request:
    """What a scripted server was asked: `path` as in the request line."""

    method: str
    path: str
    headers: dict[str, str]


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ScriptedServer:
    """A server on 127.0.0.1 that writes what its script says, byte for byte."""

    port: int
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", host: str = "origin.example") -> str:
        return f"http://{host}:{self.port}{path}"


@asynccontextmanager
async def scripted_server(answer: Answer) -> AsyncIterator[ScriptedServer]:
    """Serve keep-alive HTTP/1.1 with `answer` until the block ends."""
    server = ScriptedServer(port=0)
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            while (request := await _read_request(reader)) is not None:
                server.requests.append(request)
                await answer(request, writer)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(converse(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, OSError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.partition(":") for line in lines if line)
    return Request(method, path, {name.lower(): value.strip() for name, _, value in pairs})


def reply(body: bytes = b"", status: int = 200, **headers: str) -> bytes:
    """Return a whole answer; `content_length="..."` overrides the right one, "" leaves it out."""
    fields = {"content-length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + body


def always(answer: bytes, *, close: bool = False) -> Answer:
    """Return a script that gives the same answer each time."""

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if close:
            writer.close()

    return write


def by_path(answers: Mapping[str, bytes]) -> Answer:
    """Return a script that answers by path, 404 elsewhere."""

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.get(request.path, reply(status=404)))

    return write


def endlessly(head: bytes, chunk: bytes, *, pause_sec: float = 0) -> Answer:
    """Return a script that sends `head`, then `chunk` until the other side hangs up."""

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_sec)

    return write
