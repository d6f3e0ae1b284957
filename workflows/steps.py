"""The activities that send events and reports, as steps of a workflow."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import options

with workflow.unsafe.imports_passed_through():
    from activities.declarations import (
        DELIVERY_FAILED,
        GATEWAY_UNAVAILABLE,
        DeliveryActivities,
        DeliveryAttempts,
        DeliveryInput,
        EventReportInput,
        GatewayActivities,
        StatusReportInput,
    )
    from monitors.reports import EventReport, StatusReport


@dataclass(frozen=True)
class Delivered:
    """What became of a webhook, and whether the store knows that."""

    report: EventReport
    is_reported: bool = False
    silenced_until: datetime | None = None


async def deliver(input: DeliveryInput) -> Delivered | None:
    """Deliver an event's webhook, with all its retries, and return what became of it.

    None: it is still to be delivered; the gateway was away, which is no failure of the receiver.
    """
    event = input.event
    try:
        result = await workflow.execute_activity_method(
            DeliveryActivities.deliver_webhook,
            input,
            **options.DELIVER_WEBHOOK | {"summary": f"{event.event_type} (event {event.sequence})"},
        )
    except ActivityError as error:
        if is_gateway_away(error):
            return None
        failed = _attempts(error)
        report = EventReport.of_failed(event, failed.attempts, failed.error)
        return Delivered(report, failed.is_reported)
    if result.sent_at is None:
        report = EventReport.of_silenced(event)
    else:
        report = EventReport.of_sent(event, result.attempts, result.sent_at)
    return Delivered(report, result.is_reported, result.silenced_until)


async def report_status(monitor_id: str, report: StatusReport) -> None:
    with _logging_refusals():
        await workflow.execute_activity_method(
            GatewayActivities.report_status,
            StatusReportInput(monitor_id=monitor_id, report=report),
            **options.REPORT | {"summary": report.status},
        )


async def report_event(report: EventReport) -> None:
    with _logging_refusals():
        await workflow.execute_activity_method(
            GatewayActivities.report_event,
            EventReportInput(report=report),
            **options.REPORT | {"summary": f"{report.event.event_type}: {report.webhook_status}"},
        )


@contextmanager
def _logging_refusals() -> Iterator[None]:
    """Only an answer of the gateway that no retry can change ends a report."""
    try:
        yield
    except ActivityError as error:
        workflow.logger.warning("The store refuses a report: %s", error.cause)


def is_gateway_away(error: ActivityError) -> bool:
    cause = error.cause
    return isinstance(cause, ApplicationError) and cause.type == GATEWAY_UNAVAILABLE


def _attempts(error: ActivityError) -> DeliveryAttempts:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == DELIVERY_FAILED:
        return DeliveryAttempts.model_validate(cause.details[0])
    return DeliveryAttempts(attempts=1, error=str(cause or error))
