"""Reading the body of an answer without ever holding more than the caller allows."""

import re
import zlib
from http import HTTPStatus

import httpx

from media.outbound.errors import BadEncoding, TooLarge, Truncated

# 32 makes zlib recognize gzip and zlib headers by itself.
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32

_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


async def read_body(response: httpx.Response, *, max_bytes: int, compressed: bool) -> bytes:
    """Return the body of a streamed answer.

    Args:
        response: opened with `stream=True`, not read.
        max_bytes: limit of the body as returned. Reading stops at the first byte beyond it,
            however well a compressed body inflates.
        compressed: whether gzip or deflate was offered.

    Raises:
        TooLarge: more than `max_bytes`, or more than that announced.
        Truncated: it ends before its announced end.
        BadEncoding: a content encoding that was not offered, or broken compression.
        httpx.HTTPError: the connection failed.
    """
    status = response.status_code
    announced = _announced_bytes(response)
    if announced is not None and announced > max_bytes:
        raise TooLarge(status)
    body = await _read_chunks(response, _decoder(response, compressed), max_bytes)
    if announced is not None and response.num_bytes_downloaded < announced:
        raise Truncated(status)
    return body


async def _read_chunks(
    response: httpx.Response, decoder: "_Inflate | None", max_bytes: int
) -> bytes:
    status = response.status_code
    pieces: list[bytes] = []
    room = max_bytes
    try:
        # httpx's own decoding inflates a chunk at once: 64 KiB may become 64 MiB.
        async for chunk in response.aiter_raw():
            piece = decoder.feed(chunk, room + 1) if decoder else chunk
            room -= len(piece)
            if room < 0:
                raise TooLarge(status)
            pieces.append(piece)
    except httpx.ProtocolError:
        raise Truncated(status) from None
    except zlib.error:
        raise BadEncoding(status) from None
    if decoder and not decoder.complete:
        raise Truncated(status)
    return b"".join(pieces)


def _announced_bytes(response: httpx.Response) -> int | None:
    """Return Content-Length where it is the length of this very body.

    Beside Transfer-Encoding it means nothing, and with 304 it is the length that a 200 would have
    had (RFC 9112 6.3, RFC 9110 8.6).
    """
    headers = response.headers
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers or response.status_code == HTTPStatus.NOT_MODIFIED:
        return None
    return int(length) if _LENGTH.fullmatch(length) else None


class _Inflate:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
        self._empty = True

    @property
    def complete(self) -> bool:
        # Some servers label even an empty body as gzip.
        return self._empty or self._stream.eof

    def feed(self, chunk: bytes, most: int) -> bytes:
        """Return the next bytes of the body; more than `most` of them may be cut off."""
        self._empty = False
        piece = self._stream.decompress(chunk, most)
        if self._stream.unused_data:
            raise zlib.error("data after the end of the compressed stream")
        return piece


def _decoder(response: httpx.Response, compressed: bool) -> _Inflate | None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return None
    if compressed and encoding in ("gzip", "x-gzip", "deflate"):
        return _Inflate()
    raise BadEncoding(response.status_code)
