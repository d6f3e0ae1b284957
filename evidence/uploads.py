"""Handing evidence to the gateway, which may be away for a while."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog

from monitors.evidence import EvidenceItem, EvidenceKind

logger = structlog.get_logger(__name__)

MOST_WAITING_BYTES = 16 * 1024 * 1024  # whatever size one more has

AFTER_ALERT_SEC = 0.5
"""By then the gateway usually has the event, before which it takes only pictures."""

FIRST_DELAY_SEC, LONGEST_DELAY_SEC = 0.5, 8.0
GIVE_UP_SEC = 110.0  # after this long the gateway takes the evidence for lost
NOT_TAKEN = "not_taken"
COLLECTED = "collected"


class GatewayAway(Exception):
    """The gateway did not take it now; it may later."""


class EvidenceRefused(Exception):
    """The gateway will never take it."""


@dataclass(frozen=True)
class Upload:
    """A piece of evidence, or why there is none."""

    monitor_id: str
    incident_id: str
    evidence_id: str
    item: EvidenceItem
    alert_at: datetime  # when its incident was opened
    taken_at: datetime  # when what it shows began
    data: bytes = field(default=b"", repr=False)  # empty where there is none
    # stable word for what is wrong with it, or why there is none; None for neither
    reason: str | None = None


class EvidenceGateway(Protocol):
    async def has_evidence(self, monitor_id: str, evidence_id: str) -> bool:
        """Return whether a file is there, or is not wanted any more; False where nobody knows."""

    async def put_evidence(self, upload: Upload) -> None:
        """Take a file, or that there will be none.

        Raises:
            GatewayAway: not now.
            EvidenceRefused: never.
        """


class EvidenceMeter(Protocol):
    def collected(self, kind: EvidenceKind, outcome: str, after_sec: float) -> None:
        """Count a piece that the gateway has, or that failed for a reason, and since its alert."""


@dataclass(eq=False)
class _Waiting:
    """An upload, when it is to be tried next (`Uploads.clock`), and after which delay once more."""

    upload: Upload
    due: float
    delay_sec: float = FIRST_DELAY_SEC

    def defer(self, now: float) -> None:
        self.due = now + self.delay_sec
        self.delay_sec = min(2 * self.delay_sec, LONGEST_DELAY_SEC)


class Uploads:
    """Uploads one after the other while `run` runs; what is not taken now is tried again later.

    Meanwhile others are: the gateway may only not know yet of this incident.
    """

    def __init__(
        self,
        gateway: EvidenceGateway,
        meter: EvidenceMeter,
        *,
        on_settled: Callable[[str], None] = lambda evidence_id: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._meter = meter
        self._on_settled = on_settled
        self._now = now
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._changed = asyncio.Condition()

    async def put(self, upload: Upload) -> None:
        """Queue an upload, as soon as there is room."""
        is_awaited = upload.item.kind is EvidenceKind.PICTURE and upload.data
        early_sec = 0.0 if is_awaited else max(0.0, AFTER_ALERT_SEC - self._age_sec(upload))
        async with self._changed:
            await self._changed.wait_for(self._has_room)
            self._waiting.append(_Waiting(upload, self._clock() + early_sec))
            self._changed.notify_all()

    async def run(self) -> None:
        while True:
            waiting = await self._next_due()
            if not await self._is_settled(waiting.upload):
                waiting.defer(self._clock())
                continue
            self._on_settled(waiting.upload.evidence_id)
            async with self._changed:
                self._waiting.remove(waiting)
                self._changed.notify_all()

    def _has_room(self) -> bool:
        return sum(len(each.upload.data) for each in self._waiting) < MOST_WAITING_BYTES

    async def _next_due(self) -> _Waiting:
        """Return the first one that is due, as soon as there is one."""
        async with self._changed:
            while True:
                now = self._clock()
                for each in self._waiting:
                    if each.due <= now:
                        return each
                next_due = min((each.due for each in self._waiting), default=None)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if next_due is None else next_due - now):
                        await self._changed.wait()

    async def _is_settled(self, upload: Upload) -> bool:
        try:
            await self._gateway.put_evidence(upload)
        except EvidenceRefused as error:
            self._note(upload, NOT_TAKEN, str(error))
        except GatewayAway as error:
            if self._age_sec(upload) <= GIVE_UP_SEC:
                return False
            self._note(upload, NOT_TAKEN, str(error))
        except Exception as error:  # a defect costs this piece, not all that follow
            logger.exception("evidence cannot be handed over")
            self._note(upload, NOT_TAKEN, type(error).__name__)
        else:
            self._note(upload, upload.reason if not upload.data else None)
        return True

    def _note(self, upload: Upload, failure: str | None, error: str | None = None) -> None:
        after_sec = self._age_sec(upload)
        self._meter.collected(upload.item.kind, failure or COLLECTED, after_sec)
        log = logger.warning if error else logger.info
        log(
            "evidence",
            evidence_id=upload.evidence_id,
            kind=upload.item.kind.value,
            moment=upload.item.moment,
            size_bytes=len(upload.data),
            reason=failure or upload.reason,
            after_sec=round(after_sec, 1),
            **({"error": error} if error else {}),
        )

    def _age_sec(self, upload: Upload) -> float:
        return max(0.0, (self._now() - upload.alert_at).total_seconds())


async def fail_at_once(gateway: EvidenceGateway, upload: Upload) -> None:
    """Say once that there will be no file."""
    with contextlib.suppress(GatewayAway, EvidenceRefused):
        await gateway.put_evidence(upload)
