"""The public API, `/api/v1`."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BeforeValidator

from api.auth import Client
from api.body import MAX_BODY_BYTES, parse_model, read_body
from api.gateway import Gateway, gateway_of
from api.monitors.creation import idempotency_key
from api.monitors.schemas import (
    CreatedMonitor,
    CreateMonitor,
    ErrorBody,
    EventList,
    MonitorDetails,
    MonitorList,
    StoppedMonitor,
)
from monitors.status import MonitorStatus

MAX_OFFSET: Final = 2**31 - 1

GatewayDep = Annotated[Gateway, Depends(gateway_of)]
Limit = Annotated[int, Query(ge=1, le=200)]
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET)]


def _or_none(value: str | None) -> str | None:
    """Read `?status=` as no filter at all."""
    return value or None


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    documented: dict[int | str, dict[str, Any]] = {one: {"model": ErrorBody} for one in statuses}
    # Keeps the framework from documenting its own 422, which never occurs.
    return documented | {"4XX": {"model": ErrorBody}}


async def _counted_creation(gateway: GatewayDep, client: Client) -> None:
    await gateway.limits.count_creation(client)


async def _counted_read(gateway: GatewayDep, client: Client) -> None:
    await gateway.limits.count_read(client)


async def _counted_stop(gateway: GatewayDep, client: Client) -> None:
    await gateway.limits.count_stop(client)


router = APIRouter(prefix="/api/v1", tags=["monitors"])


@router.post(
    "/monitors",
    status_code=201,
    dependencies=[Depends(_counted_creation)],
    responses=_errors(400, 401, 409, 413, 429, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": f"Up to {MAX_BODY_BYTES} bytes.",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/CreateMonitor"}}
            },
        }
    },
)
async def create_monitor(
    request: Request,
    response: Response,
    gateway: GatewayDep,
    client: Client,
    idempotency: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            description="The same key and body give the same answer again, for a day.",
        ),
    ] = None,
) -> CreatedMonitor:
    """Start to watch a stream."""
    order, body = parse_model(CreateMonitor, await read_body(request))
    created = await gateway.creation.create(order, idempotency_key(idempotency, client, body))
    response.headers["Location"] = f"/api/v1/monitors/{created.monitor_id}"
    return created


@router.get("/monitors", dependencies=[Depends(_counted_read)], responses=_errors(400, 401, 429))
async def list_monitors(
    gateway: GatewayDep,
    status: Annotated[MonitorStatus | None, BeforeValidator(_or_none), Query()] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> MonitorList:
    """List monitors, newest first."""
    return await gateway.service.list_monitors(status=status, limit=limit, offset=offset)


@router.get(
    "/monitors/{monitor_id}",
    dependencies=[Depends(_counted_read)],
    responses=_errors(401, 404, 429),
)
async def show_monitor(gateway: GatewayDep, monitor_id: str) -> MonitorDetails:
    """Show a monitor's condition."""
    return await gateway.service.show(monitor_id)


@router.get(
    "/monitors/{monitor_id}/events",
    dependencies=[Depends(_counted_read)],
    responses=_errors(400, 401, 404, 429),
)
async def list_events(
    gateway: GatewayDep, monitor_id: str, limit: Limit = 50, offset: Offset = 0
) -> EventList:
    """List a monitor's events in their order, each with what became of its webhook."""
    return await gateway.service.list_events(monitor_id, limit=limit, offset=offset)


@router.delete(
    "/monitors/{monitor_id}",
    dependencies=[Depends(_counted_stop)],
    responses=_errors(401, 404, 409, 429, 503),
)
async def stop_monitor(gateway: GatewayDep, monitor_id: str) -> StoppedMonitor:
    """Stop a monitor."""
    return await gateway.service.stop(monitor_id)
