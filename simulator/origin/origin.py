"""A live HLS origin in this process: many channels on one port of 127.0.0.1."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from simulator.origin.channel import Channel
from simulator.origin.clock import Clock, WallClock
from simulator.origin.control import control
from simulator.origin.delivery import Exchange, Message, Receive, Send, deliver
from simulator.origin.faults import Fault, FaultKind, Resource, damaged
from simulator.origin.publication import Change, ChannelOptions
from simulator.origin.render import RenderedProgramme
from simulator.origin.reply import (
    Reply,
    compressed,
    error_reply,
    gzip_bomb_reply,
    ranged,
    requested_range,
    tagged,
)
from simulator.origin.server import InProcessServer

LOG_ENTRIES = 100_000
_SILENT_FAULTS = {FaultKind.HANG, FaultKind.RESET}


@dataclass(frozen=True, slots=True)
class Served:
    """A request and what was done with it."""

    at: float  # wall time of the request, unix seconds
    channel: str
    path: str  # with the query
    status: int  # 0 when no answer was meant to be sent
    size_bytes: int  # of the body, before faults of the transport
    sequence: int | None = None  # media sequence of a segment, or the newest one in a playlist
    fault: FaultKind | None = None


class LiveOrigin:
    """Serves live channels over HTTP between `start` and `stop`, or inside `async with`.

    `on_request` is called with each request as it is logged, before it is answered.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, clock: Clock | None = None
    ) -> None:
        self.clock: Clock = clock or WallClock()
        self.log: deque[Served] = deque(maxlen=LOG_ENTRIES)
        self.on_request: Callable[[Served], None] = lambda served: None
        self.base_url = ""
        self._channels: dict[str, Channel] = {}
        self._server = InProcessServer(self._app, host, port)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __getitem__(self, name: str) -> Channel:
        return self._channels[name]

    async def start(self) -> str:
        """Listen, and return the base URL."""
        host, port = await self._server.start()
        shown = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{shown}:{port}"
        return self.base_url

    async def stop(self) -> None:
        """Cut what is being answered and free the port.

        Channels stay on their schedule: `start` serves them again on the same port, as after an
        outage of the network.
        """
        await self._server.stop()

    def add(
        self,
        name: str,
        *variants: RenderedProgramme,
        audio: RenderedProgramme | None = None,
        options: ChannelOptions | None = None,
        faults: Sequence[Fault] = (),
        changes: Sequence[Change] = (),
    ) -> Channel:
        """Put a channel on air, now, at `/live/NAME/`; one of the same name is replaced.

        The variants are the same scenes in one or more encodings, the lowest first; `audio` is the
        sound as a rendition of its own, for variants without. The origin must be started: it has no
        URL before.
        """
        if not self.base_url:
            raise RuntimeError("start the origin before adding channels")
        channel = Channel(
            name,
            self.base_url,
            self.clock,
            variants,
            audio=audio,
            options=options,
            changes=changes,
        )
        for fault in faults:
            channel.fault(fault)
        self._channels[name] = channel
        return channel

    def requests(self, channel: str, *, ending: str = "") -> list[Served]:
        """Return the logged requests of a channel whose path ends so, oldest first."""
        return [
            each
            for each in self.log
            if each.channel == channel and each.path.partition("?")[0].endswith(ending)
        ]

    async def _app(self, scope: Message, receive: Receive, send: Send) -> None:
        exchange = Exchange(
            receive=receive,
            send=send,
            close=lambda reset: self._server.close_connection(scope["client"], reset),
            clock=self.clock,
        )
        path: str = scope["path"]
        if path.startswith("/control"):
            await deliver(
                exchange, await control(self._channels, scope["method"], path, receive), None
            )
            return
        headers = _headers(scope)
        reply, resource, fault = self._answer(path, headers)
        self._record(scope, path, reply, resource, fault)
        await deliver(exchange, reply, fault)

    def _answer(
        self, path: str, headers: Mapping[str, str]
    ) -> tuple[Reply, Resource | None, Fault | None]:
        channel = self._channels.get(_channel_name(path))
        if channel is None:
            return error_reply(404), None, None
        asked = requested_range(headers)
        rest = path.removeprefix(f"/live/{channel.name}/")
        reply, resource, fault = channel.answer(rest, asked[0] if asked else None)
        if fault is None:
            reply = tagged(reply, headers)
        reply = ranged(reply, headers)
        if fault:
            reply = _faulty(reply, fault, resource.sequence or 0)
        if channel.options.compress:
            reply = compressed(reply, headers)
        return reply, resource, fault

    def _record(
        self,
        scope: Message,
        path: str,
        reply: Reply,
        resource: Resource | None,
        fault: Fault | None,
    ) -> None:
        query = scope["query_string"].decode("latin-1")
        silent = fault and fault.kind in _SILENT_FAULTS and not fault.keep_ratio
        served = Served(
            at=self.clock.now(),
            channel=_channel_name(path),
            path=f"{path}?{query}" if query else path,
            status=0 if silent else reply.status,
            size_bytes=len(reply.body),
            sequence=resource.sequence if resource else None,
            fault=fault.kind if fault else None,
        )
        self.log.append(served)
        self.on_request(served)


def _faulty(reply: Reply, fault: Fault, seed: int) -> Reply:
    if fault.kind is FaultKind.STATUS:
        return error_reply(fault.status)
    if fault.kind is FaultKind.GZIP_BOMB:
        return gzip_bomb_reply(fault.size_bytes)
    return replace(reply, body=damaged(fault, reply.body, seed))


def _channel_name(path: str) -> str:
    return path.removeprefix("/live/").partition("/")[0] if path.startswith("/live/") else ""


def _headers(scope: Message) -> dict[str, str]:
    raw: list[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
