import gzip

import httpx
import pytest

from media.outbound.errors import (
    BadEncoding,
    BadRange,
    BadStatus,
    FetchError,
    FetchTimeout,
    TooLarge,
    Truncated,
)
from media.outbound.fetching import fetch_segment
from tests.testkit.stand_ins import (
    MEDIA,
    always,
    endlessly,
    reply,
    scripted_server,
)


async def test_a_segment_is_fetched_uncompressed(client: httpx.AsyncClient) -> None:
    async with scripted_server(always(reply(MEDIA))) as server:
        assert await fetch_segment(client, server.url(), max_bytes=len(MEDIA)) == MEDIA
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert "range" not in server.requests[0].headers


async def test_a_segment_in_chunks_is_whole(client: httpx.AsyncClient) -> None:
    chunked = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    answer = reply(chunked, content_length="", transfer_encoding="chunked")
    async with scripted_server(always(answer)) as server:
        assert await fetch_segment(client, server.url(), max_bytes=11) == b"hello world"


async def test_a_segment_announced_too_large_is_refused_before_its_body(
    client: httpx.AsyncClient,
) -> None:
    async with scripted_server(always(reply(content_length="101"))) as server:
        with pytest.raises(TooLarge):
            await fetch_segment(client, server.url(), max_bytes=100)


async def test_a_segment_without_end_is_stopped_at_the_limit(client: httpx.AsyncClient) -> None:
    script = endlessly(reply(content_length=""), bytes(65_536))
    async with scripted_server(script) as server:
        with pytest.raises(TooLarge):
            await fetch_segment(client, server.url(), max_bytes=1_000_000)


async def test_a_segment_that_drips_is_stopped_by_time(client: httpx.AsyncClient) -> None:
    script = endlessly(reply(content_length="1000000"), b"x", pause_sec=0.001)
    async with scripted_server(script) as server:
        with pytest.raises(FetchTimeout):
            await fetch_segment(client, server.url(), max_bytes=1_000_000, total_timeout_sec=0.1)


async def test_a_segment_whose_headers_drip_is_stopped_by_time(client: httpx.AsyncClient) -> None:
    script = endlessly(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", pause_sec=0.001)
    async with scripted_server(script) as server:
        with pytest.raises(FetchTimeout):
            await fetch_segment(client, server.url(), max_bytes=1, total_timeout_sec=0.1)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply(MEDIA, content_length=str(len(MEDIA) + 1)), id="content-length"),
        pytest.param(
            reply(b"5\r\nhello\r\n", content_length="", transfer_encoding="chunked"),
            id="chunked",
        ),
    ],
)
async def test_a_segment_cut_off_is_an_error(client: httpx.AsyncClient, answer: bytes) -> None:
    async with scripted_server(always(answer, close=True)) as server:
        with pytest.raises(Truncated):
            await fetch_segment(client, server.url(), max_bytes=10_000)


async def test_a_segment_compressed_unasked_is_refused(client: httpx.AsyncClient) -> None:
    answer = reply(gzip.compress(MEDIA), content_encoding="gzip")
    async with scripted_server(always(answer)) as server:
        with pytest.raises(BadEncoding):
            await fetch_segment(client, server.url(), max_bytes=10_000)


async def test_a_segment_partial_unasked_is_refused(client: httpx.AsyncClient) -> None:
    async with scripted_server(always(reply(MEDIA, 206))) as server:
        with pytest.raises(BadStatus):
            await fetch_segment(client, server.url(), max_bytes=10_000)


async def test_a_range_is_asked_for_and_returned(client: httpx.AsyncClient) -> None:
    answer = reply(MEDIA[100:150], 206, content_range=f"bytes 100-149/{len(MEDIA)}")
    async with scripted_server(always(answer)) as server:
        part = await fetch_segment(client, server.url(), byte_range=(100, 50), max_bytes=50)
    assert part == MEDIA[100:150]
    assert server.requests[0].headers["range"] == "bytes=100-149"


async def test_a_range_is_cut_out_of_a_whole_answer(client: httpx.AsyncClient) -> None:
    async with scripted_server(always(reply(MEDIA))) as server:
        part = await fetch_segment(client, server.url(), byte_range=(100, 50), max_bytes=4096)
    assert part == MEDIA[100:150]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(reply(MEDIA), TooLarge, id="whole and too large"),
        pytest.param(reply(MEDIA[:120]), Truncated, id="whole but ends inside"),
        pytest.param(reply(MEDIA[:50], 206), BadRange, id="206 without its range"),
        pytest.param(
            reply(MEDIA[:50], 206, content_range="bytes 0-49/2048"), BadRange, id="another part"
        ),
        pytest.param(reply(MEDIA[:60], 206, content_range="bytes 100-159/*"), BadRange, id="more"),
        pytest.param(
            reply(MEDIA[:40], 206, content_range="bytes 100-139/140"), Truncated, id="less"
        ),
        pytest.param(
            reply(MEDIA[:60], 206, content_range="bytes 100-149/2048"), TooLarge, id="longer"
        ),
        pytest.param(reply(status=416), BadStatus, id="beyond the end"),
    ],
)
async def test_a_range_that_is_not_delivered_is_an_error(
    client: httpx.AsyncClient, answer: bytes, error: type[FetchError]
) -> None:
    async with scripted_server(always(answer)) as server:
        with pytest.raises(error):
            await fetch_segment(client, server.url(), byte_range=(100, 50), max_bytes=200)
