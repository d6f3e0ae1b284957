"""The secrets of destinations: URLs and signing keys."""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.destination_declarations import DestinationSecrets
from api.errors import ValidationFailed
from api.secrets import NoSecretsKey, SecretBox
from api.store.destinations import DestinationRecord

KEY_BYTES: Final = 32


@dataclass(frozen=True)
class SigningKeys:
    """The keys of a webhook, as Standard Webhooks 1.0 writes them."""

    secret: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    public_key: str | None = None


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


def new_signing_keys(*, with_ed25519: bool) -> SigningKeys:
    secret = f"whsec_{_text(secrets.token_bytes(KEY_BYTES))}"
    if not with_ed25519:
        return SigningKeys(secret=secret)
    key = Ed25519PrivateKey.generate()
    return SigningKeys(
        secret=secret,
        private_key=f"whsk_{_text(key.private_bytes_raw())}",
        public_key=f"whpk_{_text(key.public_key().public_bytes_raw())}",
    )


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()
