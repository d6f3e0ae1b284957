"""A name server on 127.0.0.1 that leaves unanswered what it is told to."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import cast

A, AAAA = 1, 28
NXDOMAIN = 3
Address = tuple[str, int]
Zone = Callable[[str], Sequence[str] | None]
"""From a name to its addresses; none at all: there is no such name; None: no answer."""


@dataclass
class NameServer:
    """Attributes:
    asked: the names of all questions, in their order.
    """

    address: str = ""
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def name_server(
    zone: Zone, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[NameServer]:
    """Answer over UDP as `zone` says, until the block ends."""
    server = NameServer()

    class Answering(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport = cast(asyncio.DatagramTransport, transport)

        def datagram_received(self, data: bytes, addr: Address) -> None:
            name, kind, question = _read_question(data)
            server.asked.append(name)
            addresses = zone(name)
            if addresses is not None:
                self._transport.sendto(_answer(data[:2], question, kind, addresses), addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Answering, (host, port))
    host, port = transport.get_extra_info("sockname")
    server.address = f"{host}:{port}"
    try:
        yield server
    finally:
        transport.close()


def _read_question(query: bytes) -> tuple[str, int, bytes]:
    """Return name, type, and the question as it was asked (RFC 1035 4.1.2)."""
    labels, at = [], 12
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size].decode())
        at += 1 + size
    end = at + 5
    (kind,) = struct.unpack_from("!H", query, at + 1)
    return ".".join(labels).lower(), kind, query[12:end]


def _answer(number: bytes, question: bytes, kind: int, addresses: Sequence[str]) -> bytes:
    wanted = [ip_address(each).packed for each in addresses]
    fitting = [each for each in wanted if len(each) == {A: 4, AAAA: 16}.get(kind)]
    code = 0 if addresses else NXDOMAIN
    head = number + struct.pack("!HHHHH", 0x8180 | code, 1, len(fitting), 0, 0)
    records = (struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(each)) + each for each in fitting)
    return head + question + b"".join(records)
