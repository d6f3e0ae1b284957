"""The Helm chart: what it makes is valid, restricted, complete, and as narrow as it says."""

import base64
import re
import subprocess
import sys
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import helm_python
import httpx
import kubernetes_validate
import pytest

from api.openapi import routed_app
from kube.pod_manifest import pod_manifest
from runtime.settings import GatewaySettings, WorkerSettings
from tests.deploy import variables
from tests.testkit.chart import (
    ALL_SETS,
    EVERYTHING,
    EVERYTHING_IN_PODS,
    EXISTING_SECRET,
    FOLDER,
    MINIMAL,
    POD_OF_A_STREAM,
    POD_PLACEMENT,
    SECRETS,
    changed,
    environment_of,
    of_kind,
    pod_specs,
    rendered,
    selects,
)
from tests.testkit.ports import free_port
from worker.pod_setup import pod_template

OF_THE_OPERATOR = ("monitoring.coreos.com/v1",)
OLDEST, NEWEST = "1.27", "1.37"


@pytest.mark.parametrize("values", ALL_SETS)
def test_the_linter_has_nothing_to_say(values: dict[str, Any]) -> None:
    found = helm_python.lint(FOLDER, values, strict=True)
    assert found["errors"] == []
    assert [each for each in found["messages"] if each["error"] != "icon is recommended"] == []


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("values", ALL_SETS)
def test_every_object_is_what_kubernetes_knows(values: dict[str, Any], version: str) -> None:
    objects = rendered(values)
    assert objects
    for found in objects:
        if found["apiVersion"] not in OF_THE_OPERATOR:
            kubernetes_validate.validate(found, version, strict=True)


@pytest.mark.parametrize("values", ALL_SETS)
def test_every_pod_satisfies_the_restricted_profile(values: dict[str, Any]) -> None:
    for _, spec in pod_specs(rendered(values)):
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["runAsUser"] != 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(spec)
        assert all(set(volume) <= {"name", "emptyDir", "secret"} for volume in spec["volumes"])
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert all("hostPort" not in port for port in container["ports"])


@pytest.mark.parametrize("values", ALL_SETS)
def test_pods_have_probes_limits_and_room_to_write(values: dict[str, Any]) -> None:
    for _, spec in pod_specs(rendered(values)):
        (container,) = spec["containers"]
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
        assert container["resources"]["limits"]["memory"]
        assert {"cpu", "memory"} == set(container["resources"]["requests"])
        work = next(volume for volume in spec["volumes"] if volume["name"] == "work")
        assert work["emptyDir"]["sizeLimit"]


@pytest.mark.parametrize("values", ALL_SETS)
def test_every_variable_is_one_that_the_process_reads(values: dict[str, Any]) -> None:
    objects = rendered(values)
    for component in dict(pod_specs(objects)):
        kind = GatewaySettings if component == "gateway" else WorkerSettings
        assert set(environment_of(objects, component)) <= variables.known(kind)


@pytest.mark.parametrize("values", ALL_SETS)
def test_every_process_has_the_settings_that_it_needs(values: dict[str, Any]) -> None:
    objects = rendered(values)
    gateway = environment_of(objects, "gateway")
    assert gateway.pop("DATABASE_URL")
    variables.read(GatewaySettings, gateway)
    for component in set(dict(pod_specs(objects))) - {"gateway"}:
        settings = variables.read(WorkerSettings, environment_of(objects, component))
        assert settings.worker_role == component
        key = settings.internal_api_key.get_secret_value()
        assert key == gateway["PROBE_API_KEY" if component == "probe" else "INTERNAL_API_KEY"]


@pytest.mark.parametrize("values", ALL_SETS)
def test_the_secret_has_each_variable_that_is_taken_from_it(values: dict[str, Any]) -> None:
    objects = rendered(values)
    made = of_kind(objects, "Secret").get("")
    for _, spec in pod_specs(objects):
        for variable in spec["containers"][0]["env"]:
            reference = variable["valueFrom"].get("secretKeyRef")
            if reference is None:
                continue
            if made is None:
                assert reference["name"] == "our-keys"
            elif not reference.get("optional") and reference["key"] != "HTTPS_PROXY":
                assert made["data"][reference["key"]]


