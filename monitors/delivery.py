"""When a webhook is tried again, and when no more."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus


@dataclass(frozen=True, kw_only=True)
class DeliveryPolicy:
    """How hard a webhook is tried.

    Attributes:
        max_attempts: the first one included.
        base_sec: wait after the first failed attempt; each further wait is `factor` times longer.
        cap_sec: longest wait.
        jitter: share by which a wait varies, so that many monitors do not knock together.
        retry_after_max_sec: longest wait that a receiver may ask for (`Retry-After`).
    """

    max_attempts: int = 4
    base_sec: float = 1.0
    factor: float = 2.0
    cap_sec: float = 10.0
    jitter: float = 0.2
    retry_after_max_sec: float = 60.0

    def delay_sec(self, attempt: int, *, chance: float, asked_sec: float | None = None) -> float:
        """Return the wait after the failed `attempt` (1 is the first).

        Args:
            attempt: number of the attempt that failed.
            chance: a random number from 0 to 1.
            asked_sec: what the receiver asked for.
        """
        wait = min(self.cap_sec, self.base_sec * self.factor ** (attempt - 1))
        varied = wait * (1 + self.jitter * (2 * chance - 1))
        if asked_sec is None:
            return varied
        return max(varied, min(asked_sec, self.retry_after_max_sec))


def is_delivered(status: int) -> bool:
    """Tell whether an answer accepts a webhook: 2xx does, a redirect does not."""
    return 200 <= status <= 299


def is_final(status: int) -> bool:
    """Tell whether an answer forbids further attempts (410, Standard Webhooks 1.0)."""
    return status == HTTPStatus.GONE


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for (RFC 9110 10.2.3); None if unclear.

    Args:
        value: seconds or an HTTP date.
        now: the present, to tell how far a date is away.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
