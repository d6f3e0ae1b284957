"""Makes room for evidence: over a quota, the oldest of its scope goes."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from api.store import Store
from api.store.evidence import EvidenceRecord
from evidence.store import FileStore
from runtime.settings import GatewaySettings

BATCH: Final = 100
BATCHES: Final = 20
EVICTED: Final = "quota"
EXPIRED: Final = "expired"

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
            oldest = await self._store.evidence.oldest(monitor_id, limit=BATCH)
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
