"""Where a stream is watched, and what a monitor knows of its Pod."""

from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, BaseModel

MISSING: Final = "Missing"  # reason of a failure: there is no such Pod


class PlacementKind(StrEnum):
    """Where a stream is watched."""

    POOL = "pool"  # by one of the probe workers, which share a queue

    POD = "pod"  # by a worker in a Pod of its own, which has a queue of its own


def pod_name(monitor_id: str, number: int) -> str:
    """Return the name of a monitor's Pod: with our ids and a million Pods, 63 characters.

    Each Pod has its own name, so that the next one never waits until the last one is gone.
    """
    return f"stream-monitor-{monitor_id}-{number}"


class PodFailure(BaseModel):
    """Why a Pod does not probe."""

    uid: str | None  # None for `MISSING`
    # as Kubernetes names it (`OOMKilled`, `ImagePullBackOff`, `Evicted`, ...), or `MISSING`
    reason: str
    message: str = ""
    exit_code: int | None = None

    @property
    def description(self) -> str:
        exit_code = "" if self.exit_code is None else f", exit code {self.exit_code}"
        message = f": {self.message}" if self.message else ""
        return f"{self.reason}{exit_code}{message}"


class PodStatus(BaseModel):
    """A Pod at one moment."""

    monitor_id: str
    pod_name: str
    uid: str
    phase: str
    created_at: AwareDatetime  # by the cluster's clock
    is_ready: bool = False  # whether its worker takes streams
    # since when its worker has not been ready; None when it is ready or unknown
    unready_since: AwareDatetime | None = None
    deletion_deadline: AwareDatetime | None = None  # when a Pod that is deleted should be gone
    failure: PodFailure | None = None  # None while it probes or may still start
