"""The activities that keep probe Pods, as workflows call them, and what they exchange."""

from typing import Protocol

from pydantic import BaseModel
from temporalio import activity

from monitors.pods import PodStatus

POD_REFUSED = "PodRefused"  # error type: the Kubernetes API has refused a Pod for too long


class PodInput(BaseModel):
    """Input of `ensure_probe_pod` and `inspect_probe_pod`."""

    monitor_id: str
    number: int  # which of the monitor's Pods: they are counted from 1
    patience_sec: float  # what the API refuses for longer is final


class PodDeletion(BaseModel):
    """`uid`: delete only the Pod with this uid; None: whichever has that number."""

    monitor_id: str
    number: int
    uid: str | None = None


class PodResult(BaseModel):
    """Returned by `inspect_probe_pod`; `pod` is None where the monitor has none."""

    pod: PodStatus | None = None


class PodReconciliationReport(BaseModel):
    """Returned by `reconcile_pods`."""

    removed: int = 0  # Pods of monitors that have ended or are unknown
    missing: int = 0  # monitors without a Pod, to which this was reported
    failed: int = 0  # failed Pods that were reported to their monitors again
    lost: int = 0  # Pods of lost nodes, deleted by force


class PodActivities(Protocol):
    """Done by `activities.probe_pods`.

    They raise ApplicationError: `POD_REFUSED`, final; else another attempt may succeed.
    """

    @activity.defn
    async def ensure_probe_pod(self, input: PodInput) -> PodStatus:
        """Make the Pod, or adopt the existing one, even if it has failed."""

    @activity.defn
    async def inspect_probe_pod(self, input: PodInput) -> PodResult:
        """Read the Pod."""

    @activity.defn
    async def delete_probe_pod(self, input: PodDeletion) -> None:
        """Delete the Pod; one that does not exist is fine."""


class PodReconciliationActivities(Protocol):
    """Done by `activities.reconcile_pods`."""

    @activity.defn
    async def reconcile_pods(self) -> PodReconciliationReport:
        """Compare the cluster's Pods with the monitors that run; an incomplete round fails."""


class NoPods(PodReconciliationActivities):
    """For placement `pool`: the workflow that reconciles Pods does not know the placement.

    It is here, since `activities.reconcile_pods` imports the client of Kubernetes: a second of CPU.
    """

    @activity.defn
    async def reconcile_pods(self) -> PodReconciliationReport:
        return PodReconciliationReport()
