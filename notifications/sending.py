"""One attempt to tell a destination: how it is posted, and what comes of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import httpx

from media.outbound.errors import AddressRefused, FetchError
from media.outbound.posting import ReceiverAnswer, post_webhook
from monitors.delivery import Failure, is_delivered, outcome_of, read_retry_after
from notifications.notification import Notification

SEND_TIMEOUT_SEC: Final = 30.0  # no attempt takes longer
_FINAL: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.GONE,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class Sent(StrEnum):
    """An attempt that needs no other."""

    DELIVERED = "delivered"
    SKIPPED = "skipped"
    """The service has no place for it, as PagerDuty has none for a stream that starts."""


Outcome = Sent | Failure

Send = Callable[[str, Notification], Awaitable[Outcome]]
"""Makes one attempt to tell a destination of one type, at most `SEND_TIMEOUT_SEC` long.

Its URL is a secret: no outcome has a part of it in its message.
"""


async def posted(
    client: httpx.AsyncClient, url: str, *, body: bytes, headers: Mapping[str, str]
) -> ReceiverAnswer | Failure:
    """Post `body` once, by the guarded client; return the answer, or why there is none."""
    try:
        return await post_webhook(client, url, body=body, headers=headers)
    except FetchError as error:
        return Failure(error.code, str(error), is_final=isinstance(error, AddressRefused))


async def post_json(
    client: httpx.AsyncClient, url: str, body: bytes, *, authorization: str | None = None
) -> Outcome:
    """Post JSON once and return what came of it; `url` has no credentials."""
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization
    answer = await posted(client, url, body=body, headers=headers)
    if isinstance(answer, Failure):
        return answer
    asked_sec = read_retry_after(answer.retry_after, datetime.now(UTC))
    return outcome_of_status(answer.status, asked_sec)


def outcome_of_status(status: int, asked_sec: float | None) -> Outcome:
    """Return what an HTTP answer means that asked to wait for `asked_sec`.

    Only what finds fault with the request itself is final. A key that is refused and an address
    that is not found are tried again: people mend those while the retries last.
    """
    if is_delivered(status):
        return Sent.DELIVERED
    return Failure(
        outcome_of(status),
        f"the service answered with HTTP status {status}",
        is_final=status in _FINAL,
        asked_sec=asked_sec,
    )
