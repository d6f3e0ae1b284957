"""URLs that open evidence without a key, and events that carry them."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitors.events import StreamEvent
from monitors.evidence import EVIDENCE_PATH, URL_FIELD


@dataclass(frozen=True)
class EvidenceLinks:
    """Makes and checks URLs that open evidence without a key. Pure: the same on every attempt."""

    # of `WEBHOOK_SIGNING_KEY`: the first signs, all are good
    keys: tuple[bytes, ...] = field(repr=False)
    # the gateway's address as people reach it; None: URLs begin with their path
    public_url: str | None
    ttl: timedelta  # how long a URL is good

    def url(self, path: str, told_at: datetime) -> str:
        if not self.keys:
            return f"{(self.public_url or '').rstrip('/')}{path}"
        expires = int((told_at + self.ttl).timestamp())
        signed = f"{path}?expires={expires}"
        signature = _signature(self.keys[0], signed)
        return f"{(self.public_url or '').rstrip('/')}{signed}&signature={signature}"

    def is_signed(self, path: str, expires: str, signature: str) -> bool:
        """Return whether `url` made a URL, which may have expired since."""
        known = [_signature(key, f"{path}?expires={expires}") for key in self.keys]
        return any(hmac.compare_digest(one.encode(), signature.encode()) for one in known)

    def event(self, event: StreamEvent) -> StreamEvent:
        """Return an event as it is told outside: with a URL that opens its evidence."""
        data = self._told(event.data, event.timestamp)
        return event.model_copy(update={"data": data})

    def payload(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body of an event as `event` does."""
        timestamp = datetime.fromisoformat(body["timestamp"])
        return {**body, "data": self._told(body["data"], timestamp)}

    def _told(self, data: dict[str, Any], at: datetime) -> dict[str, Any]:
        path = data.get(URL_FIELD)
        if not isinstance(path, str) or not path.startswith(EVIDENCE_PATH):
            return data
        return {**data, URL_FIELD: self.url(path, at)}


def _signature(key: bytes, signed: str) -> str:
    own_key = hmac.digest(key, b"stream-tracker evidence URLs", "sha256")
    return hmac.new(own_key, signed.encode(), hashlib.sha256).hexdigest()
