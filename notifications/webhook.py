"""A webhook of a destination: the body and headers of `callback_url`, with keys of its own.

https://github.com/standard-webhooks/standard-webhooks: a secret is `whsec_` + base64, an Ed25519
key `whsk_` + base64 of its 32 bytes, and their signatures are `v1` and `v1a`.
"""

import base64
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic_core import to_json

from monitors.delivery import Failure, failure_of, is_delivered, read_retry_after
from monitors.events import StreamEvent, timestamp_text
from monitors.webhook_signing import signature_headers
from notifications.notification import Notification, Subject
from notifications.sending import Outcome, Sent, posted

SIGNED_BY: Final = "does it verify with this destination's own secret?"


@dataclass(frozen=True)
class WebhookKeys:
    """What signs: `whsec_…`, and `whsk_…` where there is an Ed25519 signature, too."""

    secret: str = field(repr=False)
    private_key: str | None = field(default=None, repr=False)


class WebhookSender:
    def __init__(self, client: httpx.AsyncClient, user_agent: str) -> None:
        self._client = client
        self._user_agent = user_agent

    async def send(
        self, url: str, notification: Notification, *, event: StreamEvent | None, keys: WebhookKeys
    ) -> Outcome:
        """Make one attempt; of a single `event` the body is that of a `callback_url`."""
        message_id = event.event_id if event else notification.notification_id
        body = event.body() if event else body_of(notification)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self._user_agent,
            **_signed(keys, message_id, body, int(time.time())),
        }
        answer = await posted(self._client, url, body=body, headers=headers)
        if isinstance(answer, Failure):
            return answer
        if is_delivered(answer.status):
            return Sent.DELIVERED
        failure = failure_of(answer.status, read_retry_after(answer.retry_after, datetime.now(UTC)))
        if answer.status == httpx.codes.UNAUTHORIZED:
            return replace(failure, message=f"{failure.message}: {SIGNED_BY}")
        return failure


def body_of(notification: Notification) -> bytes:
    """Return the body of what is no single event: a group, a reminder, a test."""
    return to_json(
        {
            "event_id": notification.notification_id,
            "event_type": f"notification.{notification.state}",
            "monitor_id": _common(notification, "monitor_id"),
            "stream_url": _common(notification, "stream_url"),
            "timestamp": timestamp_text(notification.at),
            "sequence": 0,
            "data": {
                "thread": notification.thread,
                "origin_host": notification.origin_host,
                "incidents": [_incident(each) for each in notification.subjects],
            },
            "metadata": {},
        }
    )


def _common(notification: Notification, name: str) -> str | None:
    values = {getattr(each, name) for each in notification.subjects}
    return values.pop() if len(values) == 1 else None


def _incident(subject: Subject) -> dict[str, Any]:
    return {
        "incident_id": subject.incident_id,
        "monitor_id": subject.monitor_id,
        "name": subject.name,
        "stream_url": subject.stream_url,
        "kind": subject.kind,
        "severity": subject.severity,
        "started_at": timestamp_text(subject.started_at),
        "ended_at": timestamp_text(subject.ended_at) if subject.ended_at else None,
        "monitor_ended_as": subject.monitor_ended_as,
    }


def _signed(keys: WebhookKeys, message_id: str, body: bytes, attempt_at: int) -> dict[str, str]:
    secret = base64.b64decode(keys.secret.removeprefix("whsec_"))
    headers = signature_headers([secret], event_id=message_id, body=body, attempt_at=attempt_at)
    if keys.private_key:
        key = base64.b64decode(keys.private_key.removeprefix("whsk_"))
        message = f"{message_id}.{attempt_at}.".encode() + body
        signature = Ed25519PrivateKey.from_private_bytes(key).sign(message)
        headers["webhook-signature"] += f" v1a,{base64.b64encode(signature).decode()}"
    return headers
