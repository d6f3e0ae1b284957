"""Telling a destination: what is due comes from the gateway, one attempt goes out."""

import asyncio
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.declarations import DELIVERY_FAILED
from activities.destination_client import DestinationClient
from activities.destination_declarations import (
    DestinationActivities,
    NextInput,
    NextResult,
    NotificationAttempt,
    NotificationOrder,
    NotificationOutcome,
    NotifyInput,
    Retry,
)
from activities.gateway_client import ReportRefused
from activities.heartbeats import heartbeats, to_its_end
from activities.reports import answered
from monitors.delivery import DeliveryPolicy, Failure
from notifications.notification import DestinationType, NotificationState
from notifications.sending import SEND_TIMEOUT_SEC, Outcome, Sender
from notifications.webhook import WebhookKeys, WebhookSender

LONG_RETRIES: Final = DeliveryPolicy(
    max_attempts=10,
    base_sec=5.0,
    factor=5.0,
    cap_sec=86_400.0,
    retry_after_max_sec=86_400.0,
)
"""5 s, 25 s, 2 min, 10 min, 52 min, 4 h, 22 h, 24 h, 24 h: about 75 h."""

NO_KEYS: Final = Failure("no_keys", "the webhook has no secret", is_final=True)
UNKNOWN_TYPE: Final = Failure("unknown_type", "this worker does not know the type", is_final=True)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Senders:
    """What sends, by type; webhooks are signed, and so are apart."""

    webhook: WebhookSender
    others: Mapping[DestinationType, Sender]


class DestinationNotifier(DestinationActivities):
    """Serves the workflows of destinations.

    Args:
        gateway: says what is due.
        senders: make the attempts.
        short_retries: how hard to try where a destination wants no longer ones.
    """

    def __init__(
        self, gateway: DestinationClient, senders: Senders, short_retries: DeliveryPolicy
    ) -> None:
        self._gateway = gateway
        self._senders = senders
        self._policies = {Retry.SHORT: short_retries, Retry.LONG: LONG_RETRIES}
        self._notes: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Finish what was begun; the gateway's client bounds how long that takes."""
        await asyncio.gather(*self._notes)

    @activity.defn
    async def next_notification(self, input: NextInput) -> NextResult:
        async with heartbeats():
            return await answered(self._gateway.next_notification(input))

    @activity.defn
    async def deliver_notification(self, input: NotifyInput) -> NotificationOutcome:
        # What is on its way may still arrive: cut off, it would be sent twice.
        return await to_its_end(self._deliver(input))

    async def _deliver(self, input: NotifyInput) -> NotificationOutcome:
        try:
            async with heartbeats():
                order = await answered(
                    self._gateway.notification_order(input.destination_id, input.delivery_id)
                )
        except ApplicationError as error:
            if not error.non_retryable:
                raise
            return NotificationOutcome(
                delivery_id=input.delivery_id, outcome="gone", attempts=0, error=error.message
            )
        failed, before = _counted(order)
        async with heartbeats():
            outcome = await self._send(order)
        if isinstance(outcome, Failure):
            return self._fail(input, order, outcome, failed + 1, before)
        return NotificationOutcome(
            delivery_id=input.delivery_id, outcome=outcome.value, attempts=before + failed + 1
        )

    async def _send(self, order: NotificationOrder) -> Outcome:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SEC):
                return await self._sent_by_type(order)
        except TimeoutError:
            return Failure("timeout", "the service did not answer in time")
        except Exception as error:  # one that nobody expected counts as an attempt, too
            # Its text may have a part of the URL.
            logger.error("notification failed unexpectedly", error_type=type(error).__name__)
            return Failure(
                "unexpected", f"the attempt failed unexpectedly ({type(error).__name__})"
            )

    async def _sent_by_type(self, order: NotificationOrder) -> Outcome:
        secrets = order.secrets
        if order.type is DestinationType.WEBHOOK:
            if secrets.secret is None:
                return NO_KEYS
            keys = WebhookKeys(secrets.secret, secrets.private_key)
            return await self._senders.webhook.send(
                secrets.url, order.notification, event=order.event, keys=keys
            )
        sender = self._senders.others.get(order.type)
        return await sender.send(secrets.url, order.notification) if sender else UNKNOWN_TYPE

    def _fail(
        self,
        input: NotifyInput,
        order: NotificationOrder,
        failure: Failure,
        attempt: int,
        before: int,
    ) -> NotificationOutcome:
        """Return the last failure; raise one that is followed by another attempt."""
        # Jitter spreads load, it keeps no secret.
        chance = random.random()  # noqa: S311
        again_in_sec = self._policies[order.retry].again_in_sec(attempt, failure, chance=chance)
        if order.notification.state is NotificationState.TEST:
            again_in_sec = None  # somebody waits for the answer
        attempts = before + attempt
        logger.warning(
            "notification failed",
            destination_id=input.destination_id,
            delivery_id=input.delivery_id,
            type=order.type.value,
            attempt=attempts,
            outcome=failure.outcome,
            error=failure.message,
            again_in_sec=again_in_sec and round(again_in_sec, 1),
        )
        if again_in_sec is None:
            return NotificationOutcome(
                delivery_id=input.delivery_id,
                outcome=failure.outcome,
                attempts=attempts,
                error=failure.message,
            )
        activity.heartbeat(attempt, before)
        note = NotificationAttempt(attempts=attempts, error=failure.message)
        self._note(self._gateway.note_attempt(input.destination_id, input.delivery_id, note))
        raise ApplicationError(
            failure.message,
            type=DELIVERY_FAILED,
            category=ApplicationErrorCategory.BENIGN,  # logged and counted here
            next_retry_delay=timedelta(seconds=again_in_sec),
        )

    def _note(self, work: Coroutine[Any, Any, None]) -> None:
        """Have the audit show an attempt, and do not wait for it."""
        task = asyncio.create_task(_quietly(work))
        self._notes.add(task)
        task.add_done_callback(self._notes.discard)


async def _quietly(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (httpx.HTTPError, ReportRefused) as error:
        logger.info("attempt not noted", error=str(error))


def _counted(order: NotificationOrder) -> tuple[int, int]:
    """Return how many attempts failed in this activity, and how many before it.

    Temporal's own count also has the attempts whose worker was lost; each failure leaves both
    numbers as a heartbeat.
    """
    details = activity.info().heartbeat_details
    return (int(details[0]), int(details[1])) if details else (0, order.attempts)
