"""The bodies of requests and answers about incidents."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, Field

from api.error_docs import EXAMPLE_ID
from monitors.status import IncidentKind, Severity


class IncidentStatus(StrEnum):
    """Whether a fault goes on."""

    OPEN = "open"
    CLOSED = "closed"


class ListedIncident(BaseModel):
    """One fault, from its first moment to its end."""

    incident_id: str = Field(examples=["inc-5a9be5a8-4b5c-5a59-9f4f-3a3c0d8d2f10"])
    monitor_id: str = Field(examples=[EXAMPLE_ID])
    name: str | None = Field(description="The monitor's.")
    kind: IncidentKind
    severity: Severity
    status: IncidentStatus
    started_at: AwareDatetime = Field(description="The first faulty moment.")
    detected_at: AwareDatetime | None = Field(
        description="When it reached its threshold; null where that event never came."
    )
    ended_at: AwareDatetime | None = Field(
        description="The first good moment, or the monitor's end; null while it is open."
    )
    duration_sec: float | None = Field(description="Null while it is open.")
    reason: str | None
    silenced: bool = Field(description="It began in a silence.")
    acknowledged_at: AwareDatetime | None
    note: str | None = Field(description="Of who acknowledged it.")
    evidence: list[str] = Field(default=[], description="Empty until there is any.")
