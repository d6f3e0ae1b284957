"""The routes of incidents, `/api/v1/incidents`."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.body import parse_model, read_body
from api.errors import IncidentNotFound
from api.incidents.service import (
    Acknowledgement,
    IncidentDetails,
    IncidentList,
    Incidents,
    IncidentStatus,
)
from api.parameters import Instant, LabelFilter, Limit, Offset, PathId, client_route
from api.request_limits import Counted
from api.store.filters import IncidentFilter
from monitors.status import IncidentKind, Severity

router = APIRouter(prefix="/api/v1", tags=["incidents"])


@router.get(
    "/incidents",
    **client_route(
        Counted.READS,
        query=("status", "monitor_id", "kind", "severity", "since", "until", "limit", "offset"),
        repeatable=("label",),
    ),
)
async def list_incidents(
    incidents: Incidents,
    labels: LabelFilter,
    status: IncidentStatus | None = None,
    monitor_id: Annotated[str | None, Query(pattern=r"^[^\x00]*$")] = None,
    kind: IncidentKind | None = None,
    severity: Severity | None = None,
    since: Annotated[Instant | None, Query(description="Began then or later.")] = None,
    until: Annotated[Instant | None, Query(description="Began before.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> IncidentList:
    """List incidents, newest first. Of several filters, all must hold."""
    wanted = IncidentFilter(
        is_open=None if status is None else status is IncidentStatus.OPEN,
        monitor_id=monitor_id,
        kind=kind,
        severity=severity,
        since=since,
        until=until,
        labels=labels,
    )
    return await incidents.list_incidents(wanted, limit=limit, offset=offset)


@router.get("/incidents/{incident_id}", **client_route(Counted.READS, IncidentNotFound))
async def show_incident(incidents: Incidents, incident_id: PathId) -> IncidentDetails:
    """Return an incident with its events."""
    return await incidents.show(incident_id)


@router.post(
    "/incidents/{incident_id}/acknowledge",
    **client_route(Counted.CHANGES, IncidentNotFound, body=Acknowledgement, needs_body=False),
)
async def acknowledge_incident(
    request: Request, incidents: Incidents, incident_id: PathId
) -> IncidentDetails:
    """Say that somebody takes care; no reminders are sent from then on.

    A second call changes nothing and gives the same answer.
    """
    acknowledgement = parse_model(Acknowledgement, await read_body(request) or b"{}")
    return await incidents.acknowledge(incident_id, acknowledgement.note)