def test_no_secret_is_in_a_config_map_or_an_argument() -> None:
    kinds = ("ConfigMap", "Deployment")
    objects = [found for found in rendered(EVERYTHING) if found["kind"] in kinds]
    for secret in EVERYTHING["secrets"].values():
        assert secret not in str(objects)


def test_workers_find_the_gateways_internal_port() -> None:
    objects = rendered(changed("gateway.internalPort", 9999))
    service = of_kind(objects, "Service")["internal"]
    callback = environment_of(objects, "probe")["CALLBACK_URL"]
    assert callback == f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    assert environment_of(objects, "gateway")["INTERNAL_PORT"] == "9999"
    assert "internal" not in str(of_kind(objects, "Service")["gateway"]["spec"]["ports"])


def test_workers_get_more_time_than_they_take_to_drain() -> None:
    objects = rendered(changed("workers.drainSec", 100))
    for component in ("orchestrator", "probe"):
        spec = dict(pod_specs(objects))[component]
        drain_sec = float(environment_of(objects, component)["DRAIN_SEC"])
        assert drain_sec == 100
        assert spec["terminationGracePeriodSeconds"] > drain_sec


def test_a_changed_setting_or_secret_starts_new_pods() -> None:
    def template(values: dict[str, Any], component: str) -> object:
        deployment = of_kind(rendered(values), "Deployment")[component]
        return deployment["spec"]["template"]["metadata"]["annotations"]

    for component in ("gateway", "orchestrator", "probe"):
        before = template(MINIMAL, component)
        assert template(changed("logLevel", "debug"), component) != before
        assert template(changed("secrets.internalApiKey", "another"), component) != before
        assert template(deepcopy(MINIMAL), component) == before


class TestPlacement:
    def test_a_pool_needs_no_rights_in_the_cluster(self) -> None:
        objects = rendered(EVERYTHING)
        assert not {"Role", "RoleBinding", "ClusterRole"} & {found["kind"] for found in objects}
        assert not any(spec["automountServiceAccountToken"] for _, spec in pod_specs(objects))

    def test_with_pods_the_orchestrator_may_keep_pods_and_nothing_else(self) -> None:
        objects = rendered(POD_PLACEMENT)
        (role,) = of_kind(objects, "Role").values()
        (binding,) = of_kind(objects, "RoleBinding").values()
        verbs = ["create", "get", "list", "watch", "delete"]
        for found in (role, binding):
            assert found["metadata"]["namespace"] == "streams-st-probes"
        assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": verbs}]
        assert "ClusterRole" not in {found["kind"] for found in objects}
        specs = dict(pod_specs(objects))
        assert set(specs) == {"gateway", "orchestrator"}
        assert binding["subjects"][0]["name"] == specs["orchestrator"]["serviceAccountName"]
        assert specs["orchestrator"]["automountServiceAccountToken"]
        assert not specs["gateway"]["automountServiceAccountToken"]

    def test_with_pods_the_orchestrator_is_told_what_they_are_like(self) -> None:
        objects = rendered(EVERYTHING_IN_PODS)
        settings = variables.read(WorkerSettings, environment_of(objects, "orchestrator"))
        found = settings.model_dump()
        expected = {
            "probe_placement": "pod",
            "namespace": "streams-st-probes",
            "worker_image": "registry.example/st",
            "worker_image_tag": "1",
            "pod_image_pull_policy": "Always",
            "pod_secret": "st-stream-tracker-probe",
            "pod_instance": "st",
            "pod_image_pull_secrets": ["registry"],
            "pod_node_selector": {"pool": "probes"},
            "pod_tolerations": [{"key": "probes", "operator": "Exists"}],
            "pod_service_account": "st-stream-tracker-probe",
            "heartbeat_interval_sec": 2.5,
        }
        assert {name: found[name] for name in expected} == expected
        assert [volume["name"] for volume in found["pod_volumes"]] == ["temporal-tls", "cookies"]
        mounts = [mount["mountPath"] for mount in found["pod_volume_mounts"]]
        assert mounts == ["/etc/temporal-tls", "/cookies"]
        assert of_kind(objects, "ServiceAccount")["probe"]

    def test_the_namespace_of_pods_has_what_a_probe_needs_and_no_other_secret(self) -> None:
        objects = rendered(EVERYTHING_IN_PODS)
        secrets = [found for found in objects if found["kind"] == "Secret"]
        there = [each for each in secrets if each["metadata"].get("namespace")]
        (secret,) = there
        assert len(secrets) == 2
        environment = environment_of(objects, "orchestrator") | {"TEMPORAL_API_KEY": "given"}
        environment.pop("HTTPS_PROXY")  # of workers.secretSettings: for an existing Secret
        template = pod_template(variables.read(WorkerSettings, environment), environment)
        pod = pod_manifest(template, "mon-1", 1)
        assert pod["metadata"]["namespace"] == secret["metadata"]["namespace"]
        referred = [
            each["valueFrom"]["secretKeyRef"]
            for each in pod["spec"]["containers"][0]["env"]
            if "valueFrom" in each
        ]
        assert {each["name"] for each in referred} == {secret["metadata"]["name"]}
        assert {each["key"] for each in referred} == set(secret["data"])
        given = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
        assert given == {
            "PROBE_API_KEY": SECRETS["probeApiKey"],
            "TEMPORAL_API_KEY": "key-of-temporal",
        }
        namespaced = {
            (found["kind"], found["metadata"].get("namespace"))
            for found in objects
            if found["metadata"].get("namespace")
        }
        kinds = ("NetworkPolicy", "Role", "RoleBinding", "Secret", "ServiceAccount")
        assert namespaced == {(kind, "streams-st-probes") for kind in kinds}
        (namespace,) = of_kind(objects, "Namespace").values()
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"

    def test_an_existing_secret_needs_one_for_pods_beside_it(self) -> None:
        values = EXISTING_SECRET | {"probe": {"placement": "pod"}}
        with pytest.raises(helm_python.HelmError, match="the same PROBE_API_KEY"):
            rendered(values)
        pod = {"namespace": "probes", "createNamespace": False, "existingSecret": "of-probes"}
        objects = rendered(values | {"probe": {"placement": "pod", "pod": pod}})
        settings = variables.read(WorkerSettings, environment_of(objects, "orchestrator"))
        assert (settings.namespace, settings.pod_secret) == ("probes", "of-probes")
        assert not {"Namespace", "Secret"} & {found["kind"] for found in objects}


