"""The Pod that probes one monitor's stream, as far as the monitor must know of it."""

from typing import Final

from pydantic import AwareDatetime, BaseModel

MISSING: Final = "Missing"
"""Reason of trouble: there is no such Pod."""


def pod_name(monitor_id: str, number: int) -> str:
    """Return the name of a monitor's Pod; with our ids and a million Pods it has 63 characters.

    Each Pod has a name of its own, so that the next one never waits for the last one to leave.
    """
    return f"stream-monitor-{monitor_id}-{number}"


class PodFailure(BaseModel):
    """Why a Pod does not probe.

    Attributes:
        uid: of the Pod; None when there is none of its name.
        reason: as Kubernetes calls it: `OOMKilled`, `Error`, `ImagePullBackOff`, `Unschedulable`,
            `Evicted`...; `MISSING`.
        message: what else Kubernetes says; may be empty.
        exit_code: of the worker, when it has ended.
    """

    uid: str | None
    reason: str
    message: str = ""
    exit_code: int | None = None

    @property
    def in_words(self) -> str:
        """What is wrong, for people."""
        words = self.reason
        if self.exit_code is not None:
            words += f", exit code {self.exit_code}"
        return f"{words}: {self.message}" if self.message else words


class PodStatus(BaseModel):
    """A Pod as it was seen.

    Attributes:
        monitor_id: from its label.
        created_at: by the cluster's clock.
        is_ready: whether its worker takes streams.
        unready_since: from when on its worker should be ready and is not; None when it is, or when
            nothing says.
        deletion_deadline: when it should be gone, once it is to go.
        trouble: None while it probes, or may come up yet.
    """

    monitor_id: str
    pod_name: str
    uid: str
    phase: str
    created_at: AwareDatetime
    is_ready: bool = False
    unready_since: AwareDatetime | None = None
    deletion_deadline: AwareDatetime | None = None
    trouble: PodFailure | None = None
