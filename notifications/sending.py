"""What an attempt to tell a destination is, and what it comes to."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from monitors.delivery import Failure, is_delivered, outcome_of
from notifications.notification import Notification

SEND_TIMEOUT_SEC: Final = 30.0
"""No attempt takes longer."""

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


def outcome_of_status(status: int, asked_sec: float | None) -> Outcome:
    """Return what an HTTP answer means.

    Only what finds fault with the request itself is final. A key that is refused and an address
    that is not found are tried again: people mend those while the retries last.

    Args:
        status: of the answer.
        asked_sec: the wait that it asked for.
    """
    if is_delivered(status):
        return Sent.DELIVERED
    return Failure(
        outcome_of(status),
        f"the service answered with HTTP status {status}",
        is_final=status in _FINAL,
        asked_sec=asked_sec,
    )
