"""How a helper process and its pool talk: JSON, each message after its length in 4 bytes.

The first message is a `ResolverSetup`, then each `ResolveRequest` is followed by one answer:
`{"finding": ..., "resident_bytes": ...}`, or with `failed`, the type of an error, for `finding`.
"""

import json
import struct
from dataclasses import dataclass, field
from typing import IO, Any

from media.sources.youtube.resolver_options import Depth, ExtractorArgs, Resolver

LENGTH_BYTES = 4
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class WireError(Exception):
    """The other side does not speak this protocol."""


@dataclass(frozen=True, kw_only=True)
class ResolverSetup:
    """What a helper process works with, once for its life.

    Attributes:
        folder: its working folder, to be left without a trace.
        cookies: content of the cookie file, so that no copy of it lies on a disk.
        ca_file: the certificates to trust instead of the public ones.
        javascript_path: the deno binary; None to let yt-dlp look for it.
    """

    folder: str
    request_timeout_sec: float
    cookies: str | None = field(default=None, repr=False)
    proxy: str | None = field(default=None, repr=False)
    source_address: str | None = None
    ca_file: str | None = None
    extractor_args: ExtractorArgs = field(default_factory=dict, repr=False)
    javascript_path: str | None = None


@dataclass(frozen=True)
class ResolveRequest:
    """One look."""

    resolver: Resolver
    depth: Depth
    video_id: str


def watch_url(video_id: str) -> str:
    """Return the URL that the resolvers are given."""
    return f"https://www.youtube.com/watch?v={video_id}"


def pack(message: dict[str, Any]) -> bytes:
    """Return `message` as it is sent."""
    body = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def unpack_length(prefix: bytes) -> int:
    """Return how long the message after `prefix` is.

    Raises:
        WireError: longer than `MAX_MESSAGE_BYTES`.
    """
    (length,) = _LENGTH.unpack(prefix)
    if length > MAX_MESSAGE_BYTES:
        raise WireError("a message is too long")
    return int(length)


def unpack(body: bytes) -> dict[str, Any]:
    """Return the message in `body`.

    Raises:
        WireError: it is no JSON object.
    """
    try:
        message = json.loads(body)
    except ValueError:
        raise WireError("a message is no JSON") from None
    if not isinstance(message, dict):
        raise WireError("a message is no object")
    return message


def read_message(stream: IO[bytes]) -> dict[str, Any] | None:
    """Read one message; None at the end of `stream`.

    Raises:
        WireError: no message of this protocol.
    """
    prefix = stream.read(LENGTH_BYTES)
    if len(prefix) < LENGTH_BYTES:
        return None
    length = unpack_length(prefix)
    body = stream.read(length)
    return unpack(body) if len(body) == length else None
