"""A DNS server of this benchmark: good names, and a zone that never answers."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

ADDRESS = "127.0.0.153"
PORT = 53
GOOD_ZONE = "good.example"
SILENT_ZONE = "hang.example"

_A = 1
_NO_SUCH_NAME = 3
_HEAD = struct.Struct(">HHHHHH")
_ANSWER = struct.Struct(">HHHIH4s")
_TTL_SEC = 1
"""Short, so that names are looked up again and again."""


class _Server(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        name, kind, question = _question(data)
        if not _is_in(name, SILENT_ZONE):
            self._transport.sendto(_answer(data, name, kind, question), addr)


def _question(data: bytes) -> tuple[str, int, bytes]:
    labels, at = [], _HEAD.size
    while size := data[at]:
        labels.append(data[at + 1 : at + 1 + size].decode("latin-1").lower())
        at += 1 + size
    (kind,) = struct.unpack_from(">H", data, at + 1)
    return ".".join(labels), kind, data[_HEAD.size : at + 5]


def _answer(data: bytes, name: str, kind: int, question: bytes) -> bytes:
    (number,) = struct.unpack_from(">H", data)
    is_known = _is_in(name, GOOD_ZONE)
    has_answer = is_known and kind == _A
    flags = 0x8180 | (0 if is_known else _NO_SUCH_NAME)
    head = _HEAD.pack(number, flags, 1, int(has_answer), 0, 0)
    address = _ANSWER.pack(0xC00C, _A, 1, _TTL_SEC, 4, bytes([127, 0, 0, 1]))
    return head + question + (address if has_answer else b"")


def _is_in(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


@asynccontextmanager
async def dns_server() -> AsyncIterator[None]:
    """Answer look-ups at `ADDRESS` while the context is open.

    Raises:
        PermissionError: this user may not listen on port 53.
    """
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_Server, local_addr=(ADDRESS, PORT))
    try:
        yield
    finally:
        transport.close()
