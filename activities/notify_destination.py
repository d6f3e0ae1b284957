"""Telling a destination: what is due comes from the gateway, one attempt goes out."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.declarations import DELIVERY_FAILED
from activities.destination_declarations import (
    DestinationActivities,
    NextInput,
    NotificationAttempt,
    NotificationOrder,
    NotificationOutcome,
    Retry,
    ServeInput,
    ServeResult,
)
from activities.gateway_client import GatewayClient
from activities.gateway_reports import BackgroundReports, answered
from activities.keepalive import heartbeats, to_its_end
from monitors.delivery import DeliveryPolicy, Failure
from notifications.notification import DestinationType, NotificationState
from notifications.sending import SEND_TIMEOUT_SEC, Outcome, Send
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
    """The senders by destination type. Webhooks are signed and have a sender of their own."""

    webhook: WebhookSender
    others: Mapping[DestinationType, Send]


@dataclass(frozen=True)
class _Attempt:
    """An attempt to send a notification."""

    destination_id: str
    delivery_id: int
    number: int  # of this activity's attempts, from 1
    before: int  # how often it was tried before

    @property
    def in_all(self) -> int:
        return self.before + self.number

    def outcome(self, word: str, error: str | None = None) -> NotificationOutcome:
        return NotificationOutcome(
            delivery_id=self.delivery_id, outcome=word, attempts=self.in_all, error=error
        )


class DestinationNotifier(DestinationActivities):
    """Serves the workflows of destinations."""

    def __init__(
        self, gateway: GatewayClient, senders: Senders, short_retries: DeliveryPolicy
    ) -> None:
        self._gateway = gateway
        self._senders = senders
        self._policies = {Retry.SHORT: short_retries, Retry.LONG: LONG_RETRIES}
        self._reports = BackgroundReports()

    async def close(self) -> None:
        await self._reports.close()

    @activity.defn
    async def serve_destination(self, input: ServeInput) -> ServeResult:
        # What is on its way may still arrive: cut off, it would be sent twice.
        return await to_its_end(self._serve(input))

    async def _serve(self, input: ServeInput) -> ServeResult:
        async with heartbeats():
            due = await self._next(
                NextInput(
                    destination_id=input.destination_id,
                    settled=input.settled,
                    # Once: an attempt that failed since then counts.
                    hand_back=input.hand_back and not activity.info().heartbeat_details,
                )
            )
            if due.delivery_id is None:
                return due
            settled = await self._deliver(input, due.delivery_id)
            return await self._settle(input.destination_id, settled)

    async def _next(self, input: NextInput) -> ServeResult:
        due = await answered(self._gateway.next_notification(input))
        return ServeResult(**due.model_dump())

    async def _settle(self, destination_id: str, settled: NotificationOutcome) -> ServeResult:
        try:
            return await self._next(NextInput(destination_id=destination_id, settled=settled))
        except ApplicationError:  # it must not be sent again for that
            return ServeResult(settled=settled)

    async def _deliver(self, input: ServeInput, delivery_id: int) -> NotificationOutcome:
        try:
            order = await answered(
                self._gateway.notification_order(input.destination_id, delivery_id)
            )
        except ApplicationError as error:
            if not error.non_retryable:
                raise
            return NotificationOutcome(
                delivery_id=delivery_id, outcome="gone", attempts=0, error=error.message
            )
        failed, before = _counted(order, delivery_id)
        attempt = _Attempt(input.destination_id, delivery_id, failed + 1, before)
        if input.given_up is not None:
            return attempt.outcome("lost", input.given_up)
        outcome = await self._send(order)
        if isinstance(outcome, Failure):
            return self._fail(attempt, order, outcome)
        return attempt.outcome(outcome.value)

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
        send = self._senders.others.get(order.type)
        return await send(secrets.url, order.notification) if send else UNKNOWN_TYPE

    def _fail(
        self, attempt: _Attempt, order: NotificationOrder, failure: Failure
    ) -> NotificationOutcome:
        """Return the last failure; raise one that is followed by another attempt."""
        # Jitter spreads load, it keeps no secret.
        chance = random.random()  # noqa: S311
        policy = self._policies[order.retry]
        again_in_sec = policy.again_in_sec(attempt.number, failure, chance=chance)
        if order.notification.state is NotificationState.TEST:
            again_in_sec = None  # somebody waits for the answer
        logger.warning(
            "notification failed",
            destination_id=attempt.destination_id,
            delivery_id=attempt.delivery_id,
            type=order.type.value,
            attempt=attempt.in_all,
            outcome=failure.outcome,
            error=failure.message,
            again_in_sec=again_in_sec and round(again_in_sec, 1),
        )
        if again_in_sec is None:
            return attempt.outcome(failure.outcome, failure.message)
        activity.heartbeat(attempt.delivery_id, attempt.number, attempt.before)
        note = NotificationAttempt(attempts=attempt.in_all, error=failure.message)
        self._reports.start(
            self._gateway.note_attempt(attempt.destination_id, attempt.delivery_id, note)
        )
        raise ApplicationError(
            failure.message,
            type=DELIVERY_FAILED,
            category=ApplicationErrorCategory.BENIGN,  # logged and counted here
            next_retry_delay=timedelta(seconds=again_in_sec),
        )


def _counted(order: NotificationOrder, delivery_id: int) -> tuple[int, int]:
    """Return how many attempts failed in this activity, and how many before it."""
    # Temporal's own count also has the attempts whose worker was lost; each failure leaves both
    # numbers as a heartbeat.
    details = activity.info().heartbeat_details
    if not details or details[0] != delivery_id:
        return 0, order.attempts
    return int(details[1]), int(details[2])
