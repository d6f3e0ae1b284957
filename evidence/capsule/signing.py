"""Signing capsules, and verifying them: Ed25519 over the bytes of the manifest (RFC 8032).

Workers write capsules and hold no key; the gateway signs what arrives.
"""

import hashlib
from collections.abc import Iterable
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from evidence.capsule.archive import ArchiveWriter, InvalidCapsule, content_of, read_archive
from evidence.capsule.manifest import SIGNATURE, Manifest, read_manifest

SIGNATURE_BYTES: Final = 64
_KEY_ID_LENGTH: Final = 16


class BadSignature(InvalidCapsule):
    """It is not signed, or by none of the keys, or its manifest was changed."""


def key_id_of(key: Ed25519PublicKey) -> str:
    """Return what names a key: 16 hex digits of its SHA-256."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:_KEY_ID_LENGTH]


def sign_capsule(
    file: BinaryIO,
    key: Ed25519PrivateKey,
    *,
    evidence_id: str,
    incident_id: str,
    monitor_id: str,
) -> None:
    """Check a capsule as a worker wrote it, and add the signature in place.

    The capsule must name these ids. All of `file` is read.

    Raises:
        InvalidCapsule: it is none, it is another one, or it is signed.
    """
    members = read_archive(file)
    manifest, text = read_manifest(file, members)
    if members[-1].name == SIGNATURE:
        raise InvalidCapsule("it is signed")
    if (manifest.evidence_id, manifest.incident_id, manifest.monitor_id) != (
        evidence_id,
        incident_id,
        monitor_id,
    ):
        raise InvalidCapsule("it is that of another incident")
    last = members[-1]
    file.seek(last.offset + last.size_bytes)
    writer = ArchiveWriter(file, members)
    writer.add(SIGNATURE, key.sign(text))
    writer.close()


def verify_capsule(
    file: BinaryIO, keys: Iterable[Ed25519PublicKey]
) -> tuple[Manifest, Ed25519PublicKey]:
    """Return the manifest of a capsule of which no byte was changed, and the key that signed it.

    Raises:
        BadSignature: it was signed by none of the keys, or the manifest was changed.
        InvalidCapsule: anything else of it was changed.
    """
    members = read_archive(file)
    if not members or members[-1].name != SIGNATURE:
        raise BadSignature("it is not signed")
    manifest, text = read_manifest(file, members)
    signature = content_of(file, members[-1], SIGNATURE_BYTES)
    for key in keys:
        try:
            key.verify(signature, text)
        except InvalidSignature:
            continue
        return manifest, key
    raise BadSignature("none of the keys signed it, or its manifest was changed")
