"""Sending an answer over ASGI, well or with a fault."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from simulator.origin.clock import Clock
from simulator.origin.faults import Fault, FaultKind, kept
from simulator.origin.reply import Reply

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_CHUNK_BYTES = 64 * 1024
_DRIPS_PER_SEC = 5


@dataclass(frozen=True)
class Exchange:
    """One request being answered."""

    receive: Receive
    send: Send
    close: Callable[[bool], None]  # closes the connection; with True it is reset instead
    clock: Clock

    async def start(self, reply: Reply, length: int | None) -> None:
        """Send the head; no `length` means a chunked body."""
        headers = {"Content-Type": reply.content_type, **reply.headers}
        if length is not None:
            headers["Content-Length"] = str(length)
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": reply.status, "headers": raw})

    async def write(self, body: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def gone(self) -> None:
        """Return when the connection is closed, by whichever side."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def deliver(exchange: Exchange, reply: Reply, fault: Fault | None) -> None:
    """Send the answer as the fault has it; returns early when the client goes away."""
    send_faulty = _FAULTY.get(fault.kind) if fault else None
    if fault is None or send_faulty is None:
        await _whole(exchange, reply)
        return
    sending = asyncio.ensure_future(send_faulty(exchange, reply, fault))
    gone = asyncio.ensure_future(exchange.gone())
    await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
    for task in (sending, gone):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _whole(exchange: Exchange, reply: Reply) -> None:
    await exchange.start(reply, None if reply.status == 304 else len(reply.body))
    await exchange.write(reply.body, more=False)


async def _delayed(exchange: Exchange, reply: Reply, fault: Fault) -> None:
    await exchange.clock.sleep(fault.delay_sec)
    await _whole(exchange, reply)


async def _dripping(exchange: Exchange, reply: Reply, fault: Fault) -> None:
    await exchange.start(reply, len(reply.body))
    size = max(1, fault.bytes_per_sec // _DRIPS_PER_SEC)
    for place in range(0, len(reply.body), size):
        await exchange.write(reply.body[place : place + size], more=True)
        await exchange.clock.sleep(size / fault.bytes_per_sec)
    await exchange.write(b"", more=False)


async def _endless(exchange: Exchange, reply: Reply, _fault: Fault) -> None:
    await exchange.start(reply, None)
    await exchange.write(reply.body, more=True)
    noise = os.urandom(_CHUNK_BYTES)
    while True:
        await exchange.write(noise, more=True)
        await asyncio.sleep(0)


async def _partly(exchange: Exchange, reply: Reply, fault: Fault) -> None:
    await exchange.start(reply, len(reply.body))
    await exchange.write(kept(fault, reply.body), more=True)


async def _hanging(exchange: Exchange, reply: Reply, fault: Fault) -> None:
    if fault.keep_ratio:
        await _partly(exchange, reply, fault)
    await asyncio.Event().wait()


async def _cut(exchange: Exchange, reply: Reply, fault: Fault) -> None:
    await _partly(exchange, reply, fault)
    exchange.close(False)
    await asyncio.Event().wait()


async def _reset(exchange: Exchange, reply: Reply, fault: Fault) -> None:
    if fault.keep_ratio:
        await _partly(exchange, reply, fault)
    exchange.close(True)
    await asyncio.Event().wait()


_FAULTY: dict[FaultKind, Callable[[Exchange, Reply, Fault], Awaitable[None]]] = {
    FaultKind.DELAY: _delayed,
    FaultKind.DRIP: _dripping,
    FaultKind.ENDLESS: _endless,
    FaultKind.HANG: _hanging,
    FaultKind.CUT: _cut,
    FaultKind.RESET: _reset,
}
