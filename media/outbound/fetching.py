"""Fetching playlists and segments, each bounded in size and time. No retries here."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from media.outbound.bodies import Room, read_body
from media.outbound.errors import (
    BadRange,
    BadRedirect,
    BadStatus,
    FetchError,
    TooLarge,
    TooManyRedirects,
    Truncated,
    typed_errors,
)
from media.outbound.stream_client import REDIRECTED_FROM, MediaClient
from monitors.stream_url import MAX_URL_BYTES

MAX_REDIRECTS = 3
PLAYLIST_MAX_BYTES = 1024 * 1024
PLAYLIST_TIMEOUT_SEC = 15.0
SEGMENT_TIMEOUT_SEC = 30.0

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:\d+|\*)", re.ASCII)


@dataclass(frozen=True)
class FetchedPlaylist:
    """`text` is UTF-8, bad bytes replaced; `final_url`, after redirects, the base of its URIs."""

    text: str
    final_url: str


async def fetch_playlist(
    client: MediaClient,
    url: str,
    *,
    max_bytes: int = PLAYLIST_MAX_BYTES,
    total_timeout_sec: float = PLAYLIST_TIMEOUT_SEC,
    room: Room | None = None,
) -> FetchedPlaylist:
    """Fetch a playlist or manifest, following redirects.

    Args:
        max_bytes: limit of the body after decompression.
        room: taken before the body comes; the wait for it counts, too.
    """
    headers = {"Accept-Encoding": "gzip"}
    async with _answer(client, url, headers, total_timeout_sec) as response:
        if not _is_whole(response):
            raise BadStatus(response.status_code)
        async with room.filling() if room else nullcontext():
            body = await read_body(response, max_bytes=max_bytes, compressed=True)
    return FetchedPlaylist(body.decode("utf-8", errors="replace"), str(response.url))


async def fetch_segment(
    client: MediaClient,
    url: str,
    *,
    byte_range: tuple[int, int] | None = None,
    max_bytes: int,
    total_timeout_sec: float = SEGMENT_TIMEOUT_SEC,
) -> bytes:
    """Fetch a segment, an init segment or a key; of a range (offset, length) exactly that."""
    # Compressing media gains nothing, and a range of a compressed answer means something else.
    headers = {"Accept-Encoding": "identity", **_range_header(byte_range)}
    async with _answer(client, url, headers, total_timeout_sec) as response:
        if byte_range is not None:
            return await _read_range(response, *byte_range, max_bytes=max_bytes)
        if not _is_whole(response):
            raise BadStatus(response.status_code)
        return await read_body(response, max_bytes=max_bytes, compressed=False)


@asynccontextmanager
async def _answer(
    client: MediaClient, url: str, headers: Mapping[str, str], total_timeout_sec: float
) -> AsyncIterator[httpx.Response]:
    """Open `url` for reading; the time limit covers the whole `async with` block."""
    with typed_errors():
        async with asyncio.timeout(total_timeout_sec):
            response = await _follow(client, httpx.URL(url), headers)
            try:
                yield response
            finally:
                await response.aclose()


async def _follow(
    client: MediaClient, url: httpx.URL, headers: Mapping[str, str]
) -> httpx.Response:
    """Return the first answer that is no redirect. Each hop is judged by the client's transport."""
    extensions = {REDIRECTED_FROM: url}
    for _ in range(MAX_REDIRECTS + 1):
        request = client.build_request("GET", url, headers=headers, extensions=extensions)
        response = await client.send(request, stream=True, follow_redirects=False)
        if response.next_request is None:
            return response
        await response.aclose()
        url = response.next_request.url
        if len(str(url)) > MAX_URL_BYTES:
            raise BadRedirect
    raise TooManyRedirects


async def _read_range(
    response: httpx.Response, offset: int, length: int, *, max_bytes: int
) -> bytes:
    """Return the asked range from a 206, or cut out of a 200 (RFC 9110 14.2 allows it)."""
    status = response.status_code
    if status == HTTPStatus.PARTIAL_CONTENT:
        if not _covers(response.headers.get("content-range", ""), offset, length):
            raise BadRange(status)
        part = await read_body(response, max_bytes=min(length, max_bytes), compressed=False)
    elif _is_whole(response):
        whole = await read_body(response, max_bytes=max_bytes, compressed=False)
        part = whole[offset : offset + length]
    else:
        raise BadStatus(status)
    if len(part) != length:
        raise Truncated(status)
    return part


def _covers(content_range: str, offset: int, length: int) -> bool:
    """Return whether a Content-Range header starts at `offset` and is at most `length` long."""
    match = _CONTENT_RANGE.fullmatch(content_range.strip().lower())
    if match is None:
        return False
    first, last = int(match[1]), int(match[2])
    return first == offset and last < offset + length


def _range_header(byte_range: tuple[int, int] | None) -> dict[str, str]:
    if byte_range is None:
        return {}
    offset, length = byte_range
    return {"Range": f"bytes={offset}-{offset + length - 1}"}


def _is_whole(response: httpx.Response) -> bool:
    return response.is_success and response.status_code != HTTPStatus.PARTIAL_CONTENT


class Mirrors:
    """Remembers which of a stream's places gave something last: the others come after it.

    Without that each segment would wait for the time-out of a place that is down.
    """

    def __init__(self, client: MediaClient) -> None:
        self._client = client
        self._preferred = 0

    async def fetch(
        self,
        urls: Sequence[str],
        *,
        byte_range: tuple[int, int] | None,
        max_bytes: int,
        total_timeout_sec: float,
    ) -> bytes:
        """Fetch what is at any of `urls`; where no place has it, raise what the first one said."""
        first_error: FetchError | None = None
        for turn in range(len(urls)):
            place = (self._preferred + turn) % len(urls)
            try:
                found = await fetch_segment(
                    self._client,
                    urls[place],
                    byte_range=byte_range,
                    max_bytes=max_bytes,
                    total_timeout_sec=total_timeout_sec,
                )
            except TooLarge:
                raise  # as it is everywhere; the caller may have more room
            except FetchError as error:
                first_error = first_error or error
            else:
                self._preferred = place
                return found
        assert first_error is not None  # noqa: S101
        raise first_error
