"""Lists incidents with their evidence, shows who was told, takes acknowledgements."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.destinations.waker import DestinationWaker
from api.error_docs import EXAMPLE_DESTINATION_ID, EXAMPLE_ID, EXAMPLE_INCIDENT_ID
from api.errors import IncidentNotFound
from api.events.service import AuditedEvent, audited
from api.evidence.service import EvidenceService, ListedEvidence
from api.injection import injected
from api.monitors.service import shown_name
from api.parameters import Pagination
from api.store import Store
from api.store.delivery_records import NotificationStatus
from api.store.filters import IncidentFilter
from api.store.incidents import IncidentRecord
from monitors.evidence_links import EvidenceLinks
from monitors.incidents import is_incident_id
from monitors.status import IncidentKind, Severity
from notifications.notification import DestinationType, NotificationState

_log = structlog.get_logger(__name__)


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


@dataclass(frozen=True)
class IncidentService:
    store: Store
    evidence: EvidenceService
    links: EvidenceLinks
    waker: DestinationWaker
    now: Callable[[], datetime]

    async def list_incidents(
        self, wanted: IncidentFilter, *, limit: int, offset: int
    ) -> IncidentList:
        found, total = await self.store.incidents.page(wanted, limit=limit, offset=offset)
        return IncidentList(
            incidents=await self._listed(found),
            pagination=Pagination(total=total, limit=limit, offset=offset),
        )

    async def show(self, incident_id: str) -> IncidentDetails:
        found = await self.by_ids([incident_id]) if is_incident_id(incident_id) else []
        if not found:
            raise IncidentNotFound(incident_id)
        events = await self.store.events.of_incident(incident_id)
        deliveries = await self.deliveries([incident_id])
        return IncidentDetails(
            **dict(found[0]),
            events=[audited(each, self.links) for each in events],
            deliveries=deliveries[incident_id],
        )

    async def deliveries(
        self, incident_ids: Collection[str]
    ) -> defaultdict[str, list[IncidentDelivery]]:
        """Return who was told of a page of incidents, by incident, oldest first."""
        found: defaultdict[str, list[IncidentDelivery]] = defaultdict(list)
        for each in await self.store.told.of_incidents(incident_ids):
            found[each.incident_id].append(IncidentDelivery.model_validate(vars(each)))
        return found

    async def acknowledge(self, incident_id: str, note: str | None) -> IncidentDetails:
        """Note that somebody takes care, unless somebody does already."""
        if is_incident_id(incident_id) and await self.store.incidents.acknowledge(
            incident_id, note, self.now()
        ):
            _log.info("incident acknowledged", incident_id=incident_id)
        details = await self.show(incident_id)
        await self.waker.wake_about(details.monitor_id)
        return details

    async def by_ids(self, incident_ids: Collection[str]) -> list[ListedIncident]:
        """Return those of these incidents that exist, in any order."""
        return await self._listed(await self.store.incidents.by_ids(incident_ids))

    async def _listed(self, found: Sequence[IncidentRecord]) -> list[ListedIncident]:
        names = {
            each.monitor_id: shown_name(each.name, each.title)
            for each in await self.store.monitors.summaries({each.monitor_id for each in found})
        }
        evidence = await self.evidence.of_incidents([each.incident_id for each in found])
        return [
            ListedIncident(
                **vars(each) | {"track": each.track or None},
                name=names.get(each.monitor_id),
                status=IncidentStatus.OPEN if each.is_open else IncidentStatus.CLOSED,
                flapping=each.is_flapping,
                evidence=evidence.get(each.incident_id, []),
            )
            for each in found
        ]


Incidents = Annotated[IncidentService, injected(IncidentService)]
