"""The API of the workers, `/internal/v1`. Every call may come twice, or late."""

from datetime import UTC, datetime
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from activities.declarations import ReconciliationReport, RequestHeadersReturn
from api.auth import require_probe, require_worker
from api.body import MAX_DEPTH, parse_event_report, parse_model, parse_status_report, read_body
from api.engine import EngineUnavailable
from api.errors import EngineNotAvailable, MonitorNotFound, ValidationFailed
from api.gateway import Gateway, gateway_of
from monitors.ids import is_monitor_id
from monitors.reports import EventReport, StatusReport
from monitors.status import MonitorStatus

MAX_COUNT: Final = 2**31 - 1
MAX_EVENT_ID_LENGTH: Final = 200
MAX_EVENT_DEPTH: Final = MAX_DEPTH + 1  # metadata lies one level deeper than at its creation

GatewayDep = Annotated[Gateway, Depends(gateway_of)]
_log = structlog.get_logger(__name__)


class StatusReceived(StatusReport):
    """A report that need not say when it was so; it is of now then."""

    as_of: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))


class Termination(BaseModel):
    """Why a worker wants a monitor to end."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=500)


class Terminated(BaseModel):
    """How a monitor stands after it was asked to end."""

    monitor_id: str
    status: MonitorStatus


router = APIRouter(
    prefix="/internal/v1", dependencies=[Depends(require_worker)], include_in_schema=False
)
probe_router = APIRouter(prefix="/internal/v1", include_in_schema=False)


@probe_router.put("/monitors/{monitor_id}/status", status_code=204)
async def report_status(
    request: Request,
    gateway: GatewayDep,
    monitor_id: str,
    is_probe: Annotated[bool, Depends(require_probe)],
) -> Response:
    """Take a monitor's condition; see `api.store.records.with_report` for what wins."""
    report = parse_status_report(StatusReceived, await read_body(request))
    if is_probe and not report.status.is_active:
        raise ValidationFailed("status: a probe cannot tell that a monitor has ended")
    _check_moment("as_of", report.as_of)
    status = await _apply(gateway, monitor_id, report)
    if report.status.is_active and status is MonitorStatus.STOPPED:
        await _stop_for_good(gateway, monitor_id)
    return Response(status_code=204)


@router.put("/monitors/{monitor_id}/events/{event_id}", status_code=204)
async def report_event(
    request: Request, gateway: GatewayDep, monitor_id: str, event_id: str
) -> Response:
    """Take an event, or what became of its webhook since."""
    report = parse_event_report(EventReport, await read_body(request), MAX_EVENT_DEPTH)
    _check_event(report, monitor_id, event_id)
    known = is_monitor_id(monitor_id) and await gateway.store.events.record(
        monitor_id, report, datetime.now(UTC)
    )
    if not known:
        raise MonitorNotFound(monitor_id)
    gateway.metrics.event_reported(report)
    return Response(status_code=204)


@probe_router.get("/monitors/{monitor_id}/request-headers", dependencies=[Depends(require_probe)])
async def request_headers(
    gateway: GatewayDep, response: Response, monitor_id: str
) -> RequestHeadersReturn:
    """Return the headers for a stream's requests in plain text, to workers and probes alone."""
    response.headers["Cache-Control"] = "no-store"
    record = await gateway.service.find(monitor_id)
    return RequestHeadersReturn(request_headers=gateway.headers.opened(record))


@router.post("/monitors/{monitor_id}/terminate")
async def terminate(request: Request, gateway: GatewayDep, monitor_id: str) -> Terminated:
    """End a monitor from inside; one that has ended stays as it is."""
    termination, _ = parse_model(Termination, await read_body(request))
    record = await gateway.service.end(monitor_id, reason=termination.reason)
    return Terminated(monitor_id=monitor_id, status=record.status)


@router.post("/reconcile")
async def reconcile(gateway: GatewayDep) -> ReconciliationReport:
    """Compare the store with Temporal, mend the differences, forget what is old."""
    try:
        return await gateway.reconciler.round()
    except EngineUnavailable as error:
        raise EngineNotAvailable(f"Temporal: {error}") from None


async def _apply(gateway: Gateway, monitor_id: str, report: StatusReport) -> MonitorStatus:
    if is_monitor_id(monitor_id):
        status = await gateway.store.monitors.apply_report(monitor_id, report, datetime.now(UTC))
        if status:
            return status
    raise MonitorNotFound(monitor_id)


async def _stop_for_good(gateway: Gateway, monitor_id: str) -> None:
    """Cancel a workflow that still works for a stopped monitor.

    Mostly it is on its way out. But a start whose outcome nobody knew may have come through after
    the monitor was stopped, and then only its reports tell of it.
    """
    try:
        await gateway.service.cancel_workflow(monitor_id)
    except EngineNotAvailable:
        _log.warning("stopped monitor runs", monitor_id=monitor_id)


def _check_event(report: EventReport, monitor_id: str, event_id: str) -> None:
    if report.event.monitor_id != monitor_id:
        raise ValidationFailed("event.monitor_id: is not the one in the path")
    if report.event.event_id != event_id:
        raise ValidationFailed("event.event_id: is not the one in the path")
    if len(event_id) > MAX_EVENT_ID_LENGTH:
        raise ValidationFailed(f"event.event_id: is longer than {MAX_EVENT_ID_LENGTH} characters")
    if not 0 < report.event.sequence <= MAX_COUNT:
        raise ValidationFailed(f"event.sequence: must be 1 to {MAX_COUNT}")
    if not 0 <= report.webhook_attempts <= MAX_COUNT:
        raise ValidationFailed(f"webhook_attempts: must be 0 to {MAX_COUNT}")
    if report.sent_at:
        _check_moment("sent_at", report.sent_at)


def _check_moment(field: str, moment: datetime) -> None:
    """Refuse the first and last hours of the calendar, which its beginning in UTC does not have."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValidationFailed(f"{field}: is outside of the calendar in UTC") from None
