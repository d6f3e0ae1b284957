"""Webhook receivers that mean no good, by what they try."""

import asyncio
from typing import Any

from tests.testkit.crafted_media import bomb
from tests.testkit.hostile_origins import CHUNK, CHUNKED
from tests.testkit.stand_ins import Answer, always, endlessly, reply

OK = b"HTTP/1.1 200 X\r\n"


async def silence(request: Any, writer: asyncio.StreamWriter) -> None:
    """Take the request and never answer."""
    await asyncio.Event().wait()


async def reset(request: Any, writer: asyncio.StreamWriter) -> None:
    """Reset the connection."""
    writer.transport.abort()


RECEIVERS: dict[str, Answer] = {
    "no answer": silence,
    "a reset": reset,
    "a body without end": endlessly(CHUNKED, CHUNK),
    "a body that drips": endlessly(CHUNKED, b"1\r\n.\r\n", pause_sec=0.01),
    "a body in one-byte pieces": endlessly(CHUNKED, b"1\r\n.\r\n"),
    "a head without end": endlessly(OK, b"x-more: " + b"." * 1000 + b"\r\n"),
    "interim answers without end": endlessly(b"", b"HTTP/1.1 102 X\r\n\r\n"),
    "a gzip bomb": always(reply(bomb(), content_encoding="gzip")),
    "a redirect to a host that does not decode": always(
        reply(status=302, location="https://xn--a/")
    ),
    "a length of 5,000 digits": always(reply(content_length="9" * 5000)),
    "a wait of 5,000 digits": always(reply(status=503, retry_after="9" * 5000)),
}
