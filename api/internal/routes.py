"""The API of the workers, `/internal/v1`. Every call may come twice, or late."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from activities.declarations import (
    CallbackAddress,
    ReconciliationReport,
    RequestHeadersResult,
    SlatesResult,
    StoredEvent,
)
from activities.destination_declarations import (
    NextInput,
    NextResult,
    NotificationAttempt,
    NotificationOrder,
)
from api.auth import require_probe, require_worker
from api.body import check_values, parse_model, parse_report, read_body
from api.destinations.dispatch import DestinationDispatch
from api.errors import DestinationNotFound, EngineNotAvailable, ValidationFailed
from api.events.service import Events
from api.evidence.latest_pictures import Pictures
from api.injection import injected
from api.internal.worker_reports import StatusReceived, WorkerReports
from api.monitor_engine import EngineUnavailable
from api.monitors.service import Monitors
from api.reconciler import Reconciler
from api.secrets import SecretHeaders
from api.slates.service import Slates
from api.store.monitor_records import MonitorRecord
from monitors.events import StreamEvent
from monitors.reports import EventReport, EventReportAnswer, StatusReportAnswer
from monitors.status import MonitorStatus

Reports = Annotated[WorkerReports, injected(WorkerReports)]
Headers = Annotated[SecretHeaders, injected(SecretHeaders)]
Dispatch = Annotated[DestinationDispatch, injected(DestinationDispatch)]

MAX_DELIVERY_ID = 2**53


class Termination(BaseModel):
    """Why a worker wants a monitor to end."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


class Terminated(BaseModel):
    """The status of a monitor that was asked to end."""

    monitor_id: str
    status: MonitorStatus


router = APIRouter(
    prefix="/internal/v1", dependencies=[Depends(require_worker)], include_in_schema=False
)
probe_router = APIRouter(prefix="/internal/v1", include_in_schema=False)


@probe_router.put("/monitors/{monitor_id}/status")
async def report_status(
    request: Request,
    reports: Reports,
    pictures: Pictures,
    monitor_id: str,
    is_probe: Annotated[bool, Depends(require_probe)],
) -> StatusReportAnswer:
    """Take a monitor's condition; `with_report` says which report counts."""
    report = parse_report(StatusReceived, await read_body(request))
    if is_probe and not report.status.is_active:
        raise ValidationFailed("status: a probe cannot report that a monitor has ended")
    await reports.apply_status(monitor_id, report)
    return StatusReportAnswer(picture_interval_sec=await pictures.interval_sec(monitor_id))


@probe_router.get("/monitors/{monitor_id}/request-headers", dependencies=[Depends(require_probe)])
async def request_headers(
    monitors: Monitors, headers: Headers, response: Response, monitor_id: str
) -> RequestHeadersResult:
    """Return the headers for a stream's requests in plain text, to workers and probes alone."""
    response.headers["Cache-Control"] = "no-store"
    record = await monitors.find(monitor_id)
    return RequestHeadersResult(request_headers=headers.opened(record))


@probe_router.get("/slates", dependencies=[Depends(require_probe)])
async def slates(slates: Slates) -> SlatesResult:
    """Return the pictures that watches look for."""
    return SlatesResult(pictures=await slates.pictures())


@router.put("/monitors/{monitor_id}/events/{event_id}")
async def report_event(
    request: Request, reports: Reports, monitor_id: str, event_id: str
) -> EventReportAnswer:
    """Take an event, or the outcome of its webhook."""
    report = parse_report(EventReport, await read_body(request))
    check_values("event.data", report.event.data)
    check_values("event.metadata", report.event.metadata)
    return await reports.record_event(monitor_id, event_id, report)


@router.get("/monitors/{monitor_id}/events/{event_id}")
async def stored_event(events: Events, monitor_id: str, event_id: str) -> StoredEvent:
    """Return an event as it was reported, and where its webhook goes."""
    monitor, event = await events.find(monitor_id, event_id)
    return StoredEvent(
        callback_url=_callback_url(monitor),
        event=StreamEvent.model_validate(event.payload),
        attempts=event.delivery.webhook_attempts,
    )


@router.get("/monitors/{monitor_id}/callback")
async def callback_address(monitors: Monitors, monitor_id: str) -> CallbackAddress:
    """Return where a monitor's webhooks go."""
    monitor = await monitors.find(monitor_id)
    return CallbackAddress(callback_url=_callback_url(monitor))


def _callback_url(monitor: MonitorRecord) -> str:
    if monitor.callback_url is None:
        raise ValidationFailed("callback_url: the monitor has none")
    return monitor.callback_url


@router.post("/monitors/{monitor_id}/terminate")
async def terminate(request: Request, monitors: Monitors, monitor_id: str) -> Terminated:
    """End a monitor from inside; one that has ended stays as it is."""
    termination = parse_model(Termination, await read_body(request))
    record = await monitors.end(monitor_id, reason=termination.reason)
    return Terminated(monitor_id=monitor_id, status=record.status)


@router.post("/reconcile")
async def reconcile(
    reconciler: Annotated[Reconciler, injected(Reconciler)],
) -> ReconciliationReport:
    """Compare the store with Temporal, repair the differences, remove what is too old."""
    try:
        return await reconciler.run_round()
    except EngineUnavailable as error:
        raise EngineNotAvailable(f"Temporal: {error}") from None


@router.post("/destinations/{destination_id}/next")
async def next_notification(
    request: Request, dispatch: Dispatch, destination_id: str
) -> NextResult:
    """Keep what became of the last notification, and hand out what is due."""
    input = parse_report(NextInput, await read_body(request))
    if input.destination_id != destination_id:
        raise ValidationFailed("destination_id: is not the one in the path")
    return await dispatch.settle_and_pick(input)


@router.get("/destinations/{destination_id}/deliveries/{delivery_id}")
async def notification(
    dispatch: Dispatch, response: Response, destination_id: str, delivery_id: int
) -> NotificationOrder:
    """Return what to tell, with the secrets of the destination."""
    response.headers["Cache-Control"] = "no-store"
    _check_ids(destination_id, delivery_id)
    return await dispatch.notification_order(destination_id, delivery_id)


@router.put("/destinations/{destination_id}/deliveries/{delivery_id}/attempt", status_code=204)
async def note_attempt(
    request: Request, dispatch: Dispatch, destination_id: str, delivery_id: int
) -> Response:
    """Take that an attempt failed and that others follow."""
    attempt = parse_report(NotificationAttempt, await read_body(request))
    _check_ids(destination_id, delivery_id)
    await dispatch.note_attempt(destination_id, delivery_id, attempt)
    return Response(status_code=204)


def _check_ids(destination_id: str, delivery_id: int) -> None:
    if "\0" in destination_id or not 0 < delivery_id < MAX_DELIVERY_ID:
        raise DestinationNotFound(destination_id)
