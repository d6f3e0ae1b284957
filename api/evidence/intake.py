"""Takes evidence from workers into the store."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog
from fastapi import Request

from api.errors import EvidenceNotAvailable, EvidenceNotFound, ValidationFailed
from api.evidence.capsule_keys import CapsuleKeys, NoSigningKey
from api.evidence.retention import EvidenceQuota, QuotaExceeded
from api.evidence.spool import Spooled, spooled
from api.metrics import GatewayMetrics
from api.store import Store
from api.store.evidence import DELETED, EvidenceRecord, EvidenceState
from evidence.store import FileStore, StoreFailed
from monitors.evidence import MOST_BYTES, EvidenceItem, EvidenceKind, EvidenceLevel, is_evidence_id

PICTURES_AT_ONCE: Final = 8
LARGE_AT_ONCE: Final = 2  # each is a file of up to 128 MiB while it is taken
MOST_WAITING: Final = 100
MOST_OF_MONITOR: Final = 4
"""Its worker hands in as many at most; a probe that was taken over keeps no others waiting."""

_MAGIC: Final = {
    EvidenceKind.PICTURE: (0, b"\xff\xd8\xff"),
    EvidenceKind.CLIP: (4, b"ftyp"),
    EvidenceKind.CAPSULE: (0, b"PK\x03\x04"),
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class IncomingEvidence:
    """What a worker says of a piece of evidence; `reason` is what is wrong with it."""

    monitor_id: str
    evidence_id: str
    incident_id: str
    item: EvidenceItem
    taken_at: datetime | None = None
    sha256: str | None = None
    reason: str | None = None


class EvidenceIntake:
    """Takes files, and that there will be none."""

    def __init__(
        self,
        store: Store,
        files: FileStore,
        quota: EvidenceQuota,
        keys: CapsuleKeys,
        metrics: GatewayMetrics,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._files = files
        self._quota = quota
        self._keys = keys
        self._metrics = metrics
        self._now = now
        large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._turns = dict.fromkeys(EvidenceKind, large)
        self._turns[EvidenceKind.PICTURE] = asyncio.Semaphore(PICTURES_AT_ONCE)
        self._in_hand = Counter[str]()

    async def check_taken(self, monitor_id: str, evidence_id: str) -> None:
        """Return if a file would not be taken any more.

        Raises:
            EvidenceNotFound: it would be, or will be once its incident is recorded.
        """
        record = await self._store.evidence.find(evidence_id)
        if record is None or record.monitor_id != monitor_id or not _is_taken(record):
            raise EvidenceNotFound(evidence_id, "it is to come")

    async def take(self, upload: IncomingEvidence, request: Request) -> None:
        """Take a file; one that is there already stays as it is.

        A picture may come before its incident: its worker may be lost by then.

        Raises:
            EvidenceNotFound: no incident has announced it, or its event is still on its way.
            ValidationFailed: it is not what the worker says.
            BodyTooLarge: it is larger than its kind may be.
            EvidenceNotAvailable: it cannot be kept; the evidence has failed.
        """
        record = await self._known(upload) or await self._announced(upload)
        if _is_taken(record):
            return
        async with self._turn(record):
            try:
                await self._keep(record, upload, request)
            except QuotaExceeded:
                await self._fail(record, "quota")
                raise ValidationFailed("body: is larger than the quota") from None
            except StoreFailed as failure:
                _log.warning("evidence not stored", **_named(record), error=str(failure))
                await self._fail(record, failure.reason)
                raise EvidenceNotAvailable(failure.reason) from None
            except OSError as error:  # the file that it was read into
                _log.warning("evidence not read", **_named(record), error=str(error))
                await self._fail(record, "store_full")
                raise EvidenceNotAvailable("store_full") from None

    async def fail(self, upload: IncomingEvidence, reason: str) -> None:
        """Take that there will be no file; raises as `take`."""
        record = await self._known(upload)
        if record is None:
            raise _not_expected(upload)
        if await self._store.evidence.fail(record, reason):
            self._metrics.evidence.labels(record.kind, "failed").inc()

    async def _known(self, upload: IncomingEvidence) -> EvidenceRecord | None:
        """Return the row that the event of an incident, or an early picture, has made."""
        record = await self._store.evidence.find(upload.evidence_id)
        told = (upload.monitor_id, upload.incident_id, upload.item)
        if record and told != (record.monitor_id, record.incident_id, record.item):
            raise ValidationFailed("evidence_id: is not that of this incident, kind and moment")
        return record

    async def _announced(self, upload: IncomingEvidence) -> EvidenceRecord:
        """Return a new row for a picture whose incident may come.

        Raises:
            EvidenceNotFound: it is no picture, or its monitor wants none.
        """
        evidence_id, item = upload.evidence_id, upload.item
        if item.kind is not EvidenceKind.PICTURE or not is_evidence_id(evidence_id):
            raise _not_expected(upload)
        if not item.may_have_id(evidence_id, upload.incident_id):
            raise _not_expected(upload)
        monitor = await self._store.monitors.find(upload.monitor_id)
        if monitor is None or monitor.config.evidence is EvidenceLevel.NONE:
            raise _not_expected(upload)
        record = EvidenceRecord(
            evidence_id=evidence_id,
            incident_id=upload.incident_id,
            monitor_id=upload.monitor_id,
            kind=item.kind,
            moment=item.moment,
            state=EvidenceState.PENDING,
            created_at=self._now(),
        )
        await self._store.evidence.announce(record)
        return record

    async def _keep(
        self, record: EvidenceRecord, upload: IncomingEvidence, request: Request
    ) -> None:
        async with spooled(request, most_bytes=MOST_BYTES[record.kind]) as body:
            _check(body, upload)
            if record.kind is EvidenceKind.CAPSULE:
                body = await self._signed(body, record)
            record = replace(record, size_bytes=body.size_bytes, sha256=body.sha256)
            await self._quota.make_room(record.monitor_id, body.size_bytes)
            if not await self._store.evidence.begin(record):
                return
            await self._files.put(record.file_name, body.content)
        record = replace(record, reason=upload.reason, taken_at=upload.taken_at)
        if not await self._store.evidence.settle(record):
            await self._files.delete(record.file_name)
            return
        self._metrics.evidence.labels(record.kind, "stored").inc()
        _log.info("evidence stored", **_named(record), size_bytes=record.size_bytes)

    async def _signed(self, body: Spooled, record: EvidenceRecord) -> Spooled:
        try:
            return await asyncio.to_thread(_sign, self._keys, body, record)
        except NoSigningKey:
            raise StoreFailed("no_key", "EVIDENCE_SIGNING_KEY is not set") from None
        except ValueError as error:
            await self._fail(record, "invalid_capsule")
            raise ValidationFailed(f"body: is not a capsule: {error}") from None

    async def _fail(self, record: EvidenceRecord, reason: str) -> None:
        # A worker that hands it in again is not counted again.
        if await self._store.evidence.fail(record, reason):
            self._metrics.evidence.labels(record.kind, reason).inc()

    @asynccontextmanager
    async def _turn(self, record: EvidenceRecord) -> AsyncIterator[None]:
        """Wait until few others are being taken."""
        monitor_id = record.monitor_id
        is_greedy = self._in_hand[monitor_id] >= MOST_OF_MONITOR
        if is_greedy or self._in_hand.total() >= MOST_WAITING:
            raise EvidenceNotAvailable("busy")
        self._in_hand[monitor_id] += 1
        try:
            async with self._turns[record.kind]:
                yield
        finally:
            self._in_hand[monitor_id] -= 1
            self._in_hand += Counter()  # forgets monitors with none


def _not_expected(upload: IncomingEvidence) -> EvidenceNotFound:
    return EvidenceNotFound(upload.evidence_id, "no incident has announced it")


def _is_taken(record: EvidenceRecord) -> bool:
    return record.state is EvidenceState.READY or record.reason == DELETED


def _check(body: Spooled, upload: IncomingEvidence) -> None:
    if body.sha256 != upload.sha256:
        raise ValidationFailed("X-Sha256: is not the digest of the body")
    offset, magic = _MAGIC[upload.item.kind]
    if not body.head.startswith(magic, offset):
        raise ValidationFailed(f"body: is not a {upload.item.kind}")


def _sign(keys: CapsuleKeys, body: Spooled, record: EvidenceRecord) -> Spooled:
    keys.sign(body.path, record)
    with body.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return replace(body, size_bytes=body.path.stat().st_size, sha256=digest)


def _named(record: EvidenceRecord) -> dict[str, str]:
    return {
        "monitor_id": record.monitor_id,
        "evidence_id": record.evidence_id,
        "kind": record.kind.value,
    }
