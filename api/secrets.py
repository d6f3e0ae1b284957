"""Encrypts the secrets that the store keeps."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from api.errors import SecretsUnreadable

_FERNET_BYTES: Final = 32
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
        """Return what was sealed for `owner`.

        Raises:
            SecretsUnreadable: it was sealed with another key, or for somebody else.
        """
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
        """Return a keyed digest of a secret."""
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
