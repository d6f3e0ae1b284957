"""What a capsule says of itself, and whether that is so."""

from collections.abc import Sequence
from typing import Annotated, BinaryIO, Final, Literal

from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from pydantic_core import to_json

from evidence.capsule.archive import InvalidCapsule, Member, content_of

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
MOST_MANIFEST_BYTES: Final = 8 * 1024 * 1024

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
