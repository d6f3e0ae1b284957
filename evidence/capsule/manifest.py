"""What a capsule says of itself, whether that is so, and who signed it.

The signature is one of Ed25519 over the bytes of the manifest (RFC 8032). Workers write capsules
and hold no key; the gateway signs what arrives.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Annotated, BinaryIO, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from pydantic_core import to_json

from evidence.capsule.archive import ArchiveWriter, InvalidCapsule, Member, content_of, read_archive

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
MOST_MANIFEST_BYTES: Final = 8 * 1024 * 1024
SIGNATURE_BYTES: Final = 64
_KEY_ID_LENGTH: Final = 16

Id = Annotated[str, Field(pattern=r"^[a-z]{3}-[0-9a-f-]{36}$")]


class ListedFile(BaseModel, extra="forbid", frozen=True):
    """A file of a capsule, and its digest in hexadecimal."""

    path: str
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, member: Member) -> "ListedFile":
        return cls(path=member.name, size_bytes=member.size_bytes, sha256=member.sha256)


class Manifest(BaseModel, extra="forbid", frozen=True):
    """What a capsule is, and all its files but the manifest and its signature, in their order."""

    format: Literal[1] = FORMAT  # of the capsule
    release: str  # of the service that made it
    evidence_id: Id
    incident_id: Id
    monitor_id: Id
    stream: str  # names what was watched, without secrets (`monitors.stream_url`)
    event_type: str  # of the event that it is to prove
    created_at: AwareDatetime
    files: list[ListedFile]

    def text(self) -> bytes:
        return to_json(self, indent=1) + b"\n"


def read_manifest(file: BinaryIO, members: Sequence[Member]) -> tuple[Manifest, bytes]:
    """Return the manifest of an archive whose files are those that it lists; and its bytes.

    Raises:
        InvalidCapsule: there is none, or the files are others.
    """
    if not members or members[0].name != MANIFEST:
        raise InvalidCapsule(f"{MANIFEST} is not its first file")
    text = content_of(file, members[0], MOST_MANIFEST_BYTES)
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError:
        raise InvalidCapsule(f"{MANIFEST} is not one of this format") from None
    others = [each for each in members[1:] if each.name != SIGNATURE]
    if manifest.files != [ListedFile.of(each) for each in others]:
        raise InvalidCapsule(_first_difference(manifest, others))
    return manifest, text


def _first_difference(manifest: Manifest, others: Sequence[Member]) -> str:
    listed = {each.path: each for each in manifest.files}
    found = {each.name: ListedFile.of(each) for each in others}
    if missing := sorted(listed.keys() - found.keys()):
        return f"{missing[0]} is listed and not there"
    if unlisted := sorted(found.keys() - listed.keys()):
        return f"{unlisted[0]} is there and not listed"
    changed = sorted(name for name, each in found.items() if each != listed[name])
    return f"{changed[0]} was changed" if changed else "its files are in another order"


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
