"""Keeping a Pod at work for a monitor, beside its watch.

The watch is not disturbed by what becomes of the Pod: it waits in the Pod's queue, with the state
of its last heartbeat, until the worker of the next Pod asks for it.
"""

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    FailureError,
    RetryState,
    is_cancelled_exception,
)
from temporalio.workflow import ActivityConfig

from workflows import options, views
from workflows.failures import StreamUnavailable

with workflow.unsafe.imports_passed_through():
    from activities.declarations import (
        PlacementKind,
        PodActivities,
        PodDeletion,
        PodInput,
        UnavailableDetails,
    )
    from monitors.pods import PodFailure, PodStatus, pod_name
    from workflows.messages import MonitorProgress

POD_FAILURE = "pod_failure"


class PodKeeper:
    """Makes the monitor's Pod, makes it anew when it fails, and deletes it in the end.

    With placement `pool` there is no Pod, and nothing to do.

    Args:
        monitor_id: whose Pod.
        progress: knows the placement; here it is noted what is to be carried.
        tell: says in plain words what is going on.
        at_end: is called when the Pod is kept no more; `raise_if_failed` says why.
    """

    def __init__(
        self,
        monitor_id: str,
        progress: MonitorProgress,
        *,
        tell: Callable[[str], None],
        at_end: Callable[[], None],
    ) -> None:
        self._monitor_id = monitor_id
        self._progress = progress
        self._update_status = tell
        self._at_end = at_end
        self._heard: dict[str | None, PodFailure] = {}
        self._present_uid: str | None = None
        self._ready_uid: str | None = None
        self._is_closed = False
        self._keeping: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to keep a Pod."""
        if self._progress.placement.kind is PlacementKind.POD:
            self._progress.has_pod = True
            self._keeping = asyncio.create_task(self._keep())
            self._keeping.add_done_callback(lambda _: self._is_closed or self._at_end())

    def on_failure(self, trouble: PodFailure) -> None:
        """Take news of a Pod; what is not of the present one means nothing."""
        if self._keeping:
            self._heard[trouble.uid] = trouble

    def on_ready(self, uid: str) -> None:
        """Take news of a Pod whose worker takes the stream."""
        self._ready_uid = uid
        self._tell_of_recovery()

    def reset(self) -> None:
        """Note that the Pod did what it is for."""
        self._progress.pod_failures = 0
        self._progress.pod_failing_since = None
        self._progress.pod_trouble_told = False

    def raise_if_failed(self) -> None:
        """Raise what ended the keeping, if anything did.

        Raises:
            StreamUnavailable: the Pod failed too often, or cannot be made.
        """
        if self._keeping and self._keeping.done() and not self._is_closed:
            self._keeping.result()

    async def close(self) -> None:
        """Leave the Pod as it is."""
        self._is_closed = True
        if self._keeping:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)

    async def remove(self) -> None:
        """Delete the Pod, however long that takes."""
        await self.close()
        if self._progress.has_pod:
            await self._delete(uid=None)

    async def _keep(self) -> None:
        try:
            while not self._is_closed:
                pod = await self._ensure()
                self._present_uid = pod.uid
                if pod.is_ready:
                    self._ready_uid = pod.uid
                self._tell_of_recovery()
                trouble = pod.trouble or await self._until_trouble(pod)
                if trouble:
                    await self._clear_away(trouble)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from error
            raise self._failure(_why(error)) from error

    async def _until_trouble(self, pod: PodStatus) -> PodFailure | None:
        """Return what became of the Pod as soon as it probes no more; None when closed."""
        self._heard = {uid: heard for uid, heard in self._heard.items() if uid == pod.uid}
        while not self._is_closed:
            await workflow.wait_condition(lambda: bool(self._heard.keys() & {pod.uid, None}))
            heard = self._heard.pop(pod.uid, None) or self._heard.pop(None)
            present = await self._inspect()
            if present is None or present.uid != pod.uid:
                return heard
            if present.trouble:
                return present.trouble
        return None

    async def _clear_away(self, trouble: PodFailure) -> None:
        """Delete what failed, and wait a moment before the next one.

        Raises:
            StreamUnavailable: it was the last one.
        """
        progress = self._progress
        self._present_uid = None
        progress.pod_failures += 1
        progress.pod_failing_since = progress.pod_failing_since or workflow.now()
        if self._is_out_of_patience():
            words = f"{progress.pod_failures} Pods failed in a row: {trouble.in_words}"
            raise self._failure(words, trouble)
        self._set_details(f"The Pod failed ({trouble.in_words}): a new one takes over")
        if trouble.uid:
            await self._delete(uid=trouble.uid)
        delay = options.pod_backoff(progress.pod_failures)
        await workflow.sleep(delay, summary="before the next Pod")
        progress.pod_number += 1

    def _is_out_of_patience(self) -> bool:
        placement = self._progress.placement
        failing = workflow.now() - (self._progress.pod_failing_since or workflow.now())
        is_often = self._progress.pod_failures >= placement.pod_max_failures
        return is_often and failing.total_seconds() >= placement.pod_patience_sec

    def _failure(self, message: str, trouble: PodFailure | None = None) -> StreamUnavailable:
        more = {
            "pod_name": pod_name(self._monitor_id, self._progress.pod_number),
            "exit_code": trouble.exit_code if trouble else None,
            "termination_reason": trouble.reason if trouble else None,
        }
        return StreamUnavailable(UnavailableDetails(reason=POD_FAILURE, message=message, more=more))

    def _set_details(self, words: str) -> None:
        self._progress.pod_trouble_told = True
        self._update_status(words)

    def _tell_of_recovery(self) -> None:
        """Say that all is well again, once the present Pod is ready."""
        is_ready = self._ready_uid is not None and self._ready_uid == self._present_uid
        if self._progress.pod_trouble_told and is_ready:
            self._progress.pod_trouble_told = False
            self._update_status(views.watching(self._progress.open_incidents))

    async def _ensure(self) -> PodStatus:
        try:
            return await self._make(options.MAKE_POD)
        except ActivityError as error:
            if error.retry_state is not RetryState.MAXIMUM_ATTEMPTS_REACHED:
                raise
            self._set_details(f"Waiting for a Pod: {_why(error)}")
        pod = await self._make(options.PROBE_POD)
        self._set_details("The Pod was made")
        return pod

    async def _make(self, config: ActivityConfig) -> PodStatus:
        return await workflow.execute_activity_method(
            PodActivities.ensure_probe_pod, self._order(), **config | {"summary": "Makes the Pod"}
        )

    async def _inspect(self) -> PodStatus | None:
        inspected = await workflow.execute_activity_method(
            PodActivities.inspect_probe_pod,
            self._order(),
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

    def _order(self) -> PodInput:
        return PodInput(
            monitor_id=self._monitor_id,
            number=self._progress.pod_number,
            patience_sec=self._progress.placement.pod_patience_sec,
        )


def _why(error: ActivityError) -> str:
    cause = error.cause
    return cause.message if isinstance(cause, FailureError) else str(cause or error)
