"""Calling a receiver: one attempt, bounded in time and in what is read of the answer."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import httpx

from media.outbound.errors import FetchError, typed_errors

TOTAL_TIMEOUT_SEC = 10.0
ANSWER_MAX_BYTES = 64 * 1024
ANSWER_READ_SEC = 1.0


@dataclass(frozen=True)
class ReceiverAnswer:
    """Of `retry_after` the header as it came."""

    status: int
    retry_after: str | None


async def post_webhook(
    client: httpx.AsyncClient,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    total_timeout_sec: float = TOTAL_TIMEOUT_SEC,
) -> ReceiverAnswer:
    """Post `body` once and return the answer, whatever its status."""
    # The status is the answer. Its body means nothing: a little of it is read, for a second and up
    # to 64 KiB, so that the connection can be used again; what is longer, late or broken is left.
    request = partial(client.build_request, "POST", url, content=body, headers=headers)
    return await _answer_to(client, request, total_timeout_sec)


async def call(client: httpx.AsyncClient, url: str, *, headers: Mapping[str, str]) -> int:
    """Ask for `url` once and return the status of the answer, which is left unread."""
    request = partial(client.build_request, "GET", url, headers=headers)
    return (await _answer_to(client, request, TOTAL_TIMEOUT_SEC)).status


async def _answer_to(
    client: httpx.AsyncClient, request: Callable[[], httpx.Request], total_timeout_sec: float
) -> ReceiverAnswer:
    with typed_errors():
        async with asyncio.timeout(total_timeout_sec):
            response = await client.send(request(), stream=True)
    with contextlib.suppress(FetchError), typed_errors():
        try:
            async with asyncio.timeout(ANSWER_READ_SEC):
                await _read_a_little(response)
        finally:
            await response.aclose()
    return ReceiverAnswer(response.status_code, response.headers.get("retry-after"))


async def _read_a_little(response: httpx.Response) -> None:
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > ANSWER_MAX_BYTES:
            return
