"""The bodies of answers about coverage."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.monitors.schemas import MonitorId
from monitors.coverage import CoverageCondition
from monitors.status import IncidentKind


class TimelineInterval(BaseModel):
    """A stretch of time in one condition; `to` is exclusive."""

    model_config = ConfigDict(populate_by_name=True)

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    condition: CoverageCondition
    kinds: list[IncidentKind] = Field(description="Of the incidents that were open.")
    reason: str | None = Field(description="Why the stream was unknown.", examples=["http_404"])


class Timeline(BaseModel):
    """Intervals that border each other, from the first to the last moment that is known."""

    intervals: list[TimelineInterval]


class ConditionTotals(BaseModel):
    """Seconds of each condition, and the availability in percent of the live time."""

    ok_sec: float
    faulty_sec: float
    unknown_sec: float
    unwatched_sec: float
    not_live_sec: float
    availability_low: float | None = Field(
        description="Unknown and unwatched time counts as down; null: it was never live."
    )
    availability_high: float | None = Field(description="It counts as up.")


class AvailabilityPeriod(ConditionTotals):
    """An hour, a day or a month; the first and the last may be parts."""

    model_config = ConfigDict(populate_by_name=True)

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")


class Availability(ConditionTotals):
    """How available a stream was."""

    periods: list[AvailabilityPeriod] = Field(description="With `resolution`.")


class ReportRow(ConditionTotals):
    """How available one monitor's stream was."""

    monitor_id: MonitorId
    name: str | None
    labels: dict[str, str]
    stream_url: str


class AvailabilityReport(BaseModel):
    """One row a monitor, oldest first."""

    model_config = ConfigDict(populate_by_name=True)

    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    monitors: list[ReportRow]
