"""The capsule of an incident, made in the background by the worker that saw it."""

import asyncio
import io
from collections.abc import AsyncIterator

from evidence.capsule.contents import CapsuleSubject
from evidence.capsule.errors import CapsuleTooLarge
from evidence.capsule.writing import write_capsule
from evidence.case import LOST, Case
from evidence.collector import Collected
from media.watching.replay_journal import JournalExcerpt
from monitors.evidence import EvidenceItem, EvidenceKind

TOO_LARGE = "too_large"


class IncidentCapsule:
    def __init__(self, release: str) -> None:
        self._release = release

    def makes(self, item: EvidenceItem) -> bool:
        return item.kind is EvidenceKind.CAPSULE

    async def collect(self, case: Case) -> AsyncIterator[Collected]:
        for item in filter(self.makes, case.items):
            capsule: bytes = b""
            reason: str | None = LOST
            if case.journal:
                try:
                    capsule = await asyncio.to_thread(self._written, case, case.journal)
                    reason = None
                except CapsuleTooLarge:
                    reason = TOO_LARGE
            yield Collected(item, case.alert_at, capsule, reason)

    def _written(self, case: Case, journal: JournalExcerpt) -> bytes:
        file = io.BytesIO()
        write_capsule(
            file, journal, CapsuleSubject(case.monitor_id, case.stream_url, self._release)
        )
        return file.getvalue()
