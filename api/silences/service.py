"""Making, listing and ending silences."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from api.destinations.waker import DestinationWaker
from api.error_docs import EXAMPLE_ID, EXAMPLE_SILENCE_ID
from api.errors import SilenceNotFound, ValidationFailed
from api.injection import injected
from api.parameters import APPLIED_BY, Pagination
from api.silences.held_webhooks import HeldWebhooks
from api.store import Store
from api.store.silences import SilenceRecord
from monitors.labels import AppliedBy, Labels
from monitors.random_ids import new_silence_id
from monitors.status import IncidentKind

EXAMPLE_SILENCE: Final[dict[str, JsonValue]] = {
    "labels": {"site": "tokyo"},
    "ends_at": "2026-01-01T06:00:00+09:00",
    "note": "New encoders",
}
_MONITOR_IDS: Final = "These monitors."
_LABELS: Final = "Monitors that have all of these labels."


LONGEST: Final = timedelta(days=366)
MAX_SILENCES: Final = 1000

_log = structlog.get_logger(__name__)

MonitorIds = Annotated[
    list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=200)
]
Kinds = Annotated[list[IncidentKind], Field(min_length=1, max_length=50)]


class CreateSilence(BaseModel):
    """Whose incidents notify nobody, and when: one of `monitor_ids`, `labels`, `all`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE_SILENCE]})

    monitor_ids: MonitorIds | None = Field(default=None, description=_MONITOR_IDS)
    labels: Labels | None = Field(default=None, description=_LABELS)
    all: bool = Field(default=False, description="All monitors.")
    kinds: Kinds | None = Field(default=None, description="Only these incidents; null: all.")
    starts_at: AwareDatetime | None = Field(default=None, description="Null: now.")
    ends_at: AwareDatetime
    note: str | None = Field(default=None, max_length=500)
    applied_by: AppliedBy | None = Field(default=None, description=APPLIED_BY)


class Silence(BaseModel):
    """A time in which incidents of some monitors are recorded but notify nobody."""

    silence_id: str = Field(examples=[EXAMPLE_SILENCE_ID])
    monitor_ids: list[str] | None = Field(description=_MONITOR_IDS, examples=[[EXAMPLE_ID]])
    labels: dict[str, str] | None = Field(description=_LABELS)
    all: bool
    kinds: list[IncidentKind] | None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    note: str | None
    applied_by: str | None = Field(description=APPLIED_BY)
    created_at: AwareDatetime


class SilenceList(BaseModel):
    """Silences that have not ended, the first to end first."""

    silences: list[Silence]
    pagination: Pagination


@dataclass(frozen=True)
class SilenceService:
    """Whatever changes, destinations judge what waits again, and monitors what is held."""

    store: Store
    waker: DestinationWaker
    held: HeldWebhooks
    now: Callable[[], datetime]

    async def create(self, wanted: CreateSilence) -> Silence:
        now = self.now()
        record = SilenceRecord(
            **dict(wanted.model_dump(exclude={"all"}), starts_at=wanted.starts_at or now),
            silence_id=new_silence_id(),
            created_at=now,
        )
        _check_subject(wanted)
        _check_times(record, now)
        _, total = await self.store.silences.page(since=now, limit=1, offset=0)
        if total >= MAX_SILENCES:
            raise ValidationFailed(f"ends_at: there are {MAX_SILENCES} silences, the maximum")
        await self.store.silences.add(record)
        _log.info("silence created", silence_id=record.silence_id, ends_at=str(record.ends_at))
        return _silence(record)

    async def list_current(self, *, limit: int, offset: int) -> SilenceList:
        found, total = await self.store.silences.page(since=self.now(), limit=limit, offset=offset)
        return SilenceList(
            silences=[_silence(one) for one in found],
            pagination=Pagination(total=total, limit=limit, offset=offset),
        )

    async def show(self, silence_id: str) -> Silence:
        return _silence(await self._find(silence_id))

    async def end(self, silence_id: str) -> None:
        """End a silence now; what is still open is told. One that has ended stays as it is."""
        await self._find(silence_id)
        await self.store.silences.end(silence_id, self.now())
        _log.info("silence ended", silence_id=silence_id)
        self.waker.wake(await self.store.destinations.ids())
        self.held.look()

    async def _find(self, silence_id: str) -> SilenceRecord:
        found = None if "\0" in silence_id else await self.store.silences.find(silence_id)
        if found is None:
            raise SilenceNotFound(silence_id)
        return found


Silences = Annotated[SilenceService, injected(SilenceService)]


def _check_subject(wanted: CreateSilence) -> None:
    given = [wanted.monitor_ids is not None, bool(wanted.labels), wanted.all]
    if given.count(True) != 1 or wanted.labels == {}:
        raise ValidationFailed("monitor_ids, labels, all: must be exactly one of these")


def _check_times(record: SilenceRecord, now: datetime) -> None:
    if record.ends_at <= now:
        raise ValidationFailed("ends_at: is in the past")
    if record.ends_at <= record.starts_at:
        raise ValidationFailed("ends_at: must be after starts_at")
    if record.starts_at > now + LONGEST:
        raise ValidationFailed(f"starts_at: is more than {LONGEST.days} days away")
    if record.ends_at - max(record.starts_at, now) > LONGEST:
        raise ValidationFailed(f"ends_at: is more than {LONGEST.days} days after the beginning")


def _silence(record: SilenceRecord) -> Silence:
    is_all = record.monitor_ids is None and record.labels is None
    return Silence(**vars(record), all=is_all)
