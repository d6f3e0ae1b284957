"""The manifest of a monitor's Pod. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from monitors.pods import pod_name

APP_LABEL: Final = "app"
APP: Final = "stream-monitor"
MONITOR_LABEL: Final = "monitor-id"
INSTANCE_LABEL: Final = "app.kubernetes.io/instance"
SECRET_KEYS: Final = {"INTERNAL_API_KEY": "PROBE_API_KEY"}
"""Keys of the Secret that differ from their variable: a Pod gets the key that opens least."""

WORK_FOLDER: Final = "/tmp"  # noqa: S108 - inside the Pod, where nobody else is
IMAGE_GROUP: Final = 10001  # group of the image's user, which can then write to mounted volumes
HEALTH_PORT: Final = 8081
LOST_NODE: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
LOST_NODE_SEC: Final = 10
"""A Pod on a lost node is deleted after this time; the default of Kubernetes is 5 minutes."""

GRACE_SEC: Final = 10  # added to the time that a worker takes to drain


@dataclass(frozen=True)
class PodTemplate:
    """What the Pods of all monitors have in common."""

    namespace: str
    instance: str  # the installation, of several in one namespace
    image: str  # with its tag
    pull_policy: str
    environment: Mapping[str, str]  # of the worker
    secret_name: str  # the Secret that holds `secret_variables`
    secret_variables: Sequence[str]  # also the keys in the Secret, except for `SECRET_KEYS`
    # `cpu` and `memory`
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    work_size: str
    drain_sec: float  # time that the worker takes to drain at most
    extra: Mapping[str, Any] = field(default_factory=dict)  # further fields of the Pod's spec
    mounts: Sequence[Mapping[str, Any]] = ()  # of the worker's container, besides its work folder
    volumes: Sequence[Mapping[str, Any]] = ()

    @property
    def selector(self) -> str:
        return f"{APP_LABEL}={APP},{INSTANCE_LABEL}={self.instance}"


def pod_manifest(template: PodTemplate, monitor_id: str, number: int) -> dict[str, Any]:
    """Return the manifest; it satisfies the restricted Pod security standard."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(monitor_id, number),
            "namespace": template.namespace,
            "labels": {
                APP_LABEL: APP,
                INSTANCE_LABEL: template.instance,
                "app.kubernetes.io/component": "probe",
                MONITOR_LABEL: monitor_id,
            },
            # Its monitor replaces it, which the autoscaler cannot see: it has no controller.
            "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"},
        },
        "spec": {
            **template.extra,
            "tolerations": [*template.extra.get("tolerations", ()), *map(_toleration, LOST_NODE)],
            # The monitor inspects a Pod that ends, and replaces it.
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": int(template.drain_sec) + GRACE_SEC,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "fsGroup": IMAGE_GROUP,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(template, monitor_id)],
            "volumes": [
                {"name": "work", "emptyDir": {"sizeLimit": template.work_size}},
                *template.volumes,
            ],
        },
    }


def _toleration(taint: str) -> dict[str, Any]:
    return {
        "key": taint,
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": LOST_NODE_SEC,
    }


def _container(template: PodTemplate, monitor_id: str) -> dict[str, Any]:
    return {
        "name": "probe",
        "image": template.image,
        "imagePullPolicy": template.pull_policy,
        "args": ["worker"],
        "env": _environment(template, monitor_id),
        "ports": [{"name": "health", "containerPort": HEALTH_PORT}],
        "resources": {"requests": dict(template.requests), "limits": dict(template.limits)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "work", "mountPath": WORK_FOLDER}, *template.mounts],
        "livenessProbe": _http_probe("/healthz") | {"periodSeconds": 10, "failureThreshold": 6},
        "readinessProbe": _http_probe("/readyz") | {"periodSeconds": 2},
    }


def _environment(template: PodTemplate, monitor_id: str) -> list[dict[str, Any]]:
    variables = {
        **template.environment,
        "WORKER_ROLE": "probe",
        "MONITOR_ID": monitor_id,
        "PROBE_SLOTS": "1",
        "HEALTH_HOST": "0.0.0.0",
        "HEALTH_PORT": str(HEALTH_PORT),
        "TMPDIR": WORK_FOLDER,
        "HOME": WORK_FOLDER,
        "XDG_CACHE_HOME": f"{WORK_FOLDER}/.cache",
    }
    plain = [{"name": name, "value": value} for name, value in sorted(variables.items())]
    secret = [
        {
            "name": name,
            "valueFrom": {
                "secretKeyRef": {"name": template.secret_name, "key": SECRET_KEYS.get(name, name)}
            },
        }
        for name in sorted(template.secret_variables)
    ]
    return plain + secret


def _http_probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "health"}, "timeoutSeconds": 5}
