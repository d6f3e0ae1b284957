"""Keeps a Pod at work for a monitor, beside its watch.

The watch knows nothing of Pods: it waits in their queue, with the state of its last heartbeat,
until the worker of the next Pod polls it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, RetryState, is_cancelled_exception
from temporalio.workflow import ActivityConfig

from workflows import options, views
from workflows.failures import MonitorFailed
from workflows.views import StatusBoard

with workflow.unsafe.imports_passed_through():
    from activities.declarations import UnavailableDetails
    from activities.pod_declarations import PodActivities, PodDeletion, PodInput
    from monitors.pods import PlacementKind, PodFailure, PodStatus, pod_name
    from workflows.messages import MonitorProgress

POD_FAILURE = "pod_failure"


class PodKeeper:
    """Makes the monitor's Pod, replaces it when it fails, and deletes it at the end.

    With placement `pool` there is no Pod. `on_end` is called when no further Pod is made;
    `raise_if_failed` says why.
    """

    def __init__(
        self,
        monitor_id: str,
        progress: MonitorProgress,
        board: StatusBoard,
        *,
        on_end: Callable[[], None],
    ) -> None:
        self._monitor_id = monitor_id
        self._progress = progress
        self._board = board
        self._on_end = on_end
        self._reported: dict[str | None, PodFailure] = {}
        self._current_uid: str | None = None
        self._ready_uid: str | None = None
        self._is_stopped = False
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._progress.placement.kind is PlacementKind.POD:
            self._progress.has_pod = True
            self._keeping = asyncio.create_task(self._keep())
            self._keeping.add_done_callback(lambda _: self._is_stopped or self._on_end())

    def on_failure(self, failure: PodFailure) -> None:
        """Take a report of a Pod that failed; one of an earlier Pod has no effect."""
        if self._keeping:
            self._reported[failure.uid] = failure

    def on_ready(self, uid: str) -> None:
        self._ready_uid = uid
        self._show_recovery()

    def reset(self) -> None:
        """Start the count of failures again: the Pod did its work."""
        self._progress.pod_failures = 0
        self._progress.pod_failing_since = None
        self._progress.shows_pod_failure = False

    def raise_if_failed(self) -> None:
        """Raise what ended the keeping, if anything did: a `MonitorFailed`."""
        if self._keeping and self._keeping.done() and not self._is_stopped:
            self._keeping.result()

    async def stop(self) -> None:
        """Leave the Pod as it is."""
        self._is_stopped = True
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def remove(self) -> None:
        """Delete the Pod, however long that takes."""
        await self.stop()
        if self._progress.has_pod:
            await self._delete(uid=None)

    async def _keep(self) -> None:
        try:
            while not self._is_stopped:
                pod = await self._ensure_patiently()
                self._current_uid = pod.uid
                if pod.is_ready:
                    self._ready_uid = pod.uid
                self._show_recovery()
                if failure := pod.failure or await self._wait_for_failure(pod):
                    await self._prepare_next(failure)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise self._failed(_message(error)) from error

    async def _wait_for_failure(self, pod: PodStatus) -> PodFailure | None:
        self._reported = {uid: each for uid, each in self._reported.items() if uid == pod.uid}
        while not self._is_stopped:
            await workflow.wait_condition(lambda: bool(self._reported.keys() & {pod.uid, None}))
            reported = self._reported.pop(pod.uid, None) or self._reported.pop(None)
            seen = await self._inspect()
            if seen is None or seen.uid != pod.uid:
                return reported
            if seen.failure:
                return seen.failure
        return None

    async def _prepare_next(self, failure: PodFailure) -> None:
        """Delete the failed Pod and back off, unless too many failed."""
        progress = self._progress
        self._current_uid = None
        progress.pod_failures += 1
        progress.pod_failing_since = progress.pod_failing_since or workflow.now()
        if self._is_out_of_patience(progress.pod_failing_since):
            message = f"{progress.pod_failures} Pods failed in a row: {failure.description}"
            raise self._failed(message, failure)
        self._show(f"The Pod failed ({failure.description}): a new one takes over")
        if failure.uid:
            await self._delete(uid=failure.uid)
        delay = options.pod_backoff(progress.pod_failures)
        await workflow.sleep(delay, summary="before the next Pod")
        progress.pod_number += 1

    def _is_out_of_patience(self, since: datetime) -> bool:
        placement = self._progress.placement
        failing_sec = (workflow.now() - since).total_seconds()
        has_retries = self._progress.pod_failures < placement.pod_max_failures
        return not has_retries and failing_sec >= placement.pod_patience_sec

    def _failed(self, message: str, failure: PodFailure | None = None) -> MonitorFailed:
        more = {
            "pod_name": pod_name(self._monitor_id, self._progress.pod_number),
            "exit_code": failure.exit_code if failure else None,
            "termination_reason": failure.reason if failure else None,
        }
        return MonitorFailed(UnavailableDetails(reason=POD_FAILURE, message=message, more=more))

    def _show(self, status: str) -> None:
        self._progress.shows_pod_failure = True
        self._board.set_details(status)

    def _show_recovery(self) -> None:
        is_ready = self._ready_uid is not None and self._ready_uid == self._current_uid
        if self._progress.shows_pod_failure and is_ready:
            self._progress.shows_pod_failure = False
            self._board.set_details(views.watching(self._progress.open_incidents))

    async def _ensure_patiently(self) -> PodStatus:
        try:
            return await self._ensure_with(options.MAKE_POD)
        except ActivityError as error:
            if error.retry_state is not RetryState.MAXIMUM_ATTEMPTS_REACHED:
                raise
            self._show(f"Waiting for a Pod: {_message(error)}")
        pod = await self._ensure_with(options.PROBE_POD)
        self._show("The Pod was made")
        return pod

    async def _ensure_with(self, config: ActivityConfig) -> PodStatus:
        return await workflow.execute_activity_method(
            PodActivities.ensure_probe_pod, self._input(), **config | {"summary": "Makes the Pod"}
        )

    async def _inspect(self) -> PodStatus | None:
        inspected = await workflow.execute_activity_method(
            PodActivities.inspect_probe_pod,
            self._input(),
            **options.PROBE_POD | {"summary": "Looks at the Pod"},
        )
        return inspected.pod

    async def _delete(self, *, uid: str | None) -> None:
        number = self._progress.pod_number
        await workflow.execute_activity_method(
            PodActivities.delete_probe_pod,
            PodDeletion(monitor_id=self._monitor_id, number=number, uid=uid),
            **options.PROBE_POD | {"summary": "Deletes the Pod"},
        )

    def _input(self) -> PodInput:
        return PodInput(
            monitor_id=self._monitor_id,
            number=self._progress.pod_number,
            patience_sec=self._progress.placement.pod_patience_sec,
        )


def _message(error: ActivityError) -> str:
    cause = error.cause
    return cause.message if isinstance(cause, FailureError) else str(cause or error)
