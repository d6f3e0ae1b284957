"""Finding evidence, and removing it."""

import math
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from pydantic import AwareDatetime, BaseModel, Field

from api.error_docs import EXAMPLE_EVIDENCE_ID
from api.errors import (
    EvidenceFailed,
    EvidenceGone,
    EvidenceNotAvailable,
    EvidenceNotFound,
    EvidencePending,
)
from api.evidence.retention import EVICTED, EXPIRED, PENDING_LIMIT, remove_files
from api.store import Store
from api.store.evidence import DELETED, EvidenceRecord, EvidenceState
from evidence.store import FileMissing, FileStore, StoreFailed
from monitors.evidence import CONTENT_TYPES, EvidenceKind, EvidenceMoment, evidence_path
from monitors.evidence_links import EvidenceLinks

GONE: Final = frozenset({EXPIRED, DELETED, EVICTED})

URL_STEPS: Final = 12
URL_STEP_SEC: Final = 3600
"""URLs in answers change this often while one is good, at most once an hour, so that browsers find
what they have loaded."""

_log = structlog.get_logger(__name__)


class ListedEvidence(BaseModel):
    """A piece of evidence of an incident."""

    evidence_id: str = Field(examples=[EXAMPLE_EVIDENCE_ID])
    kind: EvidenceKind
    moment: EvidenceMoment | None = Field(description="What a picture shows; else null.")
    state: EvidenceState
    reason: str | None = Field(
        description="Why it failed, or what is wrong with it.", examples=["no_picture"]
    )
    url: str = Field(description="Opens it without a key, for EVIDENCE_URL_TTL_SEC.")
    content_type: str = Field(examples=["image/jpeg"])
    size_bytes: int | None = Field(description="Null until it is ready.")
    taken_at: AwareDatetime | None


@dataclass(frozen=True)
class EvidenceService:
    store: Store
    files: FileStore
    links: EvidenceLinks
    now: Callable[[], datetime]

    async def of_incidents(self, incident_ids: Collection[str]) -> dict[str, list[ListedEvidence]]:
        found = await self.store.evidence.of_incidents(incident_ids)
        return {name: [self._listed(one) for one in records] for name, records in found.items()}

    async def find(self, evidence_id: str, *, told_at: datetime | None = None) -> EvidenceRecord:
        """Return evidence that is ready.

        Args:
            evidence_id: which.
            told_at: when somebody was told its URL: before its incident is recorded, maybe.
        """
        record = await self.store.evidence.find(evidence_id)
        if record is None:
            if told_at and self.now() < told_at + PENDING_LIMIT:
                raise EvidencePending(evidence_id)
            raise EvidenceNotFound(evidence_id)
        if record.state is EvidenceState.PENDING:
            raise EvidencePending(evidence_id)
        if record.state is EvidenceState.FAILED:
            reason = record.reason or "unknown"
            error = EvidenceGone if reason in GONE else EvidenceFailed
            raise error(evidence_id, reason)
        return record

    async def pieces(self, record: EvidenceRecord, start: int, end: int) -> AsyncIterator[bytes]:
        try:
            return await self.files.pieces(record.file_name, start=start, end=end)
        except FileMissing:
            raise EvidenceFailed(record.evidence_id, "lost") from None
        except StoreFailed as failure:
            _log.warning("evidence not read", evidence_id=record.evidence_id, error=str(failure))
            raise EvidenceNotAvailable(failure.reason) from None

    async def delete(self, evidence_id: str) -> None:
        """Remove a file from the store; a second call changes nothing."""
        record = await self.store.evidence.find(evidence_id)
        if record is None:
            raise EvidenceNotFound(evidence_id)
        try:
            await remove_files(self.store, self.files, [record], DELETED)
        except StoreFailed as failure:
            _log.warning("evidence not removed", evidence_id=evidence_id, error=str(failure))
            raise EvidenceNotAvailable(failure.reason) from None
        _log.info("evidence deleted", evidence_id=evidence_id)

    def _listed(self, record: EvidenceRecord) -> ListedEvidence:
        is_ready = record.state is EvidenceState.READY
        return ListedEvidence(
            **vars(record) | {"size_bytes": record.size_bytes if is_ready else None},
            url=self.links.url(evidence_path(record.evidence_id), self._next_step()),
            content_type=CONTENT_TYPES[record.kind],
        )

    def _next_step(self) -> datetime:
        step_sec = min(URL_STEP_SEC, self.links.ttl.total_seconds() / URL_STEPS)
        step = math.ceil(self.now().timestamp() / step_sec) * step_sec
        return datetime.fromtimestamp(step, UTC)
