"""The activities that serve a destination, as its workflow calls them, and what they exchange.

Workflows see ids and outcomes alone: what is told, the URL and the keys go from the gateway to the
activity that delivers.
"""

from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, Field
from temporalio import activity

from monitors.events import StreamEvent
from notifications.notification import DestinationType, Notification


class Retry(StrEnum):
    """How hard a notification is tried."""

    SHORT = "short"  # as the webhooks of `callback_url`

    LONG = "long"  # 10 attempts over about 75 hours


class NotificationOutcome(BaseModel):
    """What became of a notification."""

    delivery_id: int
    outcome: str  # `delivered`, `skipped`, or a word for what went wrong, to count by
    attempts: int
    error: str | None = None  # None when the destination took it


class NextInput(BaseModel):
    """What a worker asks the gateway: what is due?"""

    destination_id: str
    # what became of the last notification, where the gateway may not know it
    settled: NotificationOutcome | None = None
    hand_back: bool = False  # whether what was handed out last waits again


class NextResult(BaseModel):
    """The gateway's answer."""

    is_gone: bool = False  # there is no such destination any more
    delivery_id: int | None = None  # what is to be told now; None: nothing
    wait_sec: float | None = None  # until something is due if nothing new happens; None: for ever


class ServeInput(NextInput):
    """`given_up`: why what is being sent is tried no more; then it has failed."""

    given_up: str | None = None


class ServeResult(NextResult):
    """`settled`: what became of the notification, where the gateway did not take that."""

    settled: NotificationOutcome | None = None

    @property
    def has_more(self) -> bool:
        """Whether to go on at once."""
        return self.delivery_id is not None or self.settled is not None


class DestinationSecrets(BaseModel, frozen=True):
    """Where a destination is, and what signs; no workflow ever sees it."""

    url: str = Field(repr=False)
    secret: str | None = Field(default=None, repr=False)  # `whsec_` and base64; of a webhook
    # `whsk_` and base64: an Ed25519 key; None without one
    private_key: str | None = Field(default=None, repr=False)


class NotificationOrder(BaseModel):
    """The gateway's answer to a worker that delivers: what to tell, and to whom."""

    type: DestinationType
    secrets: DestinationSecrets
    retry: Retry
    notification: Notification
    event: StreamEvent | None = None  # the event that is told, where it is a single one
    attempts: int = 0  # how often it was tried before


class NotificationAttempt(BaseModel):
    """An attempt that failed and is followed by others."""

    attempts: int = Field(ge=0, le=2**31 - 1)
    error: str = Field(max_length=2000)


class DestinationActivities(Protocol):
    """Done by `activities.notify_destination`."""

    @activity.defn
    async def serve_destination(self, input: ServeInput) -> ServeResult:
        """Ask the gateway what is due, send it once, and say what became of it in the end.

        Each attempt asks again: what is not to be told any more is not tried any more.

        Raises:
            ApplicationError: `DELIVERY_FAILED`, with when to try again. `GATEWAY_UNAVAILABLE`: the
                gateway does not say what to send; that is no attempt.
        """
