"""The tables of evidence and of the latest pictures."""

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, String, Table

from api.store.tables import UtcTime, belongs_to_monitor, choice, metadata
from monitors.evidence import EvidenceKind, EvidenceMoment


class EvidenceState(StrEnum):
    """Whether there is a file."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    """There is none, or no longer; the reason says why."""


evidence = Table(
    "evidence",
    metadata,
    Column("evidence_id", String(40), primary_key=True),
    Column("incident_id", String(40), nullable=False),
    Column("monitor_id", String(64), nullable=False),
    Column("kind", choice(EvidenceKind, 16), nullable=False),
    Column("moment", choice(EvidenceMoment, 16)),
    Column("state", choice(EvidenceState, 8), nullable=False),
    Column("reason", String(40)),
    Column("is_stored", Boolean, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64)),
    Column("taken_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "incident_id"),
    Index(None, "state", "created_at"),
    Index(None, "is_stored", "created_at"),
    Index(None, "monitor_id", "is_stored", "size_bytes"),
)
"""One row a piece of evidence of an incident.

`is_stored` says that its file may be in the store: it is set before the file is written. No foreign
key removes a row with its monitor or incident, since its file is removed before it.
"""

latest_pictures = Table(
    "latest_pictures",
    metadata,
    belongs_to_monitor(primary_key=True),
    Column("taken_at", UtcTime),
    Column("looked_at", UtcTime),
    Column("sha256", String(64)),
    Column("picture", LargeBinary),
    Index(None, "looked_at"),
)
"""The latest picture of each monitor, and when somebody looked at it last."""
