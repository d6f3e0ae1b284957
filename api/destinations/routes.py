"""The routes of destinations, `/api/v1/destinations`."""

from fastapi import APIRouter, Request, Response

from api.body import parse_model, read_body
from api.destinations.schemas import (
    ChangeDestination,
    CreatedDestination,
    CreateDestination,
    DeliveryList,
    Destination,
    DestinationList,
    QueuedTest,
)
from api.destinations.service import Destinations
from api.errors import DestinationNotFound, InvalidUrl
from api.parameters import Limit, Offset, PathId, client_route
from api.request_limits import Counted

router = APIRouter(prefix="/api/v1", tags=["destinations"])


@router.post(
    "/destinations",
    status_code=201,
    **client_route(Counted.CREATIONS, InvalidUrl, body=CreateDestination),
)
async def create_destination(
    request: Request, response: Response, destinations: Destinations
) -> CreatedDestination:
    """Make a destination; the secret of a webhook is shown this once."""
    wanted = parse_model(CreateDestination, await read_body(request))
    created = await destinations.create(wanted)
    response.headers["Location"] = f"/api/v1/destinations/{created.destination_id}"
    response.headers["Cache-Control"] = "no-store"
    return created


@router.get("/destinations", **client_route(Counted.READS, query=("limit", "offset")))
async def list_destinations(
    destinations: Destinations, limit: Limit = 50, offset: Offset = 0
) -> DestinationList:
    """List destinations, newest first."""
    return await destinations.list_all(limit=limit, offset=offset)


@router.get("/destinations/{destination_id}", **client_route(Counted.READS, DestinationNotFound))
async def show_destination(destinations: Destinations, destination_id: PathId) -> Destination:
    """Show a destination."""
    return await destinations.show(destination_id)


@router.patch(
    "/destinations/{destination_id}",
    **client_route(Counted.CHANGES, InvalidUrl, DestinationNotFound, body=ChangeDestination),
)
async def change_destination(
    request: Request, destinations: Destinations, destination_id: PathId
) -> Destination:
    """Change a destination; what waits is tried again at once."""
    wanted = parse_model(ChangeDestination, await read_body(request))
    return await destinations.change(destination_id, wanted)


@router.delete(
    "/destinations/{destination_id}",
    status_code=204,
    **client_route(Counted.STOPS, DestinationNotFound),
)
async def remove_destination(destinations: Destinations, destination_id: PathId) -> Response:
    """Remove a destination with its audit; what waits is not sent, monitors no longer name it."""
    await destinations.remove(destination_id)
    return Response(status_code=204)


@router.post(
    "/destinations/{destination_id}/test",
    status_code=202,
    **client_route(Counted.CHANGES, DestinationNotFound),
)
async def send_test(destinations: Destinations, destination_id: PathId) -> QueuedTest:
    """Send a test notification, before all else that waits."""
    return await destinations.test(destination_id)


@router.get(
    "/destinations/{destination_id}/deliveries",
    **client_route(Counted.READS, DestinationNotFound, query=("limit", "offset")),
)
async def list_deliveries(
    destinations: Destinations, destination_id: PathId, limit: Limit = 50, offset: Offset = 0
) -> DeliveryList:
    """List what the destination was told and is to be told, newest first."""
    return await destinations.deliveries(destination_id, limit=limit, offset=offset)
