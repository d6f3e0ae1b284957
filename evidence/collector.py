"""Collecting evidence in the background, out of the way of watches and events.

It belongs to the worker, not to an attempt to watch: a watch returns as soon as an incident opens,
and its evidence is made afterwards. Pictures, clips and capsules are made and uploaded apart, each
one after the other: a clip takes long, and no picture waits for it.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Protocol, Self

import structlog

from evidence.case import Case
from evidence.uploads import EvidenceGateway, EvidenceMeter, Upload, Uploads, fail_at_once
from media.watching.footage import Excerpt
from monitors.evidence import EvidenceItem, EvidenceKind

logger = structlog.get_logger(__name__)

LOOK_SEC = 0.05
AGAIN_SEC = 3.0
"""By now the worker that sent the alert has usually uploaded its pictures."""

LAST_WORD_SEC = 2.0  # to report what was not collected before shutdown

MOST_WAITING = 100
MOST_OF_MONITOR = 10  # each case holds several segments in memory
SHUTDOWN, FAILED, BUSY = "shutdown", "collector_failed", "busy"


@dataclass(frozen=True)
class Collected:
    """A piece of evidence as it was made; see `Upload`."""

    item: EvidenceItem
    taken_at: datetime
    data: bytes = field(default=b"", repr=False)
    reason: str | None = None


class EvidenceSource(Protocol):
    """Makes the evidence of one kind."""

    kind: ClassVar[EvidenceKind]

    def collect(self, case: Case) -> AsyncIterator[Collected]:
        """Yield what could be made of it, and why the rest could not."""


class EvidenceCollector:
    """Collects evidence while its context is open, and at the end what waits for `grace_sec`."""

    def __init__(
        self,
        sources: Sequence[EvidenceSource],
        gateway: EvidenceGateway,
        meter: EvidenceMeter,
        *,
        grace_sec: float,
    ) -> None:
        self._lanes = [
            _Lane(source, Uploads(gateway, meter, on_settled=self._settled)) for source in sources
        ]
        self._gateway = gateway
        self._grace_sec = grace_sec
        self._promised: dict[str, Upload] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._asking: set[asyncio.Task[None]] = set()

    def collect(self, case: Case) -> None:
        """Have the evidence of an incident collected soon. This never waits and never fails."""
        for item in () if case.is_early else case.items:
            unmade = Collected(item, case.incident.started_at, reason=SHUTDOWN)
            self._promised[case.id_of(item)] = _upload(case, unmade)
        for lane in self._lanes:
            lane.put(case)

    def collect_again(self, case: Case) -> None:
        """Collect an incident's evidence if the gateway lacks any; its worker may have died."""
        asking = asyncio.create_task(self._collect_missing(case))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    async def _collect_missing(self, case: Case) -> None:
        await asyncio.sleep(AGAIN_SEC)
        for item in case.items:
            if not await self._gateway.has_evidence(case.monitor_id, case.id_of(item)):
                self.collect(case)  # all of them: they come from the same decoding
                return

    async def __aenter__(self) -> Self:
        for lane in self._lanes:
            self._tasks += map(asyncio.create_task, (lane.run(), lane.uploads.run()))
        return self

    async def __aexit__(self, *exception: object) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace_sec):
                while self._promised:
                    await asyncio.sleep(LOOK_SEC)
        tasks = [*self._tasks, *self._asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        last_words = [fail_at_once(self._gateway, each) for each in self._promised.values()]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SEC):
                await asyncio.gather(*last_words)

    def _settled(self, evidence_id: str) -> None:
        self._promised.pop(evidence_id, None)


class _Lane:
    """Makes evidence by one source, one case after the other."""

    def __init__(self, source: EvidenceSource, uploads: Uploads) -> None:
        self.uploads = uploads
        self._source = source
        self._waiting = WaitingCases()

    def put(self, case: Case) -> None:
        if case.items_of(self._source.kind):
            self._waiting.put(case)

    async def run(self) -> None:
        while True:
            await self._collect(await self._waiting.take())

    async def _collect(self, case: Case) -> None:
        items = case.items_of(self._source.kind)
        try:
            if case.failure is None:
                async for collected in self._source.collect(case):
                    items.remove(collected.item)
                    await self._hand_over(case, collected)
        except Exception:
            logger.exception("evidence cannot be made", incident_id=case.incident_id)
        for item in items:
            failed = Collected(item, case.incident.started_at, reason=case.failure or FAILED)
            await self._hand_over(case, failed)

    async def _hand_over(self, case: Case, collected: Collected) -> None:
        if collected.data or not case.is_early:
            await self.uploads.put(_upload(case, collected))


class WaitingCases:
    """A queue in which no monitor, whatever its evidence costs, keeps all others waiting."""

    def __init__(self) -> None:
        self._of_monitors = OrderedDict[str, deque[Case]]()
        self._more = asyncio.Event()

    def put(self, case: Case) -> None:
        own = self._of_monitors.setdefault(case.monitor_id, deque())
        waiting = sum(map(len, self._of_monitors.values()))
        if waiting >= MOST_WAITING or len(own) >= MOST_OF_MONITOR:
            case = replace(case, failure=BUSY, excerpt=Excerpt(), journal=None)
        own.append(case)
        self._more.set()

    async def take(self) -> Case:
        """Return the next case, as soon as there is one; its monitor's others go to the end."""
        while not self._of_monitors:
            self._more.clear()
            await self._more.wait()
        monitor_id, own = self._of_monitors.popitem(last=False)
        case = own.popleft()
        if own:
            self._of_monitors[monitor_id] = own
        return case


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
