"""A receiver with moods: it takes a webhook, refuses it, hangs, or resets the connection."""

import asyncio
import json
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook

HANGS, RESETS, REFUSES = "hangs", "resets", "500"
MOODS = {REFUSES: 0.16, RESETS: 0.10, HANGS: 0.04}
"""30 % of all requests, as shares of them."""

_RESET = struct.pack("ii", 1, 0)


@dataclass
class MoodyReceiver:
    """Verifies what it gets; `taken` holds what it answered with 200, in that order.

    Attributes:
        key: the signing key.
        chance: decides on moods.
        bodies: those of each event, by its id, in all attempts.
        forged: requests whose signature did not fit.
    """

    key: bytes
    chance: random.Random
    port: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    taken: list[dict[str, Any]] = field(default_factory=list)
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    forged: int = 0

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                headers = _headers(head)
                body = await reader.readexactly(int(headers["content-length"]))
                await self._answer(headers, body, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(
        self, headers: dict[str, str], body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        self._verify(headers, body)
        mood = self._mood()
        self.answers[mood] += 1
        if mood == HANGS:
            await asyncio.sleep(3600)
        elif mood == RESETS:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
            raise ConnectionResetError
        if mood == "200":
            self.taken.append(json.loads(body))
        writer.write(f"HTTP/1.1 {mood} X\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()

    def _verify(self, headers: dict[str, str], body: bytes) -> None:
        try:
            Webhook(self.key).verify(body, headers)
        except Exception:
            self.forged += 1
        self.bodies.setdefault(headers["x-event-id"], set()).add(body)

    def _mood(self) -> str:
        at = self.chance.random()
        for mood, share in MOODS.items():
            at -= share
            if at < 0:
                return mood
        return "200"


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines if name}


@asynccontextmanager
async def receiving(receiver: MoodyReceiver) -> AsyncIterator[None]:
    """Receive on a free port while the context is open."""
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(receiver.converse(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.port = listener.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
