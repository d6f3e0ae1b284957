"""The activities that serve a destination, as its workflow calls them, and what they exchange.

Workflows see ids and outcomes alone: what is told, the URL and the keys go from the gateway to the
activity that delivers.
"""

from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field
from temporalio import activity

from monitors.events import StreamEvent
from notifications.notification import DestinationType, Notification


class Retry(StrEnum):
    """How hard a notification is tried."""

    SHORT = "short"
    """As the webhooks of `callback_url`."""

    LONG = "long"
    """10 attempts over about 75 hours."""


class NotificationOutcome(BaseModel):
    """What became of a notification.

    Attributes:
        outcome: `delivered`, `skipped`, or a word for what went wrong, to count by.
        error: None when the destination took it.
    """

    delivery_id: int
    outcome: str
    attempts: int
    error: str | None = None


class NextInput(BaseModel):
    """Input of `next_notification`.

    Attributes:
        settled: what became of the last one; None for the first, and after an interruption.
        hand_back: whether what was handed out last waits again.
    """

    destination_id: str
    settled: NotificationOutcome | None = None
    hand_back: bool = False


class NextResult(BaseModel):
    """Returned by `next_notification`.

    Attributes:
        is_gone: there is no such destination any more.
        delivery_id: what is to be told now; None: nothing.
        wait_sec: until something is due if nothing new happens; None: for ever.
    """

    is_gone: bool = False
    delivery_id: int | None = None
    wait_sec: float | None = None


class NotifyInput(BaseModel):
    """Input of `deliver_notification`."""

    destination_id: str
    delivery_id: int


class DestinationSecrets(BaseModel):
    """Where a destination is, and what signs; no workflow ever sees it.

    Attributes:
        secret: `whsec_` and base64; of a webhook.
        private_key: `whsk_` and base64: an Ed25519 key; None without one.
    """

    model_config = ConfigDict(frozen=True)

    url: str = Field(repr=False)
    secret: str | None = Field(default=None, repr=False)
    private_key: str | None = Field(default=None, repr=False)


class NotificationOrder(BaseModel):
    """The gateway's answer to a worker that delivers: what to tell, and to whom.

    Attributes:
        event: the event that is told, where it is a single one.
        attempts: how often it was tried before.
    """

    type: DestinationType
    secrets: DestinationSecrets
    retry: Retry
    notification: Notification
    event: StreamEvent | None = None
    attempts: int = 0


class NotificationAttempt(BaseModel):
    """An attempt that failed and is followed by others."""

    attempts: int = Field(ge=0, le=2**31 - 1)
    error: str = Field(max_length=2000)


class DestinationActivities(Protocol):
    """Done by `activities.notify_destination`."""

    @activity.defn
    async def next_notification(self, input: NextInput) -> NextResult:
        """Tell the gateway what became of the last notification, and ask for the next.

        Raises:
            ApplicationError: `GATEWAY_UNAVAILABLE`.
        """

    @activity.defn
    async def deliver_notification(self, input: NotifyInput) -> NotificationOutcome:
        """Send a notification once; return what became of it in the end.

        Raises:
            ApplicationError: `DELIVERY_FAILED`, with when to try again. `GATEWAY_UNAVAILABLE`: the
                gateway does not say what to send; that is no attempt.
        """
