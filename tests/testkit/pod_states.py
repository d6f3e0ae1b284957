"""Pods as tests speak of them."""

from typing import Any

from kube.pod_manifest import PodTemplate
from monitors.pods import pod_name

MONITOR_ID = "mon-01890a5d-ac96-774b-bcce-b302099a8057"
OTHER_ID = "mon-01890a5d-ac96-774b-bcce-b302099a8058"
NAME = pod_name(MONITOR_ID, 1)
OTHER_NAME = pod_name(OTHER_ID, 1)

TEMPLATE = PodTemplate(
    namespace="streams",
    instance="test",
    image="registry.example/stream-tracker:1.2.3",
    pull_policy="IfNotPresent",
    environment={"CALLBACK_URL": "http://gateway:8080"},
    secret_name="stream-tracker",
    secret_variables=["INTERNAL_API_KEY"],
    requests={"cpu": "100m", "memory": "256Mi"},
    limits={"cpu": "500m", "memory": "512Mi"},
    work_size="512Mi",
    drain_sec=10,
)


def container(state: dict[str, Any]) -> dict[str, Any]:
    """Return the status of the probe's container."""
    return {
        "name": "probe",
        "image": TEMPLATE.image,
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }


def terminated(exit_code: int, reason: str) -> dict[str, Any]:
    """Return the status of a Pod whose worker has ended."""
    state = {"terminated": {"exitCode": exit_code, "reason": reason}}
    phase = "Failed" if exit_code else "Succeeded"
    return {"phase": phase, "containerStatuses": [container(state)]}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """Return the status of a Pod whose worker does not start."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {"phase": "Pending", "containerStatuses": [container(state)]}


def unready(since: str, phase: str = "Running") -> dict[str, Any]:
    """Return the status of a Pod whose worker runs and is not ready."""
    condition = {"type": "Ready", "status": "False", "reason": "ContainersNotReady"}
    conditions = [{**condition, "lastTransitionTime": since}]
    return {**RUNNING, "phase": phase, "conditions": conditions}


def unschedulable(message: str) -> dict[str, Any]:
    """Return the status of a Pod for which there is no node."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    return {"phase": "Pending", "conditions": [{**condition, "message": message}]}


RUNNING: dict[str, Any] = {
    "phase": "Running",
    "containerStatuses": [container({"running": {"startedAt": "2026-01-02T03:04:05Z"}})],
}
READY: dict[str, Any] = {**RUNNING, "conditions": [{"type": "Ready", "status": "True"}]}
EVICTED: dict[str, Any] = {
    "phase": "Failed",
    "reason": "Evicted",
    "message": "The node was low on resource: memory.",
}
