"""The routes of monitors, `/api/v1/monitors`."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, WithJsonSchema

from api.auth import Client, rate_limited
from api.body import MAX_BODY_BYTES, read_body
from api.error_docs import error_responses
from api.errors import (
    BodyTooLarge,
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
from api.limits import Counted
from api.monitors.creation import MAX_KEY_LENGTH, MonitorCreation
from api.monitors.schemas import (
    ChangeMonitor,
    CreatedMonitor,
    CreateMonitor,
    MonitorDetails,
    MonitorList,
    StoppedMonitor,
)
from api.monitors.service import MonitorService
from api.monitors.updates import MonitorUpdates, parse_change
from api.parameters import Limit, Offset, PathId, check_single, query_parameters
from monitors.status import MonitorStatus


def _or_none(value: str | None) -> str | None:
    """Read `?status=` as no filter at all."""
    return value or None


StatusFilter = Annotated[
    MonitorStatus | None,
    BeforeValidator(_or_none),
    WithJsonSchema({"type": "string", "enum": [*MonitorStatus, ""]}),
]
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


def _body(model: type[BaseModel]) -> dict[str, Any]:
    """Describe a body that we read ourselves; `api.openapi` adds the schema of `model`."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {
            "required": True,
            "description": f"Up to {MAX_BODY_BYTES} bytes.",
            "content": {"application/json": {"schema": schema}},
        }
    }


Creation = Annotated[MonitorCreation, injected(MonitorCreation)]
Monitors = Annotated[MonitorService, injected(MonitorService)]
Updates = Annotated[MonitorUpdates, injected(MonitorUpdates)]

router = APIRouter(prefix="/api/v1", tags=["monitors"])


@router.post(
    "/monitors",
    status_code=201,
    dependencies=[rate_limited(Counted.CREATIONS), query_parameters()],
    responses={
        201: {"headers": {"Location": {"schema": {"type": "string", "format": "uri-reference"}}}},
        **error_responses(
            ValidationFailed,
            InvalidUrl,
            InvalidConfig,
            DuplicateMonitor,
            IdempotencyConflict,
            BodyTooLarge,
            MaxMonitorsExceeded,
            EngineNotAvailable,
        ),
    },
    openapi_extra=_body(CreateMonitor),
)
async def create_monitor(
    request: Request,
    response: Response,
    creation: Creation,
    client: Client,
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
    created = await creation.create(await read_body(request), client, idempotency)
    response.headers["Location"] = f"/api/v1/monitors/{created.monitor_id}"
    return created


@router.get(
    "/monitors",
    dependencies=[rate_limited(Counted.READS), query_parameters("status", "limit", "offset")],
    responses=error_responses(ValidationFailed),
)
async def list_monitors(
    monitors: Monitors,
    status: Annotated[StatusFilter, Query(description="Only those; empty: all.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> MonitorList:
    """List monitors, newest first."""
    return await monitors.list_monitors(status=status, limit=limit, offset=offset)


@router.get(
    "/monitors/{monitor_id}",
    dependencies=[rate_limited(Counted.READS), query_parameters()],
    responses=error_responses(ValidationFailed, MonitorNotFound),
)
async def show_monitor(monitors: Monitors, monitor_id: PathId) -> MonitorDetails:
    """Show a monitor's condition."""
    return await monitors.show(monitor_id)


@router.patch(
    "/monitors/{monitor_id}",
    dependencies=[rate_limited(Counted.CHANGES), query_parameters()],
    responses=error_responses(
        ValidationFailed,
        InvalidConfig,
        MonitorNotFound,
        MonitorNotActive,
        BodyTooLarge,
        EngineNotAvailable,
    ),
    openapi_extra=_body(ChangeMonitor),
)
async def change_monitor(request: Request, updates: Updates, monitor_id: PathId) -> MonitorDetails:
    """Change name, thresholds and metadata of a running monitor; what it detected is kept."""
    return await updates.change(monitor_id, parse_change(await read_body(request)))


@router.delete(
    "/monitors/{monitor_id}",
    dependencies=[rate_limited(Counted.STOPS), query_parameters()],
    responses=error_responses(
        ValidationFailed, MonitorNotFound, MonitorNotActive, EngineNotAvailable
    ),
)
async def stop_monitor(monitors: Monitors, monitor_id: PathId) -> StoppedMonitor:
    """Stop a monitor; what is queued is still delivered. A second call gives the same answer."""
    return await monitors.stop(monitor_id)
