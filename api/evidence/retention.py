"""Removes evidence: the oldest over a quota, what never came, what is past its time."""

import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from api.store import Store
from api.store.evidence import EvidenceRecord
from evidence.store import FileStore, StoreFailed
from runtime.settings import GatewaySettings

BATCH: Final = 200
BATCHES: Final = 20
EVICTION_BATCH: Final = 100  # an upload waits meanwhile
EVICTED: Final = "quota"
EXPIRED: Final = "expired"
LOST: Final = "lost"
PENDING_LIMIT: Final = timedelta(seconds=120)
"""Evidence that has not come by then never does: its worker has died."""

EARLY_KEPT: Final = timedelta(hours=1)
"""Pictures of a fault that has not become an incident by then are removed."""

KNOWN_SEC: Final = 10.0
"""So long a gateway adds up by itself what is stored: asking costs more with each file, and the
evidence of an incident comes in several."""

_log = structlog.get_logger(__name__)


class QuotaExceeded(Exception):
    """There is no room, whatever goes."""


class EvidenceQuota:
    """Bounds what is stored. Gateways that make room at once may exceed it by what they take."""

    def __init__(
        self,
        store: Store,
        files: FileStore,
        settings: GatewaySettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._files = files
        self._most_bytes = settings.evidence_max_bytes
        self._monitor_most_bytes = settings.evidence_monitor_max_bytes
        self._clock = clock
        self._used_bytes = dict[str | None, int]()
        self._known_until = float("-inf")

    async def make_room(self, monitor_id: str, size_bytes: int) -> None:
        """Remove what is oldest until there is room for a file of a monitor.

        Raises:
            QuotaExceeded: the file is larger than a quota.
            StoreFailed: what goes cannot be removed.
        """
        if self._clock() >= self._known_until:
            self._used_bytes.clear()
            self._known_until = self._clock() + KNOWN_SEC
        await self._reserve(monitor_id, size_bytes, self._monitor_most_bytes)
        await self._reserve(None, size_bytes, self._most_bytes)

    async def _reserve(self, monitor_id: str | None, size_bytes: int, most_bytes: int) -> None:
        used = self._used_bytes.get(monitor_id)
        if used is None or used + size_bytes > most_bytes:
            used = await self._free(monitor_id, most_bytes - size_bytes)
        self._used_bytes[monitor_id] = used + size_bytes

    async def _free(self, monitor_id: str | None, most_used: int) -> int:
        """Remove what is oldest until no more is used; return how much is."""
        if most_used < 0:
            raise QuotaExceeded
        used = await self._store.evidence.used_bytes(monitor_id)
        for _ in range(BATCHES):
            if used <= most_used:
                return used
            oldest = await self._store.evidence.oldest(monitor_id, limit=EVICTION_BATCH)
            going = _first_of(oldest, used - most_used)
            await remove_files(self._store, self._files, going, EVICTED)
            used -= sum(one.size_bytes for one in going)
            _log.warning("evidence over quota", monitor_id=monitor_id, removed=len(going))
            if not going:
                break
        raise QuotaExceeded


def _first_of(records: list[EvidenceRecord], size_bytes: int) -> list[EvidenceRecord]:
    """Return the first records that are of this size together, or all."""
    going: list[EvidenceRecord] = []
    for record in records:
        if size_bytes <= 0:
            break
        going.append(record)
        size_bytes -= record.size_bytes
    return going


async def remove_files(
    store: Store, files: FileStore, records: list[EvidenceRecord], reason: str
) -> None:
    """Remove files from the store, then note it.

    Raises:
        StoreFailed: some are still there, and known as such.
    """
    gone: list[str] = []
    try:
        for record in records:
            await files.delete(record.file_name)
            gone.append(record.evidence_id)
    finally:
        await store.evidence.note_gone(gone, reason)


@dataclass(frozen=True)
class EvidenceCleanup:
    """Does its work in rounds, of which several may run at once.

    Files are kept for as long as `kept`; that there were any is known for as long as `remembered`.
    """

    store: Store
    files: FileStore
    _: KW_ONLY
    kept: timedelta
    remembered: timedelta
    now: Callable[[], datetime]

    async def fail_lost(self) -> int:
        """Give up what a worker that died was to bring; return how much."""
        return await self.store.evidence.fail_pending(
            created_before=self.now() - PENDING_LIMIT, reason=LOST
        )

    async def remove_old(self) -> None:
        """Remove files and rows that are past their time, and those of monitors that are gone."""
        try:
            await self._expire()
            await self._forget()
        except StoreFailed as failure:  # the next round goes on
            _log.warning("evidence not removed", error=str(failure))
        await self.store.latest_pictures.remove_before(self.now() - self.kept)

    async def _expire(self) -> None:
        for _ in range(BATCHES):
            old = await self.store.evidence.stored_before(self.now() - self.kept, limit=BATCH)
            await remove_files(self.store, self.files, old, EXPIRED)
            if len(old) < BATCH:
                return

    async def _forget(self) -> None:
        for _ in range(BATCHES):
            past = await self.store.evidence.past(
                self.now() - self.remembered,
                announced_before=self.now() - EARLY_KEPT,
                limit=BATCH,
            )
            stored = [one for one in past if one.is_stored]
            await remove_files(self.store, self.files, stored, EXPIRED)
            await self.store.evidence.remove([one.evidence_id for one in past])
            if len(past) < BATCH:
                return
