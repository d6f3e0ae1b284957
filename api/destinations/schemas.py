"""The bodies of requests and answers about destinations."""

from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from activities.destination_declarations import Retry
from api.error_docs import EXAMPLE_DESTINATION_ID, EXAMPLE_EVENT_ID, EXAMPLE_ID
from api.parameters import APPLIED_BY, Pagination
from api.store.delivery_records import NotificationStatus
from monitors.labels import AppliedBy
from monitors.status import Severity
from notifications.notification import DestinationType, Language, NotificationState

MAX_PATTERNS: Final = 50
LONGEST_WINDOW_SEC: Final = 3600
REMINDER_SEC: Final = (60, 30 * 86_400)

EXAMPLE_DESTINATION: Final[dict[str, JsonValue]] = {
    "name": "On-call",
    "type": "pagerduty",
    "url": "https://events.pagerduty.com/v2/enqueue?routing_key=0123456789abcdef0123456789abcdef",
    "min_severity": "critical",
    "remind_every_sec": 1800,
}
EXAMPLE_DESTINATION_CHANGE: Final[dict[str, JsonValue]] = {"enabled": False}


def _patterns(value: list[str]) -> list[str]:
    if not value:
        raise ValueError('must name at least one; ["*"] is all')
    return value


Name = Annotated[str, Field(min_length=1, max_length=120)]
Url = Annotated[str, Field(min_length=1, max_length=2048)]
Pattern = Annotated[str, Field(pattern=r"^[a-z_.*?]{1,64}$")]
Patterns = Annotated[list[Pattern], Field(max_length=MAX_PATTERNS), AfterValidator(_patterns)]
Reminder = Annotated[int, Field(ge=REMINDER_SEC[0], le=REMINDER_SEC[1])]
Window = Annotated[int, Field(ge=0, le=LONGEST_WINDOW_SEC)]


class ChangeDestination(BaseModel):
    """What to change; what is not named stays as it is."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [EXAMPLE_DESTINATION_CHANGE]}
    )

    name: Name = ""
    url: Url = Field(default="", description="A new one; what waits goes there.")
    events: Patterns = Field(
        default=["*"],
        description=(
            "Patterns of the event types it receives, such as alert.*; * stands for anything."
        ),
    )
    min_severity: Severity | None = Field(
        default=None,
        description="Incidents below it are not told; null: all. Other events are not concerned.",
    )
    remind_every_sec: Reminder | None = Field(
        default=None,
        description=(
            "Open incidents that nobody acknowledged are told again this often; null: never."
        ),
    )
    group_window_sec: Window = Field(
        default=0,
        description=(
            "Incidents that begin within so many seconds at one origin host are told once, "
            "together; 0: each by itself, at once."
        ),
    )
    retry: Retry = Field(
        default=Retry.SHORT,
        description="short: as callback_url; long: 10 attempts over about 75 hours.",
    )
    language: Language = Field(default=Language.ENGLISH, description="Of texts that people read.")
    enabled: bool = Field(
        default=True, description="While false, nothing is sent and no new event is taken."
    )
    applied_by: AppliedBy | None = Field(default=None, description=APPLIED_BY)


class CreateDestination(ChangeDestination):
    """Where notifications go, and which."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_DESTINATION]})

    name: Name
    type: DestinationType
    url: Url = Field(description="Of a form that belongs to the type; a secret.")
    ed25519: bool = Field(
        default=False, description="For a webhook: sign with an Ed25519 key too (v1a)."
    )


class Destination(BaseModel):
    """A destination; its secrets are masked."""

    destination_id: str = Field(examples=[EXAMPLE_DESTINATION_ID])
    name: str
    type: DestinationType
    url: str = Field(description="Masked.", examples=["https://events.pagerduty.com/***"])
    events: list[str]
    min_severity: Severity | None
    remind_every_sec: int | None
    group_window_sec: int
    retry: Retry
    language: Language
    enabled: bool
    applied_by: str | None = Field(description=APPLIED_BY)
    public_key: str | None = Field(
        description="whpk_ and base64: verifies the signatures v1a of a webhook."
    )
    created_at: AwareDatetime


class CreatedDestination(Destination):
    """A new destination, with the secret that is shown this once."""

    secret: str | None = Field(
        description="whsec_ and base64: verifies the signatures v1 of a webhook. Shown once."
    )


class DestinationList(BaseModel):
    """Destinations, newest first."""

    destinations: list[Destination]
    pagination: Pagination


class QueuedTest(BaseModel):
    """A test notification that is on its way; the list of deliveries shows what becomes of it."""

    delivery_id: int = Field(examples=[17])
    status: NotificationStatus


class AuditedDelivery(BaseModel):
    """Something that a destination is told, and what became of it."""

    delivery_id: int = Field(examples=[17])
    state: NotificationState
    monitor_id: str | None = Field(examples=[EXAMPLE_ID])
    event_id: str | None = Field(examples=[EXAMPLE_EVENT_ID])
    event_type: str | None = Field(examples=["alert.blackout"])
    incident_id: str | None
    told_with: int | None = Field(
        description="The first delivery of the notification that told it, of a group another one."
    )
    status: NotificationStatus
    attempts: int
    last_error: str | None
    created_at: AwareDatetime
    sent_at: AwareDatetime | None


class DeliveryList(BaseModel):
    """Deliveries to one destination, newest first."""

    deliveries: list[AuditedDelivery]
    pagination: Pagination
