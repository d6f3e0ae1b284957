"""A scripted cluster: what the activities of Pods return, and what was asked of them."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.declarations import Placement, WaitResult
from activities.pod_declarations import POD_REFUSED, PodActivities, PodDeletion, PodInput, PodResult
from monitors.pods import PlacementKind, PodFailure, PodStatus, pod_name
from tests.testkit.scripts import Look

MADE_AT = datetime(2026, 1, 2, tzinfo=UTC)
MAX_FAILURES = 3
PLACEMENT = Placement(kind=PlacementKind.POD, pod_max_failures=MAX_FAILURES, pod_patience_sec=0)


def live_for_a_pod(placement: Placement = PLACEMENT) -> Look:
    """It is live, and to be watched in a Pod."""

    async def look() -> WaitResult:
        return WaitResult(title="A stream", placement=placement)

    return look


class ScriptedPods(PodActivities):
    """One monitor's Pods.

    Attributes:
        stillborn: failure that the next Pods have as soon as they are made; then they are fine.
        refusal: why no Pod is ever made, if so.
        used_up: why no Pod is made for now, if so.
        opening: Pods are not made before it is set.
        present: the Pod that exists.
        made: uids in order.
        asked: how often a Pod was asked for.
        deletions: what was asked to be deleted, in order.
        inspections: how often the Pod was looked at.

    Args:
        note: is called when something was asked for.
    """

    def __init__(self, note: Callable[[], None]) -> None:
        self._record = note
        self.stillborn: deque[str] = deque()
        self.refusal: str | None = None
        self.used_up: str | None = None
        self.opening = asyncio.Event()
        self.opening.set()
        self.asked = 0
        self.inspections = 0
        self.present: PodStatus | None = None
        self.made: list[str] = []
        self.deletions: list[PodDeletion] = []

    def failure(self, reason: str, *, uid: str | None = None) -> PodFailure:
        """Return failure of the present Pod, or of another one."""
        uid = uid or (self.present.uid if self.present else None)
        return PodFailure(uid=uid, reason=reason, message="scripted", exit_code=137)

    def break_down(self, reason: str) -> PodFailure:
        """Have the present Pod fail; return its failure, for the monitor to be told."""
        assert self.present
        failure = self.failure(reason)
        self.present = self.present.model_copy(update={"failure": failure, "phase": "Failed"})
        return failure

    @activity.defn
    async def ensure_probe_pod(self, order: PodInput) -> PodStatus:
        self.asked += 1
        self._record()
        await self.opening.wait()
        if self.refusal:
            raise ApplicationError(self.refusal, type=POD_REFUSED, non_retryable=True)
        if self.used_up:
            raise ApplicationError(self.used_up, type="KubernetesUnavailable")
        if self.present is None:
            self.made.append(f"uid-{len(self.made) + 1}")
            self.present = PodStatus(
                monitor_id=order.monitor_id,
                pod_name=pod_name(order.monitor_id, order.number),
                uid=self.made[-1],
                phase="Pending",
                created_at=MADE_AT,
            )
            if self.stillborn:
                self.break_down(self.stillborn.popleft())
        assert self.present
        self._record()
        return self.present

    @activity.defn
    async def inspect_probe_pod(self, order: PodInput) -> PodResult:
        self.inspections += 1
        self._record()
        return PodResult(pod=self.present)

    @activity.defn
    async def delete_probe_pod(self, order: PodDeletion) -> None:
        self.deletions.append(order)
        if self.present and order.uid in (None, self.present.uid):
            self.present = None
        self._record()
