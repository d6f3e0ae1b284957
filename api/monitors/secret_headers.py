"""Request headers of a stream: secrets, encrypted in the store and masked in answers."""

from typing import Any

from api.errors import InvalidConfig
from api.secrets import NoSecretsKey, SecretBox
from api.store.monitor_records import MonitorRecord
from monitors.request_headers import MASK
from monitors.stream_url import StreamKind

_FIELD = "config.request_headers"


class SecretHeaders:
    """Seals request headers for the store, and opens them for workers only."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def sealed(self, headers: dict[str, str], monitor_id: str, kind: StreamKind) -> str | None:
        """Return what the store may keep; None for no headers.

        Raises:
            InvalidConfig: a mask instead of a value, a stream that takes none, or no SECRETS_KEY.
        """
        if not headers:
            return None
        if kind is StreamKind.YOUTUBE:
            raise InvalidConfig(
                f"{_FIELD}: YouTube is asked with the worker's own (see YTDLP_COOKIES_FILE)"
            )
        for name, value in headers.items():
            if value == MASK:
                raise InvalidConfig(f"{_FIELD}.{name}: is a mask, and there is no value to keep")
        try:
            return self._box.seal(headers, owner=monitor_id)
        except NoSecretsKey:
            raise InvalidConfig(
                f"{_FIELD}: this service has no SECRETS_KEY to encrypt them with"
            ) from None

    def opened(self, record: MonitorRecord) -> dict[str, str]:
        """Return a monitor's headers; raises SecretsUnreadable under another SECRETS_KEY."""
        if record.request_headers is None:
            return {}
        return self._box.open(record.request_headers, owner=record.monitor_id)

    def unmasked(self, wanted: dict[str, str], record: MonitorRecord) -> dict[str, str]:
        """Return `wanted` with the values that are kept where it has masks.

        So that a client may send back what it has read; names differ in case (RFC 9110 5.1).
        """
        if MASK not in wanted.values():
            return wanted
        kept = {name.lower(): value for name, value in self.opened(record).items()}
        return {
            name: kept.get(name.lower(), MASK) if value == MASK else value
            for name, value in wanted.items()
        }

    def without_secrets(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body of a creation with a keyed digest for each value that is secret."""
        config = body.get("config")
        headers = config.get("request_headers") if isinstance(config, dict) else None
        if not isinstance(config, dict) or not isinstance(headers, dict):
            return body
        digests = {name: self._box.digest(str(value)) for name, value in headers.items()}
        return {**body, "config": {**config, "request_headers": digests}}
