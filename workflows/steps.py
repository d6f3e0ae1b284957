"""The activities of telling, as steps of a workflow."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from workflows import options

with workflow.unsafe.imports_passed_through():
    from activities.declarations import (
        DELIVER_WEBHOOK,
        DELIVERY_FAILED,
        GATEWAY_UNAVAILABLE,
        LOAD_EVENTS,
        REDELIVER_WEBHOOK,
        REPORT_EVENT,
        REPORT_STATUS,
        DeliveryAttempts,
        DeliveryInput,
        DeliveryResult,
        EventReportInput,
        LoadInput,
        LoadResult,
        RedeliveryInput,
        StatusReportInput,
    )
    from monitors.events import StreamEvent
    from monitors.reports import EventReport, StatusReport
    from monitors.status import DeliveryStatus


async def deliver(
    event: StreamEvent, *, callback_url: str, callback_seal: str
) -> EventReport | None:
    """Deliver an event's webhook, with all its retries, and return what became of it.

    None: it is still to be delivered; the gateway was away, which is no failure of the receiver.
    """
    try:
        delivered = await workflow.execute_activity(
            DELIVER_WEBHOOK,
            DeliveryInput(callback_url=callback_url, callback_seal=callback_seal, event=event),
            result_type=DeliveryResult,
            summary=f"{event.event_type} (event {event.sequence})",
            **options.DELIVER_WEBHOOK,
        )
    except ActivityError as error:
        if _is_gateway_away(error):
            return None
        return not_delivered(event, _attempts(error))
    return EventReport(
        event=event,
        webhook_status=DeliveryStatus.SENT,
        webhook_attempts=delivered.attempts,
        sent_at=delivered.sent_at,
    )


async def redeliver(order: RedeliveryInput) -> EventReport:
    """Deliver the webhook of an event of the store, with all its retries, however long that takes.

    Raises:
        ActivityError: there is no such event any more.
    """
    while True:
        try:
            return await _redeliver(order, options.DELIVER_WEBHOOK)
        except ActivityError as error:
            if _is_gateway_away(error):
                continue
            given_up = order.model_copy(update={"given_up": str(error.cause or error)})
            return await _redeliver(given_up, options.REPORT)


async def _redeliver(order: RedeliveryInput, how: dict[str, Any]) -> EventReport:
    report: EventReport = await workflow.execute_activity(
        REDELIVER_WEBHOOK,
        order,
        result_type=EventReport,
        summary=f"event {order.event_id}",
        **how,
    )
    return report


def not_delivered(event: StreamEvent, attempts: DeliveryAttempts) -> EventReport:
    """Return what the store is told of an event that nobody took."""
    return EventReport(
        event=event,
        webhook_status=DeliveryStatus.FAILED,
        webhook_attempts=attempts.attempts,
        webhook_last_error=attempts.error,
    )


async def report_status(monitor_id: str, report: StatusReport) -> None:
    """Tell the store a monitor's condition, however long that takes."""
    order = StatusReportInput(monitor_id=monitor_id, report=report)
    await _tell_store(REPORT_STATUS, order, report.status)


async def report_event(report: EventReport) -> None:
    """Tell the store of an event and its delivery, however long that takes."""
    summary = f"{report.event.event_type}: {report.webhook_status}"
    await _tell_store(REPORT_EVENT, EventReportInput(report=report), summary)


async def load_events(monitor_id: str, from_sequence: int) -> list[StreamEvent]:
    """Return the oldest of a monitor's events from `from_sequence` on, as the store has them.

    There are none when the store knows none, or not this monitor.
    """
    try:
        loaded: LoadResult = await workflow.execute_activity(
            LOAD_EVENTS,
            LoadInput(monitor_id=monitor_id, from_sequence=from_sequence),
            result_type=LoadResult,
            summary=f"Events from {from_sequence} on",
            **options.REPORT,
        )
    except ActivityError as error:
        workflow.logger.warning("The store refuses events: %s", error.cause)
        return []
    return loaded.events


async def _tell_store(
    activity: str, order: StatusReportInput | EventReportInput, summary: str
) -> None:
    try:
        await workflow.execute_activity(activity, order, summary=summary, **options.REPORT)
    except ActivityError as error:
        # Only an answer that no retry can change ends here.
        workflow.logger.warning("The store refuses a report: %s", error.cause)


def _is_gateway_away(error: ActivityError) -> bool:
    cause = error.cause
    return isinstance(cause, ApplicationError) and cause.type == GATEWAY_UNAVAILABLE


def _attempts(error: ActivityError) -> DeliveryAttempts:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == DELIVERY_FAILED:
        return DeliveryAttempts.model_validate(cause.details[0])
    return DeliveryAttempts(attempts=1, error=str(cause or error))
