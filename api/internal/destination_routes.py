"""The API of the workers about destinations. Every call may come twice, or late."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from activities.destination_declarations import (
    NextInput,
    NextResult,
    NotificationAttempt,
    NotificationOrder,
)
from api.auth import require_worker
from api.body import parse_report, read_body
from api.destinations.dispatch import DestinationDispatch
from api.errors import DestinationNotFound, ValidationFailed
from api.injection import injected

Dispatch = Annotated[DestinationDispatch, injected(DestinationDispatch)]

MAX_ID = 2**53

router = APIRouter(
    prefix="/internal/v1", dependencies=[Depends(require_worker)], include_in_schema=False
)


@router.post("/destinations/{destination_id}/next")
async def next_notification(
    request: Request, dispatch: Dispatch, destination_id: str
) -> NextResult:
    """Keep what became of the last notification, and hand out what is due."""
    input = parse_report(NextInput, await read_body(request))
    if input.destination_id != destination_id:
        raise ValidationFailed("destination_id: is not the one in the path")
    return await dispatch.next(input)


@router.get("/destinations/{destination_id}/deliveries/{delivery_id}")
async def notification(
    dispatch: Dispatch, response: Response, destination_id: str, delivery_id: int
) -> NotificationOrder:
    """Return what to tell, with the secrets of the destination."""
    response.headers["Cache-Control"] = "no-store"
    _check(destination_id, delivery_id)
    return await dispatch.order(destination_id, delivery_id)


@router.put("/destinations/{destination_id}/deliveries/{delivery_id}/attempt", status_code=204)
async def note_attempt(
    request: Request, dispatch: Dispatch, destination_id: str, delivery_id: int
) -> Response:
    """Take that an attempt failed and that others follow."""
    attempt = parse_report(NotificationAttempt, await read_body(request))
    _check(destination_id, delivery_id)
    await dispatch.note_attempt(destination_id, delivery_id, attempt)
    return Response(status_code=204)


def _check(destination_id: str, delivery_id: int) -> None:
    if "\0" in destination_id or not 0 < delivery_id < MAX_ID:
        raise DestinationNotFound(destination_id)
