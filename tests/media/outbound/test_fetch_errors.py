import asyncio

import httpcore
import httpx
import pytest
import structlog

from media.outbound.errors import (
    AddressRefused,
    BadRange,
    BadStatus,
    ConnectionFailed,
    FetchError,
    NameNotResolved,
    typed_errors,
)
from media.outbound.fetching import fetch_segment
from tests.testkit.stand_ins import (
    MEDIA,
    Loopback,
    Request,
    always,
    reply,
    scripted_server,
)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "http_401"),
        (403, "http_403"),
        (404, "http_404"),
        (410, "http_410"),
        (429, "http_429"),
        (500, "http_5xx"),
        (503, "http_5xx"),
        (300, "http_300"),
    ],
)
async def test_a_bad_status_has_a_code_of_its_own(
    client: httpx.AsyncClient, status: int, code: str
) -> None:
    async with scripted_server(always(reply(b"no", status))) as server:
        with pytest.raises(BadStatus) as caught:
            await fetch_segment(client, server.url(), max_bytes=100)
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="does not speak HTTP"),
    ],
)
async def test_an_answer_that_is_no_http_is_a_failed_connection(
    client: httpx.AsyncClient, answer: bytes
) -> None:
    async with scripted_server(always(answer, close=True)) as server:
        with pytest.raises(ConnectionFailed):
            await fetch_segment(client, server.url(), max_bytes=100)


async def test_a_refused_connection_is_a_failed_connection(
    client: httpx.AsyncClient, network: Loopback
) -> None:
    network.dead = {"93.184.216.34"}
    with pytest.raises(ConnectionFailed):
        await fetch_segment(client, "http://origin.example/", max_bytes=100)


async def test_an_unknown_name_is_a_failed_connection(client: httpx.AsyncClient) -> None:
    with pytest.raises(NameNotResolved) as caught:
        await fetch_segment(client, "http://nowhere.example/", max_bytes=100)
    assert caught.value.code == "connection"


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(
            reply(status=302, location="https://xn--a/"), AddressRefused, id="a host that is none"
        ),
        pytest.param(reply(status=302, location="http://a:" + DIGITS), FetchError, id="port"),
        pytest.param(reply(MEDIA, 206, content_range=f"bytes 0-{DIGITS}/*"), BadRange, id="range"),
        pytest.param(reply(MEDIA, content_length=DIGITS), FetchError, id="length"),
        pytest.param(
            reply(MEDIA, content_length=DIGITS, transfer_encoding="chunked"), FetchError, id="both"
        ),
        pytest.param(
            b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\n",
            FetchError,
            id="chunk",
        ),
        pytest.param(b"HTTP/1.1 " + DIGITS.encode() + b" X\r\n\r\n", FetchError, id="status"),
    ],
)
async def test_what_libraries_stumble_over_is_a_failed_request(
    client: httpx.AsyncClient, answer: bytes, error: type[FetchError]
) -> None:
    async with scripted_server(always(answer, close=True)) as server:
        with pytest.raises(error):
            await fetch_segment(client, server.url(), byte_range=(0, 100), max_bytes=100)


def test_an_error_of_any_type_is_a_failed_request() -> None:
    with structlog.testing.capture_logs() as log, pytest.raises(ConnectionFailed), typed_errors():
        raise LookupError("http://origin.example/?sig=tok3n")
    assert [line["error"] for line in log] == ["LookupError"]
    assert "tok3n" not in str(log)


@pytest.mark.parametrize(
    "url", ["http://[bad/x", "http://xn--a/", "http://999.1.1.1/", "http://a:b:c/", "x"]
)
async def test_what_is_no_url_is_refused(client: httpx.AsyncClient, url: str) -> None:
    with pytest.raises(AddressRefused):
        await fetch_segment(client, url, max_bytes=100)


async def test_a_long_url_is_no_problem(client: httpx.AsyncClient) -> None:
    async with scripted_server(always(reply(MEDIA))) as server:
        url = server.url("/" + "x" * 4000)
        assert await fetch_segment(client, url, max_bytes=10_000) == MEDIA


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply(status=403), id="status"),
        pytest.param(reply(content_length="999"), id="size"),
        pytest.param(b"junk\r\n\r\n", id="junk"),
        pytest.param(reply(status=302, location="http://127.0.0.1/?sig=tok3n"), id="refused"),
        pytest.param(reply(status=302, location="http://a:tok3n/"), id="bad location"),
    ],
)
async def test_no_message_or_cause_holds_a_part_of_a_url(
    client: httpx.AsyncClient, answer: bytes
) -> None:
    async with scripted_server(always(answer, close=True)) as server:
        with pytest.raises(FetchError) as caught:
            await fetch_segment(client, server.url("/seg.ts?sig=tok3n"), max_bytes=100)
    assert "tok3n" not in str(caught.value)
    assert "example" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_cancelling_a_fetch_leaves_no_connection_behind(client: httpx.AsyncClient) -> None:
    asked = asyncio.Event()

    async def never(request: Request, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with scripted_server(never) as server:
        fetch = asyncio.create_task(fetch_segment(client, server.url(), max_bytes=100))
        await asked.wait()
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        pool = client._transport._pool  # type: ignore[attr-defined]
        assert isinstance(pool, httpcore.AsyncConnectionPool)
        assert pool.connections == []
