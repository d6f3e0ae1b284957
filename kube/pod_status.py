"""Reads the status and the failure of a Pod from its object. Pure.

Sources: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ and the reasons that the
kubelet and the scheduler give.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from kubernetes.aio.client import (
    V1ContainerState,
    V1ContainerStateTerminated,
    V1ObjectMeta,
    V1Pod,
    V1PodCondition,
    V1PodStatus,
)

from kube.pod_manifest import MONITOR_LABEL
from monitors.pods import PodFailure, PodStatus

STUCK: frozenset[str] = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
"""Reasons of a waiting container that will not start."""

ENDED_PHASES = ("Failed", "Succeeded")

# Reasons of a failure that Kubernetes has no name for.
DELETED = "Deleted"
NOT_STARTED = "StartTimeout"
NOT_READY = "NotReady"


def read_pod(pod: V1Pod, *, now: datetime, start_timeout: timedelta) -> PodStatus:
    meta = _meta(pod)
    return PodStatus(
        monitor_id=(meta.labels or {}).get(MONITOR_LABEL, ""),
        pod_name=meta.name or "",
        uid=meta.uid or "",
        phase=_status(pod).phase or "Pending",
        created_at=meta.creation_timestamp or now,
        is_ready=_condition(_status(pod), "Ready", "True") is not None,
        unready_since=_unready_since(pod, now),
        deletion_deadline=meta.deletion_timestamp,
        failure=_failure(pod, now=now, start_timeout=start_timeout),
    )


def _failure(pod: V1Pod, *, now: datetime, start_timeout: timedelta) -> PodFailure | None:
    status = _status(pod)
    ended = next((state.terminated for state in _states(status) if state.terminated), None)
    if ended or status.phase in ENDED_PHASES or _meta(pod).deletion_timestamp:
        return _end(pod, ended)
    for state in _states(status):
        if (waiting := state.waiting) and waiting.reason in STUCK:
            return _pod_failure(pod, waiting.reason, waiting.message)
    since = _unready_since(pod, now)
    return _overdue(pod, start_timeout) if since and now - since > start_timeout else None


def _end(pod: V1Pod, ended: V1ContainerStateTerminated | None) -> PodFailure:
    """Return why a Pod ends.

    The Pod's own reason comes first: an evicted worker drains and exits with 0.
    """
    status = _status(pod)
    reason, message = status.reason, status.message
    if disruption := _condition(status, "DisruptionTarget", "True"):
        reason, message = reason or disruption.reason, message or disruption.message
    if _meta(pod).deletion_timestamp:
        reason = reason or DELETED
    if not ended:
        return _pod_failure(pod, reason or str(status.phase), message)
    reason = reason or ended.reason or ("Error" if ended.exit_code else "Completed")
    return _pod_failure(pod, reason, ended.message or message, ended.exit_code)


def _unready_since(pod: V1Pod, now: datetime) -> datetime | None:
    status = _status(pod)
    if status.phase in (None, "Pending"):
        return _meta(pod).creation_timestamp or now
    unready = _condition(status, "Ready", "False")
    return unready.last_transition_time if unready and status.phase == "Running" else None


def _overdue(pod: V1Pod, start_timeout: timedelta) -> PodFailure:
    unscheduled = _condition(_status(pod), "PodScheduled", "False")
    if unscheduled:
        return _pod_failure(pod, unscheduled.reason or "Unschedulable", unscheduled.message)
    after = f"after {start_timeout.total_seconds():g} s"
    if _status(pod).phase == "Running":
        return _pod_failure(pod, NOT_READY, f"its worker runs, but does not reach Temporal {after}")
    return _pod_failure(pod, NOT_STARTED, f"not running {after}")


def _pod_failure(
    pod: V1Pod, reason: str, message: str | None, exit_code: int | None = None
) -> PodFailure:
    return PodFailure(
        uid=_meta(pod).uid or "",
        reason=reason,
        message=(message or "")[:500],
        exit_code=exit_code,
    )


def _meta(pod: V1Pod) -> V1ObjectMeta:
    return pod.metadata or V1ObjectMeta()


def _status(pod: V1Pod) -> V1PodStatus:
    return pod.status or V1PodStatus()


def _states(status: V1PodStatus) -> Iterator[V1ContainerState]:
    for container in status.container_statuses or []:
        if container.state:
            yield container.state


def _condition(status: V1PodStatus, kind: str, value: str) -> V1PodCondition | None:
    found = [each for each in status.conditions or [] if (each.type, each.status) == (kind, value)]
    return found[0] if found else None
