"""The Pod of a monitor, as a value."""

from dataclasses import replace
from typing import Any

import pytest
from kubernetes.aio.client import V1Pod

from kube.pod_manifest import PodTemplate, pod_manifest
from tests.testkit.pod_states import MONITOR_ID, TEMPLATE


def container(template: PodTemplate = TEMPLATE) -> dict[str, Any]:
    made: dict[str, Any] = pod_manifest(template, MONITOR_ID, 1)["spec"]["containers"][0]
    return made


def test_it_is_named_and_labelled_for_its_monitor() -> None:
    meta = pod_manifest(TEMPLATE, MONITOR_ID, 1)["metadata"]
    assert meta["name"] == f"stream-monitor-{MONITOR_ID}-1"
    assert meta["annotations"] == {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}
    assert len(meta["name"]) <= 63
    assert meta["namespace"] == "streams"
    assert meta["labels"]["app"] == "stream-monitor"
    assert meta["labels"]["monitor-id"] == MONITOR_ID
    assert meta["labels"]["app.kubernetes.io/instance"] == "test"


def test_it_satisfies_the_restricted_standard() -> None:
    spec = pod_manifest(TEMPLATE, MONITOR_ID, 1)["spec"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()


def test_secrets_are_referred_to() -> None:
    env = {each["name"]: each for each in container()["env"]}
    reference = {"secretKeyRef": {"name": "stream-tracker", "key": "PROBE_API_KEY"}}
    assert env["INTERNAL_API_KEY"] == {"name": "INTERNAL_API_KEY", "valueFrom": reference}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALLBACK_URL", "http://gateway:8080"),
        ("WORKER_ROLE", "probe"),
        ("MONITOR_ID", MONITOR_ID),
        ("HEALTH_HOST", "0.0.0.0"),
        ("HEALTH_PORT", "8081"),
        ("TMPDIR", "/tmp"),
    ],
)
def test_its_worker_is_told(name: str, value: str) -> None:
    assert {"name": name, "value": value} in container()["env"]


def test_the_health_port_is_asked() -> None:
    made = container()
    assert made["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
    assert made["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}
    assert made["ports"] == [{"name": "health", "containerPort": 8081}]


def test_only_the_work_folder_can_be_written_and_it_is_bounded() -> None:
    spec = pod_manifest(TEMPLATE, MONITOR_ID, 1)["spec"]
    assert spec["volumes"] == [{"name": "work", "emptyDir": {"sizeLimit": "512Mi"}}]
    assert container()["volumeMounts"] == [{"name": "work", "mountPath": "/tmp"}]


def test_it_gets_longer_than_its_worker_takes_to_drain() -> None:
    spec = pod_manifest(replace(TEMPLATE, drain_sec=45), MONITOR_ID, 1)["spec"]
    assert spec["terminationGracePeriodSeconds"] > 45


def test_a_lost_node_is_not_waited_for_longer_than_seconds() -> None:
    extra = {"tolerations": [{"key": "streams", "operator": "Exists"}]}
    for template in (TEMPLATE, replace(TEMPLATE, extra=extra)):
        borne = pod_manifest(template, MONITOR_ID, 1)["spec"]["tolerations"]
        limits = {each["key"]: each.get("tolerationSeconds") for each in borne}
        assert limits["node.kubernetes.io/unreachable"] == 10
        assert limits["node.kubernetes.io/not-ready"] == 10
    assert limits["streams"] is None


def test_nodes_registries_and_files_are_settable() -> None:
    template = replace(
        TEMPLATE,
        pull_policy="Always",
        extra={"nodeSelector": {"disk": "ssd"}, "imagePullSecrets": [{"name": "registry"}]},
        volumes=[{"name": "cookies", "secret": {"secretName": "cookies"}}],
        mounts=[{"name": "cookies", "mountPath": "/cookies"}],
    )
    spec = pod_manifest(template, MONITOR_ID, 1)["spec"]
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert [volume["name"] for volume in spec["volumes"]] == ["work", "cookies"]
    assert container(template)["volumeMounts"][1] == template.mounts[0]
    assert container(template)["imagePullPolicy"] == "Always"


def test_kubernetes_client_understands_all_of_it() -> None:
    pod = V1Pod.model_validate(pod_manifest(TEMPLATE, MONITOR_ID, 1))
    assert pod.model_dump(by_alias=True, exclude_none=True) == pod_manifest(TEMPLATE, MONITOR_ID, 1)
