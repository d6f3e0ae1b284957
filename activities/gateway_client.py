"""The gateway's internal API, as workers use it."""

import contextlib
from typing import Literal, TypeVar

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

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
from monitors.measurement import ReferenceSlates
from monitors.reports import EventReport, EventReportAnswer, StatusReport, StatusReportAnswer

ModelT = TypeVar("ModelT", bound=BaseModel)

TIMEOUT_SEC = 5.0
RECONCILE_TIMEOUT_SEC = 60.0


class _Refusal(BaseModel):
    """Why the gateway will never take something; see `api.errors`."""

    code: Literal[
        "MONITOR_NOT_FOUND",
        "EVENT_NOT_FOUND",
        "DESTINATION_NOT_FOUND",
        "VALIDATION_ERROR",
        "INVALID_URL",
        "INVALID_CONFIG",
    ]
    message: str


class _RefusalBody(BaseModel):
    error: _Refusal


class ReportRefused(Exception):
    """The gateway will never take this report; the message says why."""


class GatewayClient:
    """Calls internal endpoints, never through a proxy.

    Every call raises `ReportRefused` when the gateway will never take it (it does not know the
    monitor, or does not understand the report), and `httpx.HTTPError` when it does not answer.
    """

    def __init__(self, base_url: str, key: SecretStr) -> None:
        self.http = httpx.AsyncClient(
            base_url=base_url,
            headers={"X-Internal-API-Key": key.get_secret_value()},
            timeout=TIMEOUT_SEC,
            trust_env=False,
        )

    async def close(self) -> None:
        await self.http.aclose()

    async def report_status(
        self, monitor_id: str, report: StatusReport
    ) -> StatusReportAnswer | None:
        """Report a monitor's condition; return what the gateway wants to see, if it says so."""
        response = await self._send("PUT", f"{monitor_path(monitor_id)}/status", report)
        with contextlib.suppress(ValidationError):
            return StatusReportAnswer.model_validate_json(response.content)
        return None

    async def report_event(self, report: EventReport) -> EventReportAnswer:
        event = report.event
        path = f"{monitor_path(event.monitor_id)}/events/{event.event_id}"
        response = await self._send("PUT", path, report)
        with contextlib.suppress(ValidationError):
            return EventReportAnswer.model_validate_json(response.content)
        return EventReportAnswer()

    async def callback_url(self, monitor_id: str) -> str:
        found = await self._get(CallbackAddress, f"{monitor_path(monitor_id)}/callback")
        return found.callback_url

    async def stored_event(self, monitor_id: str, event_id: str) -> StoredEvent:
        return await self._get(StoredEvent, f"{monitor_path(monitor_id)}/events/{event_id}")

    async def load_request_headers(self, monitor_id: str) -> dict[str, str]:
        """Return the headers for the requests of a monitor's stream, which are secrets."""
        found = await self._get(RequestHeadersResult, f"{monitor_path(monitor_id)}/request-headers")
        return found.request_headers

    async def load_slates(self) -> ReferenceSlates:
        found = await self._get(SlatesResult, "/internal/v1/slates")
        return ReferenceSlates.of(found.pictures)

    async def reconcile(self) -> ReconciliationReport:
        response = await self.http.post("/internal/v1/reconcile", timeout=RECONCILE_TIMEOUT_SEC)
        response.raise_for_status()
        return ReconciliationReport.model_validate_json(response.content)

    async def next_notification(self, input: NextInput) -> NextResult:
        """Say what became of the last notification, and return what is due."""
        path = f"/internal/v1/destinations/{input.destination_id}/next"
        response = await self._send("POST", path, input)
        return NextResult.model_validate_json(response.content)

    async def notification_order(self, destination_id: str, delivery_id: int) -> NotificationOrder:
        """Return what to tell, with the secrets of the destination."""
        return await self._get(NotificationOrder, _delivery(destination_id, delivery_id))

    async def note_attempt(
        self, destination_id: str, delivery_id: int, attempt: NotificationAttempt
    ) -> None:
        await self._send("PUT", f"{_delivery(destination_id, delivery_id)}/attempt", attempt)

    async def _get(self, kind: type[ModelT], path: str) -> ModelT:
        response = await self.http.get(path)
        raise_for(response)
        return kind.model_validate_json(response.content)

    async def _send(self, method: str, path: str, body: BaseModel) -> httpx.Response:
        response = await self.http.request(
            method,
            path,
            content=body.model_dump_json(),
            headers={"Content-Type": "application/json"},
        )
        raise_for(response)
        return response


def monitor_path(monitor_id: str) -> str:
    return f"/internal/v1/monitors/{monitor_id}"


def _delivery(destination_id: str, delivery_id: int) -> str:
    return f"/internal/v1/destinations/{destination_id}/deliveries/{delivery_id}"


def raise_for(response: httpx.Response) -> None:
    """Raise what the answer means.

    Only the gateway's own word is final: a 404 of a proxy before it, which has lost its backend or
    its routes, says nothing of a monitor.
    """
    if response.is_client_error:
        with contextlib.suppress(ValidationError):
            refusal = _RefusalBody.model_validate_json(response.content).error
            raise ReportRefused(f"the gateway refuses it ({refusal.code}): {refusal.message}")
    response.raise_for_status()
