"""Posting one event to its receiver."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.declarations import (
    DELIVERY_FAILED,
    DeliveryActivities,
    DeliveryAttempts,
    DeliveryInput,
    DeliveryResult,
    RedeliveryInput,
)
from activities.delivery_audit import AttemptAudit, AttemptMeter
from activities.gateway_client import GatewayClient
from activities.gateway_reports import answered
from media.outbound.errors import AddressRefused, FetchError
from media.outbound.posting import ReceiverAnswer, post_webhook
from monitors.delivery import (
    DeliveryPolicy,
    Failure,
    failure_of,
    is_delivered,
    outcome_of,
    read_retry_after,
)
from monitors.events import StreamEvent, incident_id_of, is_opening
from monitors.evidence_links import EvidenceLinks
from monitors.reports import EventReport
from monitors.webhook_signing import is_sealed, signature_headers

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Message:
    """An event on its way; `attempts_before` are those before a user asked for it again."""

    event: StreamEvent
    callback_url: str
    attempts_before: int = 0


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery(DeliveryActivities):
    """Delivers webhooks: each attempt of the activity is one request."""

    client: httpx.AsyncClient  # from `media.outbound.client.webhook_client`
    # the first one signs; a second one does too during a rotation
    signing_keys: Sequence[bytes] = field(repr=False)
    policy: DeliveryPolicy
    user_agent: str
    meter: AttemptMeter
    audit: AttemptAudit
    gateway: GatewayClient
    seal_key: bytes = field(repr=False)  # of `monitors.webhook_signing.callback_seal`
    links: EvidenceLinks

    @activity.defn
    async def deliver_webhook(self, input: DeliveryInput) -> DeliveryResult:
        url = await self._address(input)
        if until := await self._silenced_until(input):
            is_reported = await self.audit.ended(EventReport.of_silenced(input.event))
            return DeliveryResult(
                attempts=0, sent_at=None, silenced_until=until, is_reported=is_reported
            )
        try:
            async with self.audit.on_its_way(input.event):
                report = await self._attempt(_Message(input.event, url))
        except ApplicationError as error:
            if error.non_retryable:
                raise await self._reported(input.event, error) from None
            raise
        return DeliveryResult(
            attempts=report.webhook_attempts,
            sent_at=report.sent_at,
            is_reported=await self.audit.ended(report),
        )

    async def _silenced_until(self, input: DeliveryInput) -> datetime | None:
        event = input.event
        if not (is_opening(event.event_type) and incident_id_of(event)):
            return None
        return await self.audit.silenced_until(event, known=input.silenced_until)

    async def _reported(self, event: StreamEvent, error: ApplicationError) -> ApplicationError:
        """Report that the last attempt failed; return the failure that says whether that worked."""
        failed: DeliveryAttempts = error.details[0]
        is_reported = await self.audit.ended(
            EventReport.of_failed(event, failed.attempts, failed.error)
        )
        return _failed_delivery(failed.model_copy(update={"is_reported": is_reported}), None)

    @activity.defn
    async def redeliver_webhook(self, input: RedeliveryInput) -> EventReport:
        stored = await answered(self.gateway.stored_event(input.monitor_id, input.event_id))
        _, before = _counted()
        before = stored.attempts if before is None else before
        message = _Message(stored.event, stored.callback_url, before)
        if input.given_up is not None:
            nothing_more = DeliveryAttempts(attempts=0, error=input.given_up)
            return _given_up(message, nothing_more)
        try:
            return await self._attempt(message)
        except ApplicationError as error:
            if not error.non_retryable:
                raise
            return _given_up(message, error.details[0])

    async def _address(self, input: DeliveryInput) -> str:
        """Return the callback URL of the input only if the gateway sealed it."""
        monitor_id = input.event.monitor_id
        if is_sealed(
            self.seal_key,
            monitor_id=monitor_id,
            callback_url=input.callback_url,
            seal=input.callback_seal,
        ):
            return input.callback_url
        return await answered(self.gateway.callback_url(monitor_id))

    async def _attempt(self, message: _Message) -> EventReport:
        """Post once; return the report of an event that the receiver took."""
        failed, _ = _counted()
        attempt = failed + 1
        self.meter.begins(message.event)
        began = _clock()
        try:
            answer = await self._post(message)
        except Exception as error:
            raise self._fail(message, _failure(error), attempt, _clock() - began) from None
        took_sec = _clock() - began
        if not is_delivered(answer.status):
            asked_sec = read_retry_after(answer.retry_after, datetime.now(UTC))
            failure = failure_of(answer.status, asked_sec)
            raise self._fail(message, failure, attempt, took_sec)
        self._record(message.event, outcome_of(answer.status), attempt, took_sec)
        attempts = message.attempts_before + attempt
        return EventReport.of_sent(message.event, attempts, datetime.now(UTC))

    async def _post(self, message: _Message) -> ReceiverAnswer:
        body = self.links.event(message.event).body()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
            **signature_headers(
                self.signing_keys,
                event_id=message.event.event_id,
                body=body,
                attempt_at=int(time.time()),
            ),
        }
        return await post_webhook(self.client, message.callback_url, body=body, headers=headers)

    def _fail(
        self, message: _Message, failure: Failure, attempt: int, took_sec: float
    ) -> ApplicationError:
        """Log, count and report the failure; return the error, which says when to try again."""
        # Jitter to spread load; it need not be unpredictable.
        again_in_sec = self.policy.again_in_sec(attempt, failure, chance=random.random())  # noqa: S311
        self._record(message.event, failure.outcome, attempt, took_sec, failure, again_in_sec)
        activity.heartbeat(attempt, message.attempts_before)
        if again_in_sec is not None:
            self.audit.report(
                EventReport(
                    event=message.event,
                    webhook_attempts=message.attempts_before + attempt,
                    webhook_last_error=failure.message,
                )
            )
        failed = DeliveryAttempts(attempts=attempt, error=failure.message)
        return _failed_delivery(failed, again_in_sec)

    def _record(
        self,
        event: StreamEvent,
        outcome: str,
        attempt: int,
        took_sec: float,
        failure: Failure | None = None,
        again_in_sec: float | None = None,
    ) -> None:
        self.meter.ended(event, outcome, took_sec=took_sec, again_in_sec=again_in_sec)
        fields: dict[str, object] = {
            "monitor_id": event.monitor_id,
            "event_id": event.event_id,
            "event_type": event.event_type.value,
            "sequence": event.sequence,
            "attempt": attempt,
            "outcome": outcome,
            "took_sec": round(took_sec, 3),
        }
        if failure is None:
            logger.info("webhook delivered", **fields)
            return
        again = None if again_in_sec is None else round(again_in_sec, 3)
        logger.warning("webhook failed", **fields, error=failure.message, again_in_sec=again)


def _failed_delivery(failed: DeliveryAttempts, again_in_sec: float | None) -> ApplicationError:
    return ApplicationError(
        failed.error,
        failed,
        type=DELIVERY_FAILED,
        category=ApplicationErrorCategory.BENIGN,  # logged and counted here
        non_retryable=again_in_sec is None,
        next_retry_delay=None if again_in_sec is None else timedelta(seconds=again_in_sec),
    )


def _failure(error: Exception) -> Failure:
    """Return what an exception means for a delivery."""
    # An unexpected exception counts as a failed attempt, too: Temporal would repeat it for ever.
    if isinstance(error, FetchError):
        return Failure(error.code, str(error), is_final=isinstance(error, AddressRefused))
    logger.error("webhook attempt failed unexpectedly", exc_info=error)
    return Failure("unexpected", f"the attempt failed unexpectedly ({type(error).__name__})")


def _counted() -> tuple[int, int | None]:
    """Return how many attempts failed before this one, and how many there were before those."""
    # Temporal's own count also has the attempts whose worker was lost: those have no outcome, and
    # must not use up the receiver's attempts. Each failure leaves both numbers as a heartbeat.
    details = activity.info().heartbeat_details
    return (int(details[0]), int(details[1])) if details else (0, None)


def _given_up(message: _Message, failed: DeliveryAttempts) -> EventReport:
    attempts = message.attempts_before + failed.attempts
    return EventReport.of_failed(message.event, attempts, failed.error)


def _clock() -> float:
    return asyncio.get_running_loop().time()
