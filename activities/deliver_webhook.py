"""Posting one event to its receiver."""

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.declarations import (
    DELIVER_WEBHOOK,
    DELIVERY_FAILED,
    Delivered,
    DeliveryAttempts,
    DeliveryOrder,
)
from media.outbound.errors import AddressRefused, FetchError
from media.outbound.posting import Answer, post_webhook
from monitors.delivery import DeliveryPolicy, is_delivered, is_final, read_retry_after
from monitors.events import StreamEvent
from monitors.signing import signature_headers

logger = structlog.get_logger(__name__)


class WebhookDelivery:
    """Delivers webhooks: each attempt of the activity is one request."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        signing_keys: Sequence[bytes],
        policy: DeliveryPolicy,
        user_agent: str,
    ) -> None:
        self._client = client
        self._signing_keys = signing_keys
        self._policy = policy
        self._user_agent = user_agent

    @activity.defn(name=DELIVER_WEBHOOK)
    async def deliver(self, order: DeliveryOrder) -> Delivered:
        """Post the event once; a failure carries when to try again.

        Raises:
            ApplicationError: `DeliveryFailed`, with `DeliveryAttempts`; not retryable after the
                last attempt, on 410, and on an address that is refused.
        """
        attempt = activity.info().attempt
        try:
            answer = await self._post(order)
        except FetchError as error:
            final = isinstance(error, AddressRefused)
            raise self._failure(order.event, str(error), attempt, final=final) from None
        if not is_delivered(answer.status):
            raise self._refusal(order.event, answer, attempt)
        logger.info("webhook delivered", **_labels(order.event), attempt=attempt)
        return Delivered(attempts=attempt, sent_at=datetime.now(UTC))

    async def _post(self, order: DeliveryOrder) -> Answer:
        body = order.event.body()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            **signature_headers(
                self._signing_keys,
                event_id=order.event.event_id,
                body=body,
                attempt_at=int(time.time()),
            ),
        }
        return await post_webhook(self._client, order.callback_url, body=body, headers=headers)

    def _refusal(self, event: StreamEvent, answer: Answer, attempt: int) -> ApplicationError:
        asked_sec = read_retry_after(answer.retry_after, datetime.now(UTC))
        message = f"the receiver answered with HTTP status {answer.status}"
        return self._failure(
            event, message, attempt, final=is_final(answer.status), asked_sec=asked_sec
        )

    def _failure(
        self,
        event: StreamEvent,
        message: str,
        attempt: int,
        *,
        final: bool,
        asked_sec: float | None = None,
    ) -> ApplicationError:
        final = final or attempt >= self._policy.max_attempts
        logger.warning(
            "webhook failed", **_labels(event), attempt=attempt, error=message, final=final
        )
        # Jitter spreads load, it keeps no secret.
        chance = random.random()  # noqa: S311
        delay_sec = self._policy.delay_sec(attempt, chance=chance, asked_sec=asked_sec)
        return ApplicationError(
            message,
            DeliveryAttempts(attempts=attempt, error=message),
            type=DELIVERY_FAILED,
            non_retryable=final,
            next_retry_delay=None if final else timedelta(seconds=delay_sec),
        )


def _labels(event: StreamEvent) -> dict[str, str | int]:
    return {
        "monitor_id": event.monitor_id,
        "event_id": event.event_id,
        "event_type": event.event_type.value,
        "sequence": event.sequence,
    }
