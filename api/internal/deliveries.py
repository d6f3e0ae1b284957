"""What is signed and where it goes, for the workers that deliver webhooks."""

from typing import Annotated

from fastapi import APIRouter, Depends

from activities.declarations import CallbackAddress, StoredEvent
from api.auth import require_worker
from api.errors import EventNotFound
from api.gateway import Gateway, gateway_of
from monitors.events import StreamEvent

GatewayDep = Annotated[Gateway, Depends(gateway_of)]

router = APIRouter(
    prefix="/internal/v1", dependencies=[Depends(require_worker)], include_in_schema=False
)


@router.get("/monitors/{monitor_id}/callback")
async def callback_address(gateway: GatewayDep, monitor_id: str) -> CallbackAddress:
    """Return where a monitor's webhooks go."""
    monitor = await gateway.service.find(monitor_id)
    return CallbackAddress(callback_url=monitor.callback_url)


@router.get("/monitors/{monitor_id}/events/{event_id}")
async def stored_event(gateway: GatewayDep, monitor_id: str, event_id: str) -> StoredEvent:
    """Return an event as it was reported."""
    monitor = await gateway.service.find(monitor_id)
    event = await gateway.store.events.find(monitor_id, event_id)
    if event is None:
        raise EventNotFound(monitor_id, event_id)
    return StoredEvent(
        callback_url=monitor.callback_url,
        event=StreamEvent.model_validate(event.payload),
        attempts=event.delivery.attempts,
    )
