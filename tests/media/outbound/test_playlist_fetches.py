import gzip
import tracemalloc
import zlib

import httpx
import pytest

from media.outbound.errors import (
    BadEncoding,
    BadStatus,
    FetchError,
    FetchTimeout,
    TooLarge,
    Truncated,
)
from media.outbound.fetching import PLAYLIST_MAX_BYTES, fetch_playlist
from tests.testkit.stand_ins import (
    BODY,
    PLAYLIST,
    always,
    endlessly,
    reply,
    scripted_server,
)


async def test_a_playlist_is_fetched_as_text(client: httpx.AsyncClient) -> None:
    answer = reply(BODY, content_type="Application/VND.apple.mpegurl; charset=utf-8")
    async with scripted_server(always(answer)) as server:
        fetched = await fetch_playlist(client, server.url("/live.m3u8?token=x"))
    assert fetched.text == PLAYLIST
    assert fetched.final_url == server.url("/live.m3u8?token=x")
    assert server.requests[0].headers["accept-encoding"] == "gzip"


async def test_unasked_304_is_an_error(client: httpx.AsyncClient) -> None:
    async with scripted_server(always(reply(status=304))) as server:
        with pytest.raises(BadStatus):
            await fetch_playlist(client, server.url())


async def test_bytes_that_are_no_utf8_are_replaced(client: httpx.AsyncClient) -> None:
    answer = reply(b"#EXTM3U \xff\xfe", content_type="audio/mpegurl; charset=utf-16")
    async with scripted_server(always(answer)) as server:
        assert (await fetch_playlist(client, server.url())).text == "#EXTM3U \ufffd\ufffd"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", gzip.compress(BODY), id="gzip"),
        pytest.param("X-GZIP", gzip.compress(BODY), id="x-gzip"),
        pytest.param("deflate", zlib.compress(BODY), id="deflate"),
        pytest.param("identity", BODY, id="identity"),
    ],
)
async def test_a_playlist_is_decompressed(
    client: httpx.AsyncClient, encoding: str, body: bytes
) -> None:
    async with scripted_server(always(reply(body, content_encoding=encoding))) as server:
        assert (await fetch_playlist(client, server.url())).text == PLAYLIST


async def test_a_playlist_may_be_empty_though_it_is_called_gzip(client: httpx.AsyncClient) -> None:
    async with scripted_server(always(reply(content_encoding="gzip"))) as server:
        assert (await fetch_playlist(client, server.url())).text == ""


@pytest.mark.parametrize(
    ("encoding", "body", "error"),
    [
        pytest.param("br", BODY, BadEncoding, id="not offered"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(BODY)), BadEncoding, id="twice"),
        pytest.param("gzip", BODY, BadEncoding, id="no gzip at all"),
        pytest.param("gzip", gzip.compress(BODY) + b"x", BadEncoding, id="data behind the end"),
        pytest.param("gzip", gzip.compress(BODY)[:-9], Truncated, id="gzip cut off"),
    ],
)
async def test_a_playlist_compressed_wrongly_is_an_error(
    client: httpx.AsyncClient, encoding: str, body: bytes, error: type[FetchError]
) -> None:
    async with scripted_server(always(reply(body, content_encoding=encoding))) as server:
        with pytest.raises(error):
            await fetch_playlist(client, server.url())


async def test_a_bomb_is_stopped_at_the_limit(client: httpx.AsyncClient) -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024), compresslevel=1)
    async with scripted_server(always(reply(bomb, content_encoding="gzip"))) as server:
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge):
                await fetch_playlist(client, server.url())
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak_bytes < 4 * PLAYLIST_MAX_BYTES


@pytest.mark.parametrize("size", [99, 100])
async def test_a_playlist_up_to_the_limit_is_taken(client: httpx.AsyncClient, size: int) -> None:
    packed = reply(gzip.compress(b"x" * size), content_encoding="gzip", content_length="")
    async with scripted_server(always(packed, close=True)) as server:
        fetched = await fetch_playlist(client, server.url(), max_bytes=100)
    assert len(fetched.text) == size


async def test_one_byte_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    packed = reply(gzip.compress(b"x" * 101), content_encoding="gzip")
    async with scripted_server(always(packed)) as server:
        with pytest.raises(TooLarge):
            await fetch_playlist(client, server.url(), max_bytes=100)


async def test_empty_deflate_blocks_without_end_are_stopped_by_time(
    client: httpx.AsyncClient,
) -> None:
    packer = zlib.compressobj(wbits=31)
    head = packer.compress(BODY) + packer.flush(zlib.Z_SYNC_FLUSH)
    nothing = packer.flush(zlib.Z_FULL_FLUSH) or b"\x00\x00\x00\xff\xff"
    script = endlessly(
        reply(head, content_encoding="gzip", content_length=""), nothing, pause_sec=0.001
    )
    async with scripted_server(script) as server:
        with pytest.raises(FetchTimeout):
            await fetch_playlist(client, server.url(), total_timeout_sec=0.1)
