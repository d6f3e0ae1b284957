"""The routes of monitors, `/api/v1/monitors`."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import StringConstraints, WithJsonSchema

from api.auth import CallerDep
from api.body import read_body
from api.errors import (
    ConfirmationRequired,
    DuplicateMonitor,
    EngineNotAvailable,
    IdempotencyConflict,
    InvalidConfig,
    InvalidUrl,
    MaxMonitorsExceeded,
    MonitorNotActive,
    MonitorNotFound,
    ValidationFailed,
)
from api.injection import injected
from api.monitors.creation import MAX_KEY_LENGTH, MonitorCreation
from api.monitors.schemas import (
    ChangeMonitor,
    CreatedMonitor,
    CreateMonitor,
    MonitorDetails,
    MonitorList,
    StoppedMonitor,
    StoppedMonitors,
)
from api.monitors.service import Monitors
from api.monitors.updates import MonitorUpdates, parse_change
from api.parameters import (
    Count,
    EmptyIsNone,
    LabelFilter,
    Limit,
    Offset,
    PathId,
    check_single,
    client_route,
)
from api.request_limits import Counted
from api.store.filters import MonitorFilter
from monitors.status import Health, MonitorStatus

StatusFilter = Annotated[
    MonitorStatus | None,
    EmptyIsNone,
    WithJsonSchema({"type": "string", "enum": [*MonitorStatus, ""]}),
]
HealthFilter = Annotated[
    Health | None,
    EmptyIsNone,
    WithJsonSchema({"type": "string", "enum": [*Health, ""]}),
]
SearchText = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
DescribedKey = Annotated[
    str,
    # Told, not checked here: `idempotency_key` says in better words what is wrong.
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_KEY_LENGTH,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        }
    ),
]


Creation = Annotated[MonitorCreation, injected(MonitorCreation)]
Updates = Annotated[MonitorUpdates, injected(MonitorUpdates)]

router = APIRouter(prefix="/api/v1", tags=["monitors"])


@router.post(
    "/monitors",
    status_code=201,
    **client_route(
        Counted.CREATIONS,
        InvalidUrl,
        InvalidConfig,
        DuplicateMonitor,
        IdempotencyConflict,
        MaxMonitorsExceeded,
        EngineNotAvailable,
        body=CreateMonitor,
        answers={
            201: {
                "headers": {"Location": {"schema": {"type": "string", "format": "uri-reference"}}}
            }
        },
    ),
)
async def create_monitor(
    request: Request,
    response: Response,
    creation: Creation,
    caller: CallerDep,
    idempotency: Annotated[
        DescribedKey | None,
        Header(
            alias="Idempotency-Key",
            description="The same key and body give the same answer again, for a day.",
        ),
    ] = None,
) -> CreatedMonitor:
    """Start to watch a stream."""
    check_single(request, "Idempotency-Key")
    created = await creation.create(await read_body(request), caller.name, idempotency)
    response.headers["Location"] = f"/api/v1/monitors/{created.monitor_id}"
    return created


@router.get(
    "/monitors",
    **client_route(
        Counted.READS,
        query=("status", "health", "q", "settings", "limit", "offset"),
        repeatable=("label",),
    ),
)
async def list_monitors(
    monitors: Monitors,
    labels: LabelFilter,
    status: Annotated[StatusFilter, Query(description="Only those; empty: all.")] = None,
    health: Annotated[
        HealthFilter,
        Query(description="The worst of an active monitor's picture, sound and incidents."),
    ] = None,
    q: Annotated[
        SearchText | None, Query(description="Is in the name, the title or the URL.")
    ] = None,
    settings: Annotated[
        bool, Query(description="Also tell what their users set, config and metadata.")
    ] = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> MonitorList:
    """List monitors, newest first."""
    wanted = MonitorFilter(status=status, health=health, labels=labels, text=q)
    return await monitors.list_monitors(wanted, limit=limit, offset=offset, with_settings=settings)


@router.delete(
    "/monitors",
    **client_route(
        Counted.STOPS,
        ConfirmationRequired,
        EngineNotAvailable,
        query=("confirm",),
        repeatable=("label",),
    ),
)
async def stop_monitors(
    monitors: Monitors,
    labels: LabelFilter,
    confirm: Annotated[
        Count | None,
        Query(description="How many monitors this stops; if it is wrong, the error says it."),
    ] = None,
) -> StoppedMonitors:
    """Stop all active monitors that have these labels; at least one label is required."""
    if not labels:
        raise ValidationFailed("label: is required")
    return await monitors.stop_labelled(labels, confirm)


@router.get("/monitors/{monitor_id}", **client_route(Counted.READS, MonitorNotFound))
async def show_monitor(monitors: Monitors, monitor_id: PathId) -> MonitorDetails:
    """Show a monitor's condition."""
    return await monitors.show(monitor_id)


@router.patch(
    "/monitors/{monitor_id}",
    **client_route(
        Counted.CHANGES,
        InvalidConfig,
        MonitorNotFound,
        MonitorNotActive,
        EngineNotAvailable,
        body=ChangeMonitor,
    ),
)
async def change_monitor(request: Request, updates: Updates, monitor_id: PathId) -> MonitorDetails:
    """Change name, labels, thresholds and metadata of a running monitor.

    What it detected is kept.
    """
    return await updates.change(monitor_id, parse_change(await read_body(request)))


@router.delete(
    "/monitors/{monitor_id}",
    **client_route(Counted.STOPS, MonitorNotFound, MonitorNotActive, EngineNotAvailable),
)
async def stop_monitor(monitors: Monitors, monitor_id: PathId) -> StoppedMonitor:
    """Stop a monitor; what is queued is still delivered. A second call gives the same answer."""
    return await monitors.stop(monitor_id)
