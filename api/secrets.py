"""Encrypts the secrets that the store keeps: those of destinations, and request headers."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from activities.destination_declarations import DestinationSecrets
from api.errors import InvalidConfig, SecretsUnreadable, ValidationFailed
from api.store.destinations import DestinationRecord
from api.store.monitor_records import MonitorRecord
from monitors.request_headers import MASK
from monitors.stream_url import StreamKind

_FERNET_BYTES: Final = 32
_HEADERS: Final = "config.request_headers"
_log = structlog.get_logger(__name__)


class NoSecretsKey(Exception):
    """There is no key to encrypt with."""


class SecretBox:
    """Encrypts names and values for one owner.

    Args:
        keys: of `SECRETS_KEY`: the first seals, all open. Without any nothing can be sealed.
    """

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        texts = [key.get_secret_value().encode() for key in keys]
        fernets = [Fernet(base64.urlsafe_b64encode(_derived(text, b"seal"))) for text in texts]
        self._fernet = MultiFernet(fernets) if fernets else None
        self._digest_key = _derived(texts[0], b"digest") if texts else b""

    def seal(self, secrets: Mapping[str, str], *, owner: str) -> str:
        """Return `secrets` encrypted; only this key opens them, and only for `owner`."""
        content = json.dumps({"owner": owner, "secrets": dict(secrets)})
        return self._opened().encrypt(content.encode()).decode()

    def open(self, sealed: str, *, owner: str) -> dict[str, str]:
        """Return what was sealed for `owner`; raises SecretsUnreadable."""
        try:
            content = json.loads(self._opened().decrypt(sealed))
        except (NoSecretsKey, InvalidToken) as error:
            _log.error("secrets unreadable", owner=owner, error=repr(error))
            raise SecretsUnreadable from None
        if content["owner"] != owner:
            _log.error("secrets of somebody else", owner=owner, sealed_for=content["owner"])
            raise SecretsUnreadable
        return dict(content["secrets"])

    def digest(self, secret: str) -> str:
        return hmac.new(self._digest_key, secret.encode(), hashlib.sha256).hexdigest()

    def _opened(self) -> MultiFernet:
        if self._fernet is None:
            raise NoSecretsKey("SECRETS_KEY is not set")
        return self._fernet


def _derived(key: bytes, purpose: bytes) -> bytes:
    """Return a key of 32 bytes; SECRETS_KEY is any text long enough (RFC 5869)."""
    return HKDF(
        SHA256(), length=_FERNET_BYTES, salt=None, info=b"stream-tracker " + purpose
    ).derive(key)


class DestinationSecretBox:
    """Seals the secrets of destinations for the store, and opens them for workers only."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def seal(self, opened: DestinationSecrets, destination_id: str) -> str:
        """Return what the store keeps; raises ValidationFailed without a SECRETS_KEY."""
        try:
            return self._box.seal(opened.model_dump(exclude_none=True), owner=destination_id)
        except NoSecretsKey:
            raise ValidationFailed(
                "url: this service has no SECRETS_KEY to encrypt it with"
            ) from None

    def open(self, record: DestinationRecord) -> DestinationSecrets:
        """Return the secrets in plain text; raises SecretsUnreadable under another SECRETS_KEY."""
        opened = self._box.open(record.secrets, owner=record.destination_id)
        return DestinationSecrets.model_validate(opened)


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
                f"{_HEADERS}: YouTube is asked with the worker's own (see YTDLP_COOKIES_FILE)"
            )
        for name, value in headers.items():
            if value == MASK:
                raise InvalidConfig(f"{_HEADERS}.{name}: is a mask, and there is no value to keep")
        try:
            return self._box.seal(headers, owner=monitor_id)
        except NoSecretsKey:
            raise InvalidConfig(
                f"{_HEADERS}: this service has no SECRETS_KEY to encrypt them with"
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
