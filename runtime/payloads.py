"""Encrypting what Temporal stores: arguments, results, heartbeats, memos, summaries, failures.

AES-256-GCM (NIST SP 800-38D) with a random nonce for each payload. What was stored before there
were keys stays readable. Search attributes cannot be encrypted: Temporal searches them.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

ENCODING: Final = b"binary/encrypted"
KEY_ID: Final = "encryption-key-id"
NONCE_BYTES: Final = 12
DIGEST_CHARS: Final = 32


class UnreadablePayload(Exception):
    """A payload was encrypted with a key that is not among ours, or it is damaged."""


class EncryptionCodec(PayloadCodec):
    """Encrypts with the first key, and decrypts with every one: texts of enough entropy."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        secrets = [_derived(key, b"payload") for key in keys]
        self._ciphers = {_id(secret): AESGCM(secret) for secret in secrets}
        self._key_id = _id(secrets[0])

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [self._encrypted(each) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads, those that are not encrypted as is; raises UnreadablePayload."""
        return [self._decrypted(each) for each in payloads]

    def _encrypted(self, payload: Payload) -> Payload:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._key_id].encrypt(nonce, payload.SerializeToString(), None)
        metadata = {"encoding": ENCODING, KEY_ID: self._key_id}
        return Payload(metadata=metadata, data=nonce + sealed)

    def _decrypted(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        cipher = self._ciphers.get(payload.metadata.get(KEY_ID, b""))
        if cipher is None:
            raise UnreadablePayload("PAYLOAD_KEYS: the key of a payload is not among them")
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, None))
        except (InvalidTag, ValueError):
            raise UnreadablePayload("an encrypted payload is damaged") from None


def data_converter(keys: Sequence[SecretStr]) -> DataConverter:
    """Return how values become payloads: encrypted when there are keys.

    Failures too, whose messages name addresses.
    """
    if not keys:
        return pydantic_data_converter
    return replace(
        pydantic_data_converter,
        payload_codec=EncryptionCodec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def search_value(text: str, keys: Sequence[SecretStr]) -> str:
    """Return what stands for `text` where it cannot be encrypted.

    With keys that is a keyed digest: the same for the same text, and nobody guesses the text by it.
    """
    if not keys:
        return text
    return hmac.new(_derived(keys[0], b"search"), text.encode(), hashlib.sha256).hexdigest()[
        :DIGEST_CHARS
    ]


def _derived(key: SecretStr, purpose: bytes) -> bytes:
    """Return 32 bytes of a text of any length (RFC 5869)."""
    info = b"stream-tracker temporal " + purpose
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(key.get_secret_value().encode())


def _id(secret: bytes) -> bytes:
    return hashlib.sha256(b"id" + secret).hexdigest()[:16].encode()
