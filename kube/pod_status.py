"""Reads the status and the failure of a Pod from its object. Pure.

Sources: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/ and the reasons that the
kubelet and the scheduler give.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from kubernetes.aio.client import V1ObjectMeta, V1Pod, V1PodCondition, V1PodStatus

from kube.pod_manifest import MONITOR_LABEL
from monitors.pods import PodFailure, PodStatus

STUCK = (
    *("CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError"),
    *("ErrImageNeverPull", "ErrImagePull", "ImageInspectError", "ImagePullBackOff"),
    *("InvalidImageName", "RunContainerError"),
)
"""Reasons of a waiting container that will not start."""

# Reasons of a failure that Kubernetes has no name for.
DELETED = "Deleted"
NOT_STARTED = "StartTimeout"
NOT_READY = "NotReady"

MESSAGE_MAX_CHARS = 500


class _Cause(NamedTuple):
    reason: str
    message: str | None
    exit_code: int | None = None


def read_pod(pod: V1Pod, *, now: datetime, start_timeout: timedelta) -> PodStatus:
    meta, status = pod.metadata or V1ObjectMeta(), pod.status or V1PodStatus()
    uid = meta.uid or ""
    unready_since = _unready_since(meta, status, now)
    cause = _end(meta, status) or _stuck(status)
    if unready_since and now - unready_since > start_timeout:
        cause = cause or _overdue(status, start_timeout)
    return PodStatus(
        monitor_id=(meta.labels or {}).get(MONITOR_LABEL, ""),
        pod_name=meta.name or "",
        uid=uid,
        phase=status.phase or "Pending",
        created_at=meta.creation_timestamp or now,
        is_ready=_condition(status, "Ready", "True") is not None,
        unready_since=unready_since,
        deletion_deadline=meta.deletion_timestamp,
        failure=_pod_failure(uid, cause) if cause else None,
    )


def _end(meta: V1ObjectMeta, status: V1PodStatus) -> _Cause | None:
    """Return why a Pod ends."""
    # The Pod's own reason comes first: an evicted worker drains and exits with 0.
    containers = [each.state for each in status.container_statuses or [] if each.state]
    ended = next((state.terminated for state in containers if state.terminated), None)
    if not (ended or status.phase in ("Failed", "Succeeded") or meta.deletion_timestamp):
        return None
    reason, message = status.reason, status.message
    if disruption := _condition(status, "DisruptionTarget", "True"):
        reason, message = reason or disruption.reason, message or disruption.message
    if meta.deletion_timestamp:
        reason = reason or DELETED
    if not ended:
        return _Cause(reason or str(status.phase), message)
    reason = reason or ended.reason or ("Error" if ended.exit_code else "Completed")
    return _Cause(reason, ended.message or message, ended.exit_code)


def _stuck(status: V1PodStatus) -> _Cause | None:
    for container in status.container_statuses or []:
        waiting = container.state and container.state.waiting
        if waiting and waiting.reason in STUCK:
            return _Cause(waiting.reason, waiting.message)
    return None


def _overdue(status: V1PodStatus, start_timeout: timedelta) -> _Cause:
    if unscheduled := _condition(status, "PodScheduled", "False"):
        return _Cause(unscheduled.reason or "Unschedulable", unscheduled.message)
    after = f"after {start_timeout.total_seconds():g} s"
    if status.phase == "Running":
        return _Cause(NOT_READY, f"its worker runs, but does not reach Temporal {after}")
    return _Cause(NOT_STARTED, f"not running {after}")


def _unready_since(meta: V1ObjectMeta, status: V1PodStatus, now: datetime) -> datetime | None:
    if status.phase in (None, "Pending"):
        return meta.creation_timestamp or now
    unready = _condition(status, "Ready", "False")
    return unready.last_transition_time if unready and status.phase == "Running" else None


def _condition(status: V1PodStatus, kind: str, value: str) -> V1PodCondition | None:
    found = [each for each in status.conditions or [] if (each.type, each.status) == (kind, value)]
    return found[0] if found else None


def _pod_failure(uid: str, cause: _Cause) -> PodFailure:
    message = (cause.message or "")[:MESSAGE_MAX_CHARS]
    return PodFailure(uid=uid, reason=cause.reason, message=message, exit_code=cause.exit_code)
