"""Posting to a destination: one attempt, through the guarded client."""

from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from media.outbound.errors import AddressRefused, FetchError
from media.outbound.posting import ReceiverAnswer, post_webhook
from monitors.delivery import Failure, read_retry_after
from notifications.sending import Outcome, outcome_of_status


async def posted(
    client: httpx.AsyncClient, url: str, *, body: bytes, headers: Mapping[str, str]
) -> ReceiverAnswer | Failure:
    """Post `body` once and return the answer, or why there is none."""
    try:
        return await post_webhook(client, url, body=body, headers=headers)
    except FetchError as error:
        return Failure(error.code, str(error), is_final=isinstance(error, AddressRefused))


async def post_json(
    client: httpx.AsyncClient, url: str, body: bytes, *, authorization: str | None = None
) -> Outcome:
    """Post `body` once and return what came of it; a redirect is a failure.

    Args:
        client: from `media.outbound.client.webhook_client`.
        url: without credentials.
        body: JSON.
        authorization: the header, a secret.
    """
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    answer = await posted(client, url, body=body, headers=headers)
    if isinstance(answer, Failure):
        return answer
    asked_sec = read_retry_after(answer.retry_after, datetime.now(UTC))
    return outcome_of_status(answer.status, asked_sec)
