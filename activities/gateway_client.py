"""The gateway's internal API, as workers use it."""

import contextlib
from typing import Literal

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from activities.declarations import (
    CallbackAddress,
    ReconciliationReport,
    RequestHeadersResult,
    SlatesResult,
    StoredEvent,
)
from monitors.measurement import ReferenceSlates
from monitors.reports import (
    EventReport,
    EventReportAnswer,
    StatusReport,
    StatusReportAnswer,
)

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
    """Calls internal endpoints, never through a proxy."""

    def __init__(self, base_url: str, key: SecretStr) -> None:
        self.http = httpx.AsyncClient(
            base_url=base_url,
            headers={"X-Internal-API-Key": key.get_secret_value()},
            timeout=TIMEOUT_SEC,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def report_status(
        self, monitor_id: str, report: StatusReport
    ) -> StatusReportAnswer | None:
        """Report a monitor's condition; return what the gateway wants to see, if it says so.

        Raises:
            ReportRefused: the gateway does not know the monitor or does not understand the report.
            httpx.HTTPError: the gateway did not answer.
        """
        answer = await self._put(f"/internal/v1/monitors/{monitor_id}/status", report)
        with contextlib.suppress(ValidationError):
            return StatusReportAnswer.model_validate_json(answer)
        return None

    async def report_event(self, report: EventReport) -> EventReportAnswer:
        """Report an event and what became of its webhook; raises as `report_status` does."""
        event = report.event
        answer = await self._put(
            f"/internal/v1/monitors/{event.monitor_id}/events/{event.event_id}", report
        )
        with contextlib.suppress(ValidationError):
            return EventReportAnswer.model_validate_json(answer)
        return EventReportAnswer()

    async def callback_url(self, monitor_id: str) -> str:
        """Return where a monitor's webhooks go.

        Raises:
            ReportRefused: the gateway does not know the monitor.
            httpx.HTTPError: the gateway did not answer.
        """
        response = await self.http.get(f"/internal/v1/monitors/{monitor_id}/callback")
        raise_for(response)
        return CallbackAddress.model_validate_json(response.content).callback_url

    async def stored_event(self, monitor_id: str, event_id: str) -> StoredEvent:
        """Return an event as it was reported; raises as `callback_url` does."""
        response = await self.http.get(f"/internal/v1/monitors/{monitor_id}/events/{event_id}")
        raise_for(response)
        return StoredEvent.model_validate_json(response.content)

    async def load_request_headers(self, monitor_id: str) -> dict[str, str]:
        """Return the headers for the requests of a monitor's stream, which are secrets.

        Raises:
            ReportRefused: the gateway does not know the monitor.
            httpx.HTTPError: it did not answer, or cannot read them.
        """
        response = await self.http.get(f"/internal/v1/monitors/{monitor_id}/request-headers")
        raise_for(response)
        return RequestHeadersResult.model_validate_json(response.content).request_headers

    async def load_slates(self) -> ReferenceSlates:
        """Return the pictures that the slate detector looks for.

        Raises:
            httpx.HTTPError: the gateway did not answer.
        """
        response = await self.http.get("/internal/v1/slates")
        raise_for(response)
        return ReferenceSlates.of(SlatesResult.model_validate_json(response.content).pictures)

    async def reconcile(self) -> ReconciliationReport:
        """Have the gateway compare its store with Temporal; return what it repaired.

        Raises:
            httpx.HTTPError: it was not done now.
        """
        response = await self.http.post("/internal/v1/reconcile", timeout=RECONCILE_TIMEOUT_SEC)
        response.raise_for_status()
        return ReconciliationReport.model_validate_json(response.content)

    async def _put(self, path: str, report: BaseModel) -> bytes:
        response = await self.http.put(
            path,
            content=report.model_dump_json(),
            headers={"Content-Type": "application/json"},
        )
        raise_for(response)
        return response.content


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
