"""What ends an activity, a task or a whole monitor before its time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    TimeoutError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.declarations import STREAM_UNAVAILABLE, UnavailableDetails


class MonitorFailed(Exception):
    """The monitor cannot continue: its stream, an activity or its Pods failed for good."""

    def __init__(self, details: UnavailableDetails) -> None:
        super().__init__(details.message)
        self.details = details


def monitor_failed(error: ActivityError) -> BaseException:
    cause = error.cause
    if is_cancelled_exception(error):
        return asyncio.CancelledError()
    if isinstance(cause, ApplicationError) and cause.type == STREAM_UNAVAILABLE and cause.details:
        return MonitorFailed(UnavailableDetails.model_validate(cause.details[0]))
    details = UnavailableDetails(reason="internal_error", message=str(cause or error))
    return MonitorFailed(details)


def heartbeat_details(error: ActivityError) -> dict[str, Any] | None:
    """Return the last heartbeat of an activity whose worker was lost, if there was any."""
    cause = error.cause
    details = cause.last_heartbeat_details if isinstance(cause, TimeoutError) else []
    return next((each for each in details if isinstance(each, dict)), None)


def is_cancelled() -> bool:
    """Return whether this task itself is cancelled, not what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def uncancelled(work: Coroutine[Any, Any, None]) -> None:
    """Finish `work` even when the workflow is cancelled meanwhile."""
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue
    task.result()
