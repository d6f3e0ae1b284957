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
from api.auth import require_probe, require_worker
from api.body import check_values, parse_model, parse_report, read_body
from api.errors import EngineNotAvailable, ValidationFailed
from api.events.service import Events
from api.injection import injected
from api.internal.worker_reports import StatusReceived, WorkerReports
from api.latest_pictures.service import Pictures
from api.monitor_engine import EngineUnavailable
from api.monitors.secret_headers import SecretHeaders
from api.monitors.service import Monitors
from api.reconciler import Reconciler
from api.slates.service import Slates
from api.store.monitor_records import MonitorRecord
from monitors.events import StreamEvent
from monitors.reports import EventReport, EventReportAnswer, StatusReportAnswer
from monitors.status import MonitorStatus

Reports = Annotated[WorkerReports, injected(WorkerReports)]
Headers = Annotated[SecretHeaders, injected(SecretHeaders)]


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
    """Take a monitor's condition; `api.store.monitor_records.with_report` says which report counts."""
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
        return await reconciler.round()
    except EngineUnavailable as error:
        raise EngineNotAvailable(f"Temporal: {error}") from None
