"""Evidence of an incident: what there is of it, and its ids."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

EVIDENCE_PATH: Final = "/api/v1/evidence/"
URL_FIELD: Final = "evidence_url"
"""Of an event's data: a bare path where the event is made, a signed URL where it is told."""

REASON_PATTERN: Final = r"[a-z_]{1,40}"  # why evidence is incomplete, or is not there

_EVIDENCE_ID = re.compile(
    r"evd-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS: Final = 1 << 48
_TIME: Final = len("evd-01234567-89ab-")  # characters of an id that tell when the fault began


class EvidenceLevel(StrEnum):
    """How much evidence a monitor keeps; each level includes those before."""

    NONE = "none"
    PICTURE = "picture"
    CLIP = "clip"
    CAPSULE = "capsule"


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    PICTURE = "picture"
    CLIP = "clip"
    CAPSULE = "capsule"


class EvidenceMoment(StrEnum):
    """What a picture shows."""

    LAST_GOOD = "last_good"
    FIRST_FAULTY = "first_faulty"


class EvidenceHeader(StrEnum):
    """What a worker says of the bytes that it hands to the gateway."""

    INCIDENT_ID = "X-Incident-Id"
    KIND = "X-Kind"
    MOMENT = "X-Moment"  # of a picture
    TAKEN_AT = "X-Taken-At"  # ISO 8601 with offset
    SHA256 = "X-Sha256"  # in hexadecimal
    REASON = "X-Reason"  # what is wrong with it, see `REASON_PATTERN`; left out: nothing


CONTENT_TYPES: Final = {
    EvidenceKind.PICTURE: "image/jpeg",
    EvidenceKind.CLIP: "video/mp4",
    EvidenceKind.CAPSULE: "application/zip",
}
MOST_BYTES: Final = {
    EvidenceKind.PICTURE: 1 << 20,
    EvidenceKind.CLIP: 64 << 20,
    EvidenceKind.CAPSULE: 128 << 20,
}


@dataclass(frozen=True)
class EvidenceItem:
    """One piece of the evidence of an incident; `moment` is that of a picture."""

    kind: EvidenceKind
    moment: EvidenceMoment | None = None

    def id_of(self, incident_id: str, started_at: datetime) -> str:
        """Return the id of this piece of an incident's evidence: the same wherever it is computed.

        It is `evd-` and a UUIDv7: its time is that of the incident's beginning, so ids sort by it,
        and the other bits are a digest of what it is evidence of.
        """
        moment_ms = (started_at.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
        told = f"{incident_id}/{self.kind}/{self.moment or ''}".encode()
        digest = int.from_bytes(hashlib.sha256(told).digest()[:10])
        bits = (moment_ms % _MILLISECONDS) << 80 | digest
        return f"evd-{_as_version_7(bits)}"

    def may_have_id(self, evidence_id: str, incident_id: str) -> bool:
        """Return whether this piece of that incident has such an id, whenever the fault began."""
        return evidence_id[_TIME:] == self.id_of(incident_id, _EPOCH)[_TIME:]


_ITEMS: Final = (
    EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.LAST_GOOD),
    EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.FIRST_FAULTY),
    EvidenceItem(EvidenceKind.CLIP),
    EvidenceItem(EvidenceKind.CAPSULE),
)
_COUNTS: Final = {
    EvidenceLevel.NONE: 0,
    EvidenceLevel.PICTURE: 2,
    EvidenceLevel.CLIP: 3,
    EvidenceLevel.CAPSULE: 4,
}


def evidence_items(level: EvidenceLevel) -> tuple[EvidenceItem, ...]:
    """Return what is kept of each incident of a monitor."""
    return _ITEMS[: _COUNTS[level]]


def _as_version_7(bits: int) -> UUID:
    """Return a UUID of these bits but the six that say what it is (RFC 9562)."""
    version, variant = 0xF << 76, 0x3 << 62
    return UUID(int=bits & ~(version | variant) | 0x7 << 76 | 0x2 << 62)


def is_evidence_id(text: str) -> bool:
    return _EVIDENCE_ID.fullmatch(text) is not None


def evidence_path(evidence_id: str) -> str:
    return EVIDENCE_PATH + evidence_id
