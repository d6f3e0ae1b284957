"""The routes of events, `/api/v1/monitors/{monitor_id}/events`."""

from fastapi import APIRouter

from api.errors import EngineNotAvailable, EventNotFound, MonitorNotFound
from api.events.service import EventList, Events, Redelivery
from api.parameters import Limit, Offset, PathId, client_route
from api.request_limits import Counted

router = APIRouter(prefix="/api/v1", tags=["monitors"])


@router.get(
    "/monitors/{monitor_id}/events",
    **client_route(Counted.READS, MonitorNotFound, query=("limit", "offset")),
)
async def list_events(
    events: Events, monitor_id: PathId, limit: Limit = 50, offset: Offset = 0
) -> EventList:
    """List a monitor's events in their order, each with what became of its webhook."""
    return await events.list_events(monitor_id, limit=limit, offset=offset)


@router.post(
    "/monitors/{monitor_id}/events/{event_id}/redeliver",
    status_code=202,
    **client_route(Counted.REDELIVERIES, MonitorNotFound, EventNotFound, EngineNotAvailable),
)
async def redeliver_event(events: Events, monitor_id: PathId, event_id: PathId) -> Redelivery:
    """Send an event once more, with the same id, also when its monitor has ended.

    It is sent beside the monitor's other events, not in their order.
    """
    return await events.redeliver(monitor_id, event_id)