def test_the_gateway_scales_from_one_to_three_at_80_percent() -> None:
    objects = rendered(MINIMAL)
    scaling = of_kind(objects, "HorizontalPodAutoscaler")
    assert set(scaling) == {"gateway"}
    spec = scaling["gateway"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 3)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 80
    assert "replicas" not in of_kind(objects, "Deployment")["gateway"]["spec"]


def test_the_pool_scales_by_used_slots_when_told() -> None:
    objects = rendered(EVERYTHING)
    spec = of_kind(objects, "HorizontalPodAutoscaler")["probe"]["spec"]
    (metric,) = spec["metrics"]
    assert metric["pods"]["metric"]["name"] == "stream_tracker_probe_slots_used"
    slots = float(environment_of(objects, "probe")["PROBE_SLOTS"])
    assert float(metric["pods"]["target"]["averageValue"]) < slots


def test_the_pool_scales_by_cpu_without_an_adapter_when_told() -> None:
    scaling = {"enabled": True, "targetCPUUtilizationPercentage": 70}
    values = MINIMAL | {"probe": {"pool": {"autoscaling": scaling}}}
    (metric,) = of_kind(rendered(values), "HorizontalPodAutoscaler")["probe"]["spec"]["metrics"]
    assert metric["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}


def test_pods_are_spread_over_nodes_and_zones_unless_told_otherwise() -> None:
    for component, spec in pod_specs(rendered(MINIMAL)):
        keys = [each["topologyKey"] for each in spec["topologySpreadConstraints"]]
        assert keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        for each in spec["topologySpreadConstraints"]:
            labels = each["labelSelector"]["matchLabels"]
            assert labels["app.kubernetes.io/component"] == component
    own = [{"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}]
    specs = dict(pod_specs(rendered(changed("orchestrator.topologySpreadConstraints", own))))
    assert specs["orchestrator"]["topologySpreadConstraints"] == own


def test_pods_have_the_priority_that_is_given() -> None:
    specs = dict(pod_specs(rendered(EVERYTHING)))
    assert specs["gateway"]["priorityClassName"] == "important"
    assert "priorityClassName" not in specs["orchestrator"]
    assert specs["probe"]["priorityClassName"] == "less-important"
    settings = environment_of(rendered(EVERYTHING_IN_PODS), "orchestrator")
    assert settings["POD_PRIORITY_CLASS"] == "less-important"


def test_further_objects_are_rendered() -> None:
    assert "st-extra" in of_kind(rendered(EVERYTHING), "ConfigMap")


def test_a_job_registers_search_attributes_with_what_workers_reach_temporal_with() -> None:
    (job,) = of_kind(rendered(EVERYTHING), "Job").values()
    spec = job["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    given = {each["name"]: each.get("value") for each in container["env"]}
    worker = environment_of(rendered(EVERYTHING), "orchestrator")
    wanted = {name: value for name, value in worker.items() if name.startswith("TEMPORAL_")}
    assert given == {**wanted, "TEMPORAL_API_KEY": None}
    assert [each["name"] for each in spec["volumes"]] == ["work", "temporal-tls"]
    assert not spec["automountServiceAccountToken"]
    assert not of_kind(rendered(MINIMAL), "Job")


def test_helm_test_asks_whether_the_gateway_is_ready() -> None:
    (pod,) = of_kind(rendered(MINIMAL), "Pod").values()
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    *_, url = pod["spec"]["containers"][0]["command"]
    service = of_kind(rendered(MINIMAL), "Service")["gateway"]
    assert url == f"http://{service['metadata']['name']}:80/readyz"


def helm_test(wait_sec: int, url: str) -> subprocess.CompletedProcess[str]:
    """Run what `helm test` runs, with a gateway at `url`."""
    (pod,) = of_kind(rendered(MINIMAL), "Pod").values()
    _, *code, _, _ = pod["spec"]["containers"][0]["command"]
    command = [sys.executable, *code, str(wait_sec), url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_helm_test_waits_until_the_gateway_is_ready() -> None:
    statuses = iter([503, 503, 200])

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(next(statuses))
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        Thread(target=gateway.serve_forever).start()
        done = helm_test(100, f"http://127.0.0.1:{gateway.server_port}/readyz")
        gateway.shutdown()
    assert done.returncode == 0, done.stderr
    assert list(statuses) == []


def test_helm_test_fails_when_no_gateway_gets_ready() -> None:
    done = helm_test(0, f"http://127.0.0.1:{free_port()}/readyz")
    assert done.returncode == 1
    assert "No gateway is ready" in done.stderr


def test_every_budget_lets_a_node_be_emptied() -> None:
    budgets = of_kind(rendered(MINIMAL), "PodDisruptionBudget")
    assert set(budgets) == {"gateway", "orchestrator", "probe"}
    assert all(budget["spec"]["maxUnavailable"] == 1 for budget in budgets.values())


def ingress_paths() -> list[str]:
    (ingress,) = of_kind(rendered(EVERYTHING), "Ingress").values()
    return [path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]]


def test_the_ingress_lets_nothing_in_but_the_api_and_its_description() -> None:
    expected = ["/api", "/docs", "/redoc", "/openapi.json", "/static-offline-docs"]
    assert ingress_paths() == expected


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_what_a_page_of_the_gateway_needs_comes_through_the_ingress(page: str) -> None:
    transport = httpx.ASGITransport(routed_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        text = (await http.get(page)).text
    needed = re.findall(r"""(?:src|href|url|spec-url)\s*[=:]\s*["'](/[^"']+)""", text)
    assert needed
    for path in [page, *needed]:
        assert any(path == each or path.startswith(f"{each}/") for each in ingress_paths()), path


def test_metrics_of_gateway_workers_and_pods_of_streams_are_scraped() -> None:
    objects = rendered(EVERYTHING)
    assert of_kind(objects, "ServiceMonitor")["gateway"]["metadata"]["labels"]["release"]
    selector = of_kind(objects, "PodMonitor")["workers"]["spec"]["selector"]
    assert selects(selector, POD_OF_A_STREAM)


def test_nothing_of_the_prometheus_operator_is_made_unless_it_is_wanted() -> None:
    versions = {found["apiVersion"] for found in rendered(MINIMAL)}
    assert not versions & set(OF_THE_OPERATOR)
