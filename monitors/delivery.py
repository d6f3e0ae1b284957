"""Limits of a webhook, and its retries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json

MAX_PAYLOAD_BYTES = 20 * 1024  # the largest webhook body (Standard Webhooks 1.0)

MAX_TEXT_BYTES = 500  # the longest title or error inside `data`, as JSON

MAX_TEXTS_BYTES = 1200
"""All texts inside `data` together. With 16 KiB of metadata and the longest stream URL, a payload
then stays within `MAX_PAYLOAD_BYTES`."""


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed."""

    outcome: str  # one of a few words, to count by
    message: str  # plain words, without any part of a URL
    is_final: bool = False
    asked_sec: float | None = None  # the wait that the receiver asked for (`Retry-After`)


@dataclass(frozen=True, kw_only=True)
class DeliveryPolicy:
    """How hard a webhook is tried."""

    max_attempts: int = 4  # the first one included
    # wait after the first failed attempt; each further wait is `factor` times longer
    base_sec: float = 1.0
    factor: float = 2.0
    cap_sec: float = 10.0
    jitter: float = 0.2  # share by which a wait varies, to spread load
    retry_after_max_sec: float = 60.0  # longest wait that a receiver may ask for (`Retry-After`)

    def delay_sec(self, attempt: int, *, chance: float, asked_sec: float | None = None) -> float:
        """Return the wait after the failed `attempt`, from 1; `chance` is random, from 0 to 1."""
        wait = min(self.cap_sec, self.base_sec * self.factor ** (attempt - 1))
        varied = wait * (1 + self.jitter * (2 * chance - 1))
        if asked_sec is None:
            return varied
        return max(varied, min(asked_sec, self.retry_after_max_sec))

    def again_in_sec(self, attempt: int, failure: Failure, *, chance: float) -> float | None:
        """Return the wait after the failed `attempt`; None when it was the last one."""
        if failure.is_final or attempt >= self.max_attempts:
            return None
        return self.delay_sec(attempt, chance=chance, asked_sec=failure.asked_sec)


def is_delivered(status: int) -> bool:
    """A redirect does not accept a webhook."""
    return 200 <= status <= 299


def outcome_of(status: int) -> str:
    return "delivered" if is_delivered(status) else f"http_{status // 100}xx"


def failure_of(status: int, asked_sec: float | None) -> Failure:
    return Failure(
        outcome_of(status),
        f"the receiver answered with HTTP status {status}",
        is_final=status == HTTPStatus.GONE,  # Standard Webhooks 1.0
        asked_sec=asked_sec,
    )


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (RFC 9110 10.2.3); None: unclear."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def bounded_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event's data with its texts cut to what there is room for: strangers wrote them."""
    texts = sum(isinstance(value, str) for value in data.values())
    share = min(MAX_TEXT_BYTES, MAX_TEXTS_BYTES // max(1, texts))
    return {
        name: bounded_text(value, share) if isinstance(value, str) else value
        for name, value in data.items()
    }


def bounded_text(text: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
    """Return `text` in at most `max_bytes` of JSON in UTF-8, halves of surrogate pairs replaced."""
    text = text[:max_bytes].encode(errors="replace").decode()
    if _json_bytes(text) <= max_bytes:
        return text
    while _json_bytes(text) > max_bytes - len("…".encode()):
        text = text[:-1]
    return text + "…"


def _json_bytes(text: str) -> int:
    return len(to_json(text))
