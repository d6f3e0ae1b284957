"""Answers before they are sent: ranges, conditions, compression. Pure."""

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
MANIFEST_TYPE = "application/dash+xml"
SEGMENT_TYPES = {"ts": "video/mp2t", "m4s": "video/iso.segment", "mp4": "video/mp4"}

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True)
class Reply:
    """An answer: status, body and the headers besides Content-Length and Content-Type."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


def playlist_reply(text: str) -> Reply:
    return Reply(200, text.encode(), PLAYLIST_TYPE, {"Cache-Control": "no-cache"})


def manifest_reply(text: str) -> Reply:
    return Reply(200, text.encode(), MANIFEST_TYPE, {"Cache-Control": "no-cache"})


def error_reply(status: int) -> Reply:
    return Reply(status, f"{status}\n".encode())


def requested_range(headers: Mapping[str, str]) -> tuple[int, int | None] | None:
    """Return first and last byte of a single `Range`, as RFC 9110 section 14.2 writes it."""
    found = _RANGE.fullmatch(headers.get("range", ""))
    if not found:
        return None
    return int(found[1]), int(found[2]) if found[2] else None


def tagged(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """Give the answer an ETag; 304 when the client has it already (RFC 9110 section 13)."""
    if reply.status != 200:
        return reply
    tag = f'"{zlib.crc32(reply.body):08x}"'
    if headers.get("if-none-match") == tag:
        reply = replace(reply, status=304, body=b"")
    return replace(reply, headers={**reply.headers, "ETag": tag})


def ranged(reply: Reply, headers: Mapping[str, str]) -> Reply:
    asked = requested_range(headers)
    return _part(reply, *asked) if asked and reply.status == 200 else reply


def compressed(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """Return a playlist gzipped when the client takes that."""
    if reply.content_type != PLAYLIST_TYPE or "Content-Encoding" in reply.headers:
        return reply
    if reply.status != 200 or not accepts_gzip(headers):
        return reply
    body = gzip.compress(reply.body, compresslevel=1, mtime=0)
    return replace(reply, body=body, headers={**reply.headers, "Content-Encoding": "gzip"})


def accepts_gzip(headers: Mapping[str, str]) -> bool:
    return "gzip" in headers.get("accept-encoding", "")


def _part(reply: Reply, first: int, last: int | None) -> Reply:
    size = len(reply.body)
    if first >= size or (last is not None and last < first):
        return replace(
            reply,
            status=416,
            body=b"",
            headers={**reply.headers, "Content-Range": f"bytes */{size}"},
        )
    end = size - 1 if last is None else min(last, size - 1)
    span = {"Content-Range": f"bytes {first}-{end}/{size}"}
    return replace(
        reply, status=206, body=reply.body[first : end + 1], headers={**reply.headers, **span}
    )


@lru_cache(maxsize=2)
def gzip_bomb(size_bytes: int) -> bytes:
    """Return a gzip body of a playlist that is one comment of `size_bytes` spaces."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    packed = [packer.compress(b"#EXTM3U\n#")]
    block = b" " * (1 << 20)
    packed += [packer.compress(block) for _ in range(max(1, size_bytes >> 20))]
    return b"".join([*packed, packer.flush()])


def gzip_bomb_reply(size_bytes: int) -> Reply:
    """Return a playlist of about a thousandth of the `size_bytes` that it unpacks to."""
    return Reply(200, gzip_bomb(size_bytes), PLAYLIST_TYPE, {"Content-Encoding": "gzip"})
