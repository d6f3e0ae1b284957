"""The bodies of requests and answers about silences."""

from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from api.error_docs import EXAMPLE_ID, EXAMPLE_SILENCE_ID
from api.parameters import APPLIED_BY, Pagination
from monitors.labels import AppliedBy, Labels
from monitors.status import IncidentKind

EXAMPLE_SILENCE: Final[dict[str, JsonValue]] = {
    "labels": {"site": "tokyo"},
    "ends_at": "2026-01-01T06:00:00+09:00",
    "note": "New encoders",
}

MonitorIds = Annotated[
    list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=200)
]
Kinds = Annotated[list[IncidentKind], Field(min_length=1, max_length=50)]
_MONITOR_IDS: Final = "These monitors."
_LABELS: Final = "Monitors that have all of these labels."


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
