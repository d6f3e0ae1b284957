"""The keys that sign capsules."""

import base64
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, Field, SecretStr

from api.store.evidence import EvidenceRecord
from evidence.capsule.manifest import key_id_of, sign_capsule


class PublicKey(BaseModel):
    """An Ed25519 key as RFC 8037 writes it."""

    kid: str = Field(description="Names the key: the beginning of the SHA-256 of its bytes.")
    kty: str = "OKP"
    crv: str = "Ed25519"
    alg: str = "EdDSA"
    use: str = "sig"
    x: str = Field(description="Its 32 bytes in base64url.")


class PublicKeys(BaseModel):
    """The keys that capsules are signed with, a JSON Web Key Set; the first signs."""

    keys: list[PublicKey]


class NoSigningKey(Exception):
    """EVIDENCE_SIGNING_KEY is not set."""


class CapsuleKeys:
    """Ed25519 keys, made from `EVIDENCE_SIGNING_KEY`: the first signs, all are published."""

    def __init__(self, seeds: Sequence[SecretStr]) -> None:
        keys = [
            Ed25519PrivateKey.from_private_bytes(bytes.fromhex(one.get_secret_value()))
            for one in seeds
        ]
        self.public = PublicKeys(keys=[_public(one.public_key()) for one in keys])
        self._signing = keys[0] if keys else None

    @property
    def can_sign(self) -> bool:
        return self._signing is not None

    def sign(self, capsule: Path, record: EvidenceRecord) -> None:
        """Sign a capsule in place.

        Raises:
            ValueError: it is none, or that of something else.
            NoSigningKey: there is no key.
        """
        if self._signing is None:
            raise NoSigningKey
        with capsule.open("r+b") as file:
            sign_capsule(
                file,
                self._signing,
                evidence_id=record.evidence_id,
                incident_id=record.incident_id,
                monitor_id=record.monitor_id,
            )


def _public(key: Ed25519PublicKey) -> PublicKey:
    raw = key.public_bytes_raw()
    return PublicKey(
        kid=key_id_of(key),
        x=base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
    )
