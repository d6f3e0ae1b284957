"""Posting a webhook: one attempt, bounded in time and in what is read of the answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from media.outbound.errors import typed_errors

TOTAL_TIMEOUT_SEC = 10.0
ANSWER_MAX_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What a receiver answered.

    Attributes:
        status: HTTP status.
        retry_after: the header as it came, None without one.
    """

    status: int
    retry_after: str | None


async def post_webhook(
    client: httpx.AsyncClient,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    total_timeout_sec: float = TOTAL_TIMEOUT_SEC,
) -> Answer:
    """Post `body` once and return the answer, whatever its status.

    The answer's body means nothing; at most 64 KiB of it are read, so that the connection can be
    used again, and a longer one is cut off.

    Raises:
        FetchError: no answer within the time limit, see `media.outbound`.
    """
    with typed_errors():
        async with asyncio.timeout(total_timeout_sec):
            async with client.stream("POST", url, content=body, headers=headers) as response:
                await _read_a_little(response)
                return Answer(response.status_code, response.headers.get("retry-after"))


async def _read_a_little(response: httpx.Response) -> None:
    size = 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > ANSWER_MAX_BYTES:
            return
