"""Forgets evidence: what never came, what is too old, and what belongs to nothing any more."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from api.evidence.quota import EXPIRED, remove_files
from api.evidence.service import PENDING_LIMIT
from api.store import Store
from evidence.store import FileStore, StoreFailed

BATCH: Final = 200
BATCHES: Final = 20
LOST: Final = "lost"
EARLY_KEPT: Final = timedelta(hours=1)
"""Pictures of a fault that has not become an incident by then are removed."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class EvidenceCleanup:
    """Does its work in rounds, of which several may run at once.

    Attributes:
        kept: how long files are kept; no longer than `remembered`.
        remembered: how long it is known that there were any.
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
