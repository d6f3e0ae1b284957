"""HTTP/1.1 messages, as far as a small site needs them (RFC 9112)."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MAX_BODY_BYTES = 1024 * 1024
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"


@dataclass(frozen=True)
class Request:
    """What a client asks for. `headers` have lower-case names."""

    method: str
    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """Return the JSON object of the body; an empty one when it is none."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class NoReply(StrEnum):
    """What the site does instead of answering."""

    RESET = "reset"  # the connection is reset
    HANG = "hang"  # nothing comes until the client gives up


def html(text: str) -> Reply:
    return Reply(200, text.encode(), "text/html; charset=utf-8")


def script(text: str) -> Reply:
    return Reply(200, text.encode(), "text/javascript; charset=utf-8")


def json_reply(value: Mapping[str, Any]) -> Reply:
    return Reply(200, json.dumps(value).encode(), "application/json; charset=UTF-8")


def playlist(text: str) -> Reply:
    return Reply(200, text.encode(), PLAYLIST_TYPE, {"Cache-Control": "private, max-age=4"})


def error(status: int) -> Reply:
    return Reply(status, f"{status} {HTTPStatus(status).phrase}\n".encode())


def redirect(url: str) -> Reply:
    return Reply(303, headers={"Location": url})


async def read_request(reader: asyncio.StreamReader, host: str = "") -> Request | None:
    """Read a request to the tunnel's `host`; None at the end, or where what comes is no HTTP."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, _version = first.split(" ")
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        length = int(headers.get("content-length", "0"))
        body = await reader.readexactly(length) if 0 < length <= MAX_BODY_BYTES else b""
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, OSError):
        return None
    if method == "CONNECT":
        return Request(method, target, "", headers=headers)
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query))
    return Request(method, host or parts.netloc, parts.path, query, headers, body)


def encode(reply: Reply, *, without_body: bool = False) -> bytes:
    """Return the answer's bytes; `without_body` for HEAD."""
    lines = [
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if without_body else head + reply.body
