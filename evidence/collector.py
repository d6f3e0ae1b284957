"""Collecting evidence in the background, out of the way of watches and events.

One incident after the other. It belongs to the worker, not to an attempt to watch: a watch returns
as soon as an incident opens, and its evidence is made afterwards.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, Self

import structlog

from evidence.case import Case
from evidence.uploads import EvidenceGateway, EvidenceMeter, Upload, Uploads, fail_at_once
from media.watching.footage import Excerpt
from monitors.evidence import EvidenceItem

logger = structlog.get_logger(__name__)

LOOK_SEC = 0.05
MOST_WAITING = 100
"""Incidents. Each holds a few segments, as far as the cache has room."""

LAST_WORD_SEC = 2.0
"""For saying what a worker that stops did not collect."""

BUSY, SHUTDOWN, FAILED = "busy", "shutdown", "collector_failed"


@dataclass(frozen=True)
class Collected:
    """A piece of evidence as it was made; see `Upload`."""

    item: EvidenceItem
    taken_at: datetime
    data: bytes = field(default=b"", repr=False)
    reason: str | None = None


class EvidenceSource(Protocol):
    """Makes some of the evidence of an incident."""

    def makes(self, item: EvidenceItem) -> bool:
        """Return whether a piece is its to make."""

    def collect(self, case: Case) -> AsyncIterator[Collected]:
        """Yield what could be made of it, and why the rest could not."""


class EvidenceCollector:
    """Collects evidence while its context is open.

    Args:
        sources: make it, in this order.
        gateway: takes it.
        meter: counts it.
        grace_sec: at the end, what waits is collected for this long.
    """

    def __init__(
        self,
        sources: Sequence[EvidenceSource],
        gateway: EvidenceGateway,
        meter: EvidenceMeter,
        *,
        grace_sec: float,
    ) -> None:
        self._sources = sources
        self._gateway = gateway
        self._uploads = Uploads(gateway, meter, on_settled=self._settled)
        self._grace_sec = grace_sec
        self._waiting: deque[Case] = deque()
        self._promised: dict[str, Upload] = {}
        self._more = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def collect(self, case: Case) -> None:
        """Have the evidence of an incident collected soon. This never waits and never fails."""
        items = case.items
        if not items:
            return
        if len(self._waiting) >= MOST_WAITING:
            case = replace(case, failure=BUSY, excerpt=Excerpt(), journal=None)
        for item in items:
            unmade = Collected(item, case.incident.started_at, reason=SHUTDOWN)
            self._promised[case.id_of(item)] = _upload(case, unmade)
        self._waiting.append(case)
        self._more.set()

    async def __aenter__(self) -> Self:
        self._tasks += map(asyncio.create_task, (self._run(), self._uploads.run()))
        return self

    async def __aexit__(self, *exception: object) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace_sec):
                while self._promised:
                    await asyncio.sleep(LOOK_SEC)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        last_words = [fail_at_once(self._gateway, each) for each in self._promised.values()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SEC):
                await asyncio.gather(*last_words)

    def _settled(self, evidence_id: str) -> None:
        self._promised.pop(evidence_id, None)

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                await self._collect(self._waiting.popleft())

    async def _collect(self, case: Case) -> None:
        for source in self._sources:
            items = [each for each in case.items if source.makes(each)]
            try:
                if case.failure is None:
                    async for collected in source.collect(case):
                        items.remove(collected.item)
                        await self._uploads.put(_upload(case, collected))
            except Exception:
                logger.exception("evidence cannot be made", incident_id=case.incident_id)
            for item in items:
                failed = Collected(item, case.incident.started_at, reason=case.failure or FAILED)
                await self._uploads.put(_upload(case, failed))


def _upload(case: Case, collected: Collected) -> Upload:
    return Upload(
        monitor_id=case.monitor_id,
        incident_id=case.incident_id,
        evidence_id=case.id_of(collected.item),
        item=collected.item,
        alert_at=case.alert_at,
        taken_at=collected.taken_at,
        data=collected.data,
        reason=collected.reason,
    )
