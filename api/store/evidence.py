"""Evidence in the database: what is expected, what is there, and what became of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Select,
    String,
    Table,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from api.store.database import StorePart, insert_for
from api.store.tables import UtcTime, choice, incidents, metadata, monitors
from monitors.events import StreamEvent, incident_update, is_opening
from monitors.evidence import (
    EvidenceItem,
    EvidenceKind,
    EvidenceLevel,
    EvidenceMoment,
    evidence_items,
    is_evidence_id,
)


class EvidenceState(StrEnum):
    """Whether there is a file."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"  # there is none, or no longer; the reason says why


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

DELETED: Final = "deleted"  # reason of what somebody removed: it does not come back


@dataclass(frozen=True)
class EvidenceRecord:
    """A piece of evidence as the store knows it.

    Attributes:
        reason: why it has failed, or what is wrong with it.
        is_stored: whether its file may be in the store.
        taken_at: when what it shows was so; None before it is ready.
    """

    evidence_id: str
    incident_id: str
    monitor_id: str
    kind: EvidenceKind
    moment: EvidenceMoment | None
    state: EvidenceState
    created_at: datetime
    reason: str | None = None
    is_stored: bool = False
    size_bytes: int = 0
    sha256: str | None = None
    taken_at: datetime | None = None

    @property
    def item(self) -> EvidenceItem:
        return EvidenceItem(self.kind, self.moment)

    @property
    def file_name(self) -> str:
        return f"{self.monitor_id}/{self.evidence_id}"


async def expect_evidence(
    connection: AsyncConnection, event: StreamEvent, level: EvidenceLevel, now: datetime
) -> None:
    """Note what evidence of an incident is to come, with the event that opens it."""
    opened = incident_update(event) if is_opening(event.event_type) else None
    items = evidence_items(level)
    if opened is None or not items:
        return
    expected = [
        EvidenceRecord(
            evidence_id=item.id_of(opened.incident_id, opened.started_at),
            incident_id=opened.incident_id,
            monitor_id=event.monitor_id,
            kind=item.kind,
            moment=item.moment,
            state=EvidenceState.PENDING,
            created_at=now,
        )
        for item in items
    ]
    statement = insert_for(connection.dialect, evidence).values([vars(each) for each in expected])
    await connection.execute(statement.on_conflict_do_nothing(index_elements=["evidence_id"]))


class EvidenceStore(StorePart):
    async def find(self, evidence_id: str) -> EvidenceRecord | None:
        if not is_evidence_id(evidence_id):
            return None
        row = await self._database.row(select(evidence).where(_is(evidence_id)))
        return EvidenceRecord(**row._mapping) if row else None

    async def announce(self, record: EvidenceRecord) -> None:
        """Note a picture of a fault that is no incident yet."""
        adding = self._database.insert(evidence).values(vars(record))
        await self._database.write_one(
            adding.on_conflict_do_nothing(index_elements=["evidence_id"])
        )

    async def of_incidents(self, incident_ids: Collection[str]) -> dict[str, list[EvidenceRecord]]:
        """Return the evidence of those of these incidents that have any, pictures first."""
        found: dict[str, list[EvidenceRecord]] = {}
        for row in await self._database.rows_among(
            select(evidence), evidence.c.incident_id, incident_ids
        ):
            found.setdefault(row.incident_id, []).append(EvidenceRecord(**row._mapping))
        in_order = evidence_items(EvidenceLevel.CAPSULE)
        for records in found.values():
            records.sort(key=lambda each: in_order.index(each.item))
        return found

    async def begin(self, record: EvidenceRecord) -> bool:
        """Note that a file is about to be written. False: one is there, or it was deleted."""
        reason = evidence.c.reason
        is_wanted = or_(reason.is_(None), reason != DELETED)
        change = (
            update(evidence)
            .where(_is(record.evidence_id), evidence.c.state != EvidenceState.READY, is_wanted)
            .values(is_stored=True, size_bytes=record.size_bytes)
        )
        return await self._database.write_one(change) == 1

    async def settle(self, record: EvidenceRecord) -> bool:
        """Note that the file of a record is written. False: it was deleted meanwhile."""
        told = ("reason", "size_bytes", "sha256", "taken_at")
        values = {name: getattr(record, name) for name in told} | {"state": EvidenceState.READY}
        is_begun = _is(record.evidence_id) & _stored()
        return await self._database.write_one(update(evidence).where(is_begun).values(values)) > 0

    async def fail(self, record: EvidenceRecord, reason: str) -> bool:
        """Note that there will be no file. False: it is there, or a reason is known already."""
        change = (
            update(evidence)
            .where(_is(record.evidence_id), evidence.c.state == EvidenceState.PENDING)
            .values(state=EvidenceState.FAILED, reason=reason, size_bytes=0)
        )
        return await self._database.write_one(change) > 0

    async def fail_pending(self, *, created_before: datetime, reason: str) -> int:
        return await self._database.write_one(
            update(evidence)
            .where(
                evidence.c.state == EvidenceState.PENDING, evidence.c.created_at < created_before
            )
            .values(state=EvidenceState.FAILED, reason=reason)
        )

    async def used_bytes(self, monitor_id: str | None = None) -> int:
        query = select(func.sum(evidence.c.size_bytes)).where(_stored(monitor_id))
        return int(await self._database.scalar(query) or 0)

    async def oldest(self, monitor_id: str | None, *, limit: int) -> list[EvidenceRecord]:
        return await self._records(_oldest_first(_stored(monitor_id), limit))

    async def stored_before(self, moment: datetime, *, limit: int) -> list[EvidenceRecord]:
        is_old = evidence.c.created_at < moment
        return await self._records(_oldest_first(_stored() & is_old, limit))

    async def past(
        self, before: datetime, *, announced_before: datetime, limit: int
    ) -> list[EvidenceRecord]:
        """Return rows from before then, those of monitors that are gone, and those that were
        announced before an incident that did not come.
        """
        is_incident = exists().where(incidents.c.incident_id == evidence.c.incident_id)
        is_vain = (evidence.c.created_at < announced_before) & ~is_incident
        is_old = or_(evidence.c.created_at < before, is_vain)
        is_orphan = ~exists().where(monitors.c.monitor_id == evidence.c.monitor_id)
        return await self._records(_oldest_first(is_old | is_orphan, limit))

    async def note_gone(self, evidence_ids: Collection[str], reason: str) -> None:
        values = {"state": EvidenceState.FAILED, "reason": reason, "is_stored": False}
        gone = update(evidence).where(evidence.c.evidence_id.in_(evidence_ids))
        await self._database.write_one(gone.values(**values, size_bytes=0))

    async def remove(self, evidence_ids: Collection[str]) -> None:
        is_one = evidence.c.evidence_id.in_(evidence_ids)
        await self._database.write_one(delete(evidence).where(is_one))

    async def _records(self, query: Select[Any]) -> list[EvidenceRecord]:
        return [EvidenceRecord(**row._mapping) for row in await self._database.rows(query)]


def _is(evidence_id: str) -> ColumnElement[bool]:
    return evidence.c.evidence_id == evidence_id


def _stored(monitor_id: str | None = None) -> ColumnElement[bool]:
    is_stored = evidence.c.is_stored.is_(True)
    return is_stored if monitor_id is None else is_stored & (evidence.c.monitor_id == monitor_id)


def _oldest_first(condition: ColumnElement[bool], limit: int) -> Select[Any]:
    return select(evidence).where(condition).order_by(evidence.c.created_at).limit(limit)
