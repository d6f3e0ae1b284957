"""The public API, `/api/v1`."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, WithJsonSchema

from api.auth import Client
from api.body import MAX_BODY_BYTES, read_body, shown
from api.error_docs import error_responses
from api.errors import (
    BodyTooLarge,
    DuplicateMonitor,
    EngineNotAvailable,
    EventNotFound,
    IdempotencyConflict,
    InvalidConfig,
    InvalidUrl,
    MaxMonitorsExceeded,
    MonitorNotActive,
    MonitorNotFound,
    ValidationFailed,
)
from api.gateway import Gateway, gateway_of
from api.monitors.creation import MAX_KEY_LENGTH, idempotency_key, parse_order
from api.monitors.schemas import (
    ChangeMonitor,
    CreatedMonitor,
    CreateMonitor,
    EventList,
    MonitorDetails,
    MonitorList,
    Redelivery,
    StoppedMonitor,
)
from api.monitors.updates import parse_change
from monitors.status import MonitorStatus

MAX_OFFSET: Final = 2**31 - 1
_INTEGER: Final = re.compile(r"-?[0-9]{1,30}")


def _or_none(value: str | None) -> str | None:
    """Read `?status=` as no filter at all."""
    return value or None


def _digits(value: Any) -> Any:
    """Refuse what is a number to Python alone: 1_0, +1, 1.0."""
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise ValueError("must be an integer in decimal digits")
    return value


GatewayDep = Annotated[Gateway, Depends(gateway_of)]
Limit = Annotated[int, Query(ge=1, le=200), BeforeValidator(_digits)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET), BeforeValidator(_digits)]
PathId = Annotated[str, Path()]
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


async def _counted_creation(gateway: GatewayDep, client: Client) -> None:
    await gateway.limits.count_creation(client)


async def _counted_read(gateway: GatewayDep, client: Client) -> None:
    await gateway.limits.count_read(client)


async def _counted_change(gateway: GatewayDep, client: Client) -> None:
    await gateway.limits.count_change(client)


async def _counted_stop(gateway: GatewayDep, client: Client) -> None:
    await gateway.limits.count_stop(client)


async def _counted_redelivery(gateway: GatewayDep, client: Client) -> None:
    await gateway.limits.count_redelivery(client)


def _parameters(*known: str) -> Any:
    """Refuse what a query names besides `known` or twice: a misspelt filter filters nothing."""

    async def check(request: Request) -> None:
        seen: set[str] = set()
        for name, _ in request.query_params.multi_items():
            if name not in known:
                raise ValidationFailed(f"{shown(name)}: is not known")
            if name in seen:
                raise ValidationFailed(f"{name}: is given twice")
            seen.add(name)

    return Depends(check)


def _check_single(request: Request, header: str) -> None:
    if len(request.headers.getlist(header)) > 1:
        raise ValidationFailed(f"{header}: is given twice")


router = APIRouter(prefix="/api/v1", tags=["monitors"])


@router.post(
    "/monitors",
    status_code=201,
    dependencies=[Depends(_counted_creation), _parameters()],
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
    gateway: GatewayDep,
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
    _check_single(request, "Idempotency-Key")
    order, body = parse_order(await read_body(request))
    key = idempotency_key(idempotency, client, gateway.headers.without_secrets(body))
    created = await gateway.creation.create(order, key)
    response.headers["Location"] = f"/api/v1/monitors/{created.monitor_id}"
    return created


@router.get(
    "/monitors",
    dependencies=[Depends(_counted_read), _parameters("status", "limit", "offset")],
    responses=error_responses(ValidationFailed),
)
async def list_monitors(
    gateway: GatewayDep,
    status: Annotated[StatusFilter, Query(description="Only those; empty: all.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> MonitorList:
    """List monitors, newest first."""
    return await gateway.service.list_monitors(status=status, limit=limit, offset=offset)


@router.get(
    "/monitors/{monitor_id}",
    dependencies=[Depends(_counted_read), _parameters()],
    responses=error_responses(ValidationFailed, MonitorNotFound),
)
async def show_monitor(gateway: GatewayDep, monitor_id: PathId) -> MonitorDetails:
    """Show a monitor's condition."""
    return await gateway.service.show(monitor_id)


@router.get(
    "/monitors/{monitor_id}/events",
    dependencies=[Depends(_counted_read), _parameters("limit", "offset")],
    responses=error_responses(ValidationFailed, MonitorNotFound),
)
async def list_events(
    gateway: GatewayDep, monitor_id: PathId, limit: Limit = 50, offset: Offset = 0
) -> EventList:
    """List a monitor's events in their order, each with what became of its webhook."""
    return await gateway.service.list_events(monitor_id, limit=limit, offset=offset)


@router.post(
    "/monitors/{monitor_id}/events/{event_id}/redeliver",
    status_code=202,
    dependencies=[Depends(_counted_redelivery), _parameters()],
    responses=error_responses(ValidationFailed, MonitorNotFound, EventNotFound, EngineNotAvailable),
)
async def redeliver_event(gateway: GatewayDep, monitor_id: PathId, event_id: PathId) -> Redelivery:
    """Send an event once more, with the same id, also when its monitor has ended.

    It is sent beside the monitor's other events, not in their order.
    """
    return await gateway.redelivery.redeliver(monitor_id, event_id)


@router.patch(
    "/monitors/{monitor_id}",
    dependencies=[Depends(_counted_change), _parameters()],
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
async def change_monitor(
    request: Request, gateway: GatewayDep, monitor_id: PathId
) -> MonitorDetails:
    """Change thresholds and metadata of a monitor while it runs; what it detected is kept."""
    return await gateway.changing.change(monitor_id, parse_change(await read_body(request)))


@router.delete(
    "/monitors/{monitor_id}",
    dependencies=[Depends(_counted_stop), _parameters()],
    responses=error_responses(
        ValidationFailed, MonitorNotFound, MonitorNotActive, EngineNotAvailable
    ),
)
async def stop_monitor(gateway: GatewayDep, monitor_id: PathId) -> StoppedMonitor:
    """Stop a monitor; what is queued is still delivered. A second call gives the same answer."""
    return await gateway.service.stop(monitor_id)
