"""The bodies of requests and answers about incidents."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.error_docs import EXAMPLE_DESTINATION_ID, EXAMPLE_ID, EXAMPLE_INCIDENT_ID
from api.events.schemas import AuditedEvent
from api.evidence.schemas import ListedEvidence
from api.parameters import Pagination
from api.store.delivery_records import NotificationStatus
from monitors.status import IncidentKind, Severity
from notifications.notification import DestinationType, NotificationState


class IncidentStatus(StrEnum):
    """Whether a fault goes on."""

    OPEN = "open"
    CLOSED = "closed"


class ListedIncident(BaseModel):
    """One fault, from its first moment to its end."""

    incident_id: str = Field(examples=[EXAMPLE_INCIDENT_ID])
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
    track: str | None = Field(description="The audio track, where all of them are measured.")
    flapping: bool = Field(description="It stands for several faults in quick succession.")
    silenced: bool = Field(description="It began in a silence.")
    acknowledged_at: AwareDatetime | None
    note: str | None = Field(description="Of who acknowledged it.")
    evidence: list[ListedEvidence] = Field(description="Of the kinds that the monitor keeps.")


class IncidentDelivery(BaseModel):
    """Who was told of an incident, and whether it arrived."""

    destination_id: str | None = Field(
        description="Null: the monitor's callback_url.", examples=[EXAMPLE_DESTINATION_ID]
    )
    name: str | None = Field(description="The destination's.")
    type: DestinationType | None
    state: NotificationState
    status: NotificationStatus
    attempts: int
    last_error: str | None
    created_at: AwareDatetime
    sent_at: AwareDatetime | None


class IncidentList(BaseModel):
    """A page of incidents, newest first."""

    incidents: list[ListedIncident]
    pagination: Pagination = Field(description="`total` counts no further than 10,000.")


class IncidentDetails(ListedIncident):
    """One incident with its events, and who was told."""

    events: list[AuditedEvent]
    deliveries: list[IncidentDelivery] = Field(description="Who was told, oldest first.")


class Acknowledgement(BaseModel):
    """Somebody takes care of an incident."""

    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(default=None, max_length=2000, examples=["The encoder restarts."])
