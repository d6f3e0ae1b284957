"""Reports reach the gateway, and their failures say whether to try again."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import EventReportInput, StatusReportInput
from activities.gateway_client import GatewayClient
from activities.gateway_reports import GatewayReports
from api.errors import ApiError, MonitorNotFound, ValidationFailed
from monitors.events import EventType, StreamEvent
from monitors.reports import EventReport, StatusReport
from monitors.status import DeliveryStatus, MonitorStatus
from tests.activities.scripted_http import Answer, scripted

AT = datetime(2026, 5, 1, tzinfo=UTC)
STATUS = StatusReportInput(
    monitor_id="mon-1", report=StatusReport(status=MonitorStatus.MONITORING, as_of=AT)
)
EVENT = EventReportInput(
    report=EventReport(
        event=StreamEvent(
            event_id="evt-1",
            event_type=EventType.STREAM_STARTED,
            monitor_id="mon-1",
            stream_url="https://example.com/live.m3u8",
            timestamp=AT,
            sequence=1,
            data={"title": None},
        ),
        webhook_status=DeliveryStatus.SENT,
        webhook_attempts=2,
        sent_at=AT,
    )
)
Tell = Callable[[str], Awaitable[None]]


@asynccontextmanager
async def reporting(url: str) -> AsyncIterator[GatewayReports]:
    gateway = GatewayClient(url, SecretStr("internal-key"))
    try:
        yield GatewayReports(gateway)
    finally:
        await gateway.close()


async def tell_status(url: str) -> None:
    async with reporting(url) as reports:
        await ActivityEnvironment().run(reports.report_status, STATUS)


async def tell_event(url: str) -> None:
    async with reporting(url) as reports:
        await ActivityEnvironment().run(reports.report_event, EVENT)


BOTH = pytest.mark.parametrize("tell", [tell_status, tell_event])


@pytest.mark.parametrize(
    ("tell", "path", "body"),
    [
        pytest.param(
            tell_status,
            "/internal/v1/monitors/mon-1/status",
            STATUS.report.model_dump(mode="json"),
            id="status",
        ),
        pytest.param(
            tell_event,
            "/internal/v1/monitors/mon-1/events/evt-1",
            EVENT.report.model_dump(mode="json"),
            id="event",
        ),
    ],
)
async def test_a_report_is_put_where_it_belongs(
    tell: Tell, path: str, body: dict[str, object]
) -> None:
    async with scripted(Answer(204)) as gateway:
        await tell(gateway.url)
    (request,) = gateway.requests
    assert (request.method, request.path) == ("PUT", path)
    assert request.headers["x-internal-api-key"] == "internal-key"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == body


@BOTH
@pytest.mark.parametrize(
    "error", [ValidationFailed("status: is required"), MonitorNotFound("mon-1")]
)
async def test_what_the_gateway_will_never_take_is_not_told_again(
    tell: Tell, error: ApiError
) -> None:
    body = json.dumps(error.body()).encode()
    async with scripted(Answer(error.status, body=body)) as gateway:
        with pytest.raises(ApplicationError, match=error.code) as failure:
            await tell(gateway.url)
    assert (failure.value.type, failure.value.non_retryable) == ("ReportRefused", True)


@BOTH
@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"error": {"code": "NOT_FOUND"}}'])
async def test_what_it_may_take_later_is_told_again(tell: Tell, status: int, body: bytes) -> None:
    async with scripted(Answer(status, body=body)) as gateway:
        with pytest.raises(ApplicationError, match=str(status)) as failure:
            await tell(gateway.url)
    assert (failure.value.type, failure.value.non_retryable) == ("GatewayUnavailable", False)


@BOTH
async def test_a_gateway_that_is_down_is_told_again(tell: Tell) -> None:
    async with scripted() as gateway:
        pass
    with pytest.raises(ApplicationError) as failure:
        await tell(gateway.url)
    assert (failure.value.type, failure.value.non_retryable) == ("GatewayUnavailable", False)
