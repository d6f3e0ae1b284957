"""The Helm chart's values: what is refused, what is left to be set, what the notes say of it."""

import json
from typing import Any

import helm_python
import pytest
from pydantic_settings import BaseSettings

from runtime.settings import GatewaySettings, WorkerSettings
from runtime.version import VERSION
from tests.deploy import variables
from tests.deploy.values_table import README, readme
from tests.testkit.chart import (
    ALL_SETS,
    BARE,
    EVERYTHING,
    EXISTING_SECRET,
    FOLDER,
    MINIMAL,
    POD_PLACEMENT,
    changed,
    environment_of,
    loaded,
    of_kind,
    pod_specs,
    rendered,
)


def test_nothing_is_bundled_and_nothing_works_without_being_told() -> None:
    for missing in ("temporal", "secrets"):
        values = {name: value for name, value in MINIMAL.items() if name != missing}
        with pytest.raises(helm_python.HelmRenderError, match=missing):
            rendered(values)
    for key in MINIMAL["secrets"]:
        with pytest.raises(helm_python.HelmRenderError, match=f"secrets.{key} is required"):
            rendered(changed(f"secrets.{key}", ""))
    images = [spec["containers"][0]["image"] for _, spec in pod_specs(rendered(EXISTING_SECRET))]
    assert set(images) == {f"stream-tracker:{VERSION}"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("image.repository", "registry.example/st:1"),
        ("image.tag", "1 or 2"),
        ("temporal.address", "temporal.example"),
        ("temporal.address", "temporal.example:65536"),
        ("temporal.namespace", "name space"),
        ("temporal.adress", "temporal.example:7233"),
        ("temporal.tls.ca", True),
        ("secrets.databaseUrl", "mysql://host/db"),
        ("logLevel", "verbose"),
        ("gateway.replicas", 0),
        ("gateway.autoscaling.targetCPUUtilizationPercentage", 101),
        ("gateway.service.port", 0),
        ("gateway.internalPort", 8080),
        ("gateway.ingress.host", "https://streams.example"),
        ("gateway.settings", {"RATE_LIMIT_STORGE": "redis://host"}),
        ("gateway.settings", {"API_KEY": "not for a ConfigMap"}),
        ("gateway.settings", {"PORT": 80}),
        ("gateway.settings", {"TEMPORAL_GRPC_META_AUTHORIZATION": "Bearer key"}),
        ("gateway.secretSettings", ["API_KEY"]),
        ("workers.settings", {"DRAIN_SEC": 20}),
        ("workers.secretSettings", ["TEMPORAL_API_KEY"]),
        ("secrets.existingSecret", "Our Keys"),
        ("webhookPrivateHosts", ["10.0.0.7"]),
        ("webhookPrivateHosts", ["http://10.0.0.7:80"]),
        ("webhookPrivateHosts", "10.0.0.7:80"),
        ("workers.drainSec", 0),
        ("probe.placement", "node"),
        ("probe.pool.slots", 2001),
        ("probe.pod.resources.limits.memory", "much"),
        ("networkPolicy.apiFrom", "all"),
        ("networkPolicy.temporalTo", [{"cidr": "10.0.0.0/8"}]),
        ("networkPolicy.dnsTo", []),
        ("serviceMonitor.interval", "often"),
        ("unknown", 1),
    ],
)
def test_the_schema_refuses_wrong_values(path: str, value: object) -> None:
    with pytest.raises(helm_python.HelmValuesError):
        loaded().validate_schema(loaded().merge_values(changed(path, value)))


@pytest.mark.parametrize("path", ["gateway.autoscaling", "probe.pool.autoscaling"])
def test_a_scaling_has_its_least_below_its_most(path: str) -> None:
    values = changed(path, {"enabled": True, "minReplicas": 5, "maxReplicas": 4})
    with pytest.raises(helm_python.HelmRenderError, match=f"{path}: minReplicas is above"):
        rendered(values)


OF_THE_CHART = {
    *("ALLOW_PRIVATE_NETWORKS", "CALLBACK_URL", "DATA_DIR", "DRAIN_SEC", "HEALTH_HOST"),
    *("HEALTH_PORT", "HOST", "INTERNAL_PORT", "LOG_LEVEL", "MAX_MONITORS", "MONITOR_ID"),
    *("NAMESPACE", "PORT", "PROBE_PLACEMENT", "PROBE_SLOTS", "WEBHOOK_PRIVATE_HOSTS"),
    *("WORKER_ROLE", "EVIDENCE_STORE"),
}
"""Variables that have a value of their own; two of one name would be in one ConfigMap."""
SECRETS = {
    *("API_KEY", "DATABASE_URL", "DB_DSN", "INTERNAL_API_KEY", "PROBE_API_KEY", "SECRETS_KEY"),
    *("WEBHOOK_SIGNING_KEY", "PAYLOAD_KEYS", "CODEC_KEYS", "EVIDENCE_SIGNING_KEY", "VIEWER_KEYS"),
}
PREFIXES_OF_THE_CHART = ("TEMPORAL_", "POD_", "WORKER_IMAGE")


@pytest.mark.parametrize(
    ("definition", "kind"),
    [
        pytest.param("gatewaySettings", GatewaySettings, id="gateway"),
        pytest.param("workerSettings", WorkerSettings, id="workers"),
    ],
)
def test_the_schema_knows_every_setting_that_is_left_to_be_set(
    definition: str, kind: type[BaseSettings]
) -> None:
    schema = json.loads((FOLDER / "values.schema.json").read_text())
    names = schema["$defs"][definition]["propertyNames"]["enum"]
    left = variables.known(kind) - OF_THE_CHART - SECRETS
    assert set(names) == {name for name in left if not name.startswith(PREFIXES_OF_THE_CHART)}


def test_the_readme_is_that_of_these_values() -> None:
    assert README.read_text() == readme(), "run: python -m tests.deploy.values_table"


@pytest.mark.parametrize("amount", [1073741824, 0.5, "512Mi"])
def test_an_amount_may_be_a_number(amount: object) -> None:
    values = changed("probe", {"placement": "pod", "pod": {"resources": {"limits": {}}}})
    values["probe"]["pod"]["resources"]["limits"] = {"cpu": amount, "memory": amount}
    environment = environment_of(rendered(values), "orchestrator")
    assert environment["POD_MEMORY_LIMIT"] == environment["POD_CPU_LIMIT"] == str(amount)
    variables.read(WorkerSettings, environment)


@pytest.mark.parametrize("values", ALL_SETS)
def test_the_schema_takes_right_values(values: dict[str, Any]) -> None:
    loaded().validate_schema(loaded().merge_values(values))


def test_the_chart_is_of_this_version() -> None:
    assert (loaded().version, loaded().metadata["appVersion"]) == (VERSION, VERSION)


def test_the_notes_name_the_search_attributes_and_warn() -> None:
    files = loaded().render(BARE, name="st", namespace="streams")
    notes = files["stream-tracker/templates/NOTES.txt"]
    for name in (
        "MonitorName",
        "MonitorStatus",
        "StreamStatus",
        "VideoHealth",
        "AudioHealth",
        "StreamKey",
    ):
        assert name in notes
    assert "Private addresses are allowed" in notes
    assert "There is no NetworkPolicy" in notes
    assert "RATE_LIMIT_STORAGE" not in notes, "there is one gateway"
    files = loaded().render(POD_PLACEMENT, name="st", namespace="streams")
    notes = files["stream-tracker/templates/NOTES.txt"]
    assert "port 7233 of any address" in notes
    assert "ports 443 and 6443 of any address" in notes


def notes_of(values: dict[str, Any]) -> str:
    files = loaded().render(values, name="st", namespace="streams")
    return files["stream-tracker/templates/NOTES.txt"]


def test_the_notes_ask_for_a_shared_count_of_requests_until_there_is_one() -> None:
    plain = changed("gateway.settings", {"RATE_LIMIT_STORAGE": "redis://redis.example"})
    secret = changed("gateway.secretSettings", ["RATE_LIMIT_STORAGE"])
    assert "RATE_LIMIT_STORAGE" in notes_of(MINIMAL)
    assert "RATE_LIMIT_STORAGE" not in notes_of(plain)
    assert "RATE_LIMIT_STORAGE" not in notes_of(secret)


def test_the_notes_reach_a_temporal_with_tls() -> None:
    unregistered = {**EVERYTHING["temporal"], "registerSearchAttributes": False}
    assert " --tls " in notes_of(EVERYTHING | {"temporal": unregistered})
    assert "--tls" not in notes_of(MINIMAL)


def test_the_notes_leave_search_attributes_to_the_job() -> None:
    assert "search-attribute create" in notes_of(MINIMAL)
    notes = notes_of(changed("temporal.registerSearchAttributes", True))
    assert "search-attribute create" not in notes
    assert "helm test st" in notes


def test_the_notes_tell_how_the_pods_of_streams_are_made_anew() -> None:
    selector = "app=stream-monitor,app.kubernetes.io/instance=st"
    assert f"delete pods -l {selector}" in notes_of(POD_PLACEMENT)
    assert "delete pods" not in notes_of(MINIMAL)


@pytest.mark.parametrize(
    ("cpu", "at_once"),
    [("1", "1"), ("1500m", "2"), (4, "4"), ("250m", "1"), ("0", "0"), (None, None)],
)
def test_a_worker_of_the_pool_measures_as_many_segments_at_once_as_it_has_cores(
    cpu: object, at_once: str | None
) -> None:
    values = changed("probe.pool.resources.requests.cpu", cpu)
    assert environment_of(rendered(values), "probe").get("PROBES_AT_ONCE") == at_once
    assert "PROBES_AT_ONCE" not in environment_of(rendered(values), "orchestrator")
    variables.read(WorkerSettings, environment_of(rendered(values), "probe"))


def test_evidence_lies_in_a_bucket_or_on_a_claim_or_nowhere() -> None:
    claimed, bucket = changed("evidence.existingClaim", "ours"), "s3://bucket/prefix"
    stores = {
        "none": MINIMAL,
        "/evidence": claimed,
        bucket: changed("evidence.store", bucket),
    }
    for store, values in stores.items():
        settings = variables.read(GatewaySettings, environment_of(rendered(values), "gateway"))
        assert settings.evidence_store == store
        assert ("No evidence is kept" in notes_of(values)) is (store == "none")
    volumes = dict(pod_specs(rendered(claimed)))["gateway"]["volumes"]
    assert {"name": "evidence", "persistentVolumeClaim": {"claimName": "ours"}} in volumes


def test_gateway_and_orchestrator_write_the_same_links() -> None:
    settings = {"PUBLIC_URL": "https://streams.example", "EVIDENCE_URL_TTL_SEC": 3600}
    objects = rendered(changed("gateway.settings", settings))
    gateway = variables.read(GatewaySettings, environment_of(objects, "gateway"))
    worker = variables.read(WorkerSettings, environment_of(objects, "orchestrator"))
    assert gateway.public_url == worker.public_url == "https://streams.example"
    assert gateway.evidence_url_ttl_sec == worker.evidence_url_ttl_sec == 3600


def test_a_worker_without_requests_measures_by_the_cores_that_it_sees() -> None:
    environment = environment_of(rendered(changed("probe.pool.resources", None)), "probe")
    assert "PROBES_AT_ONCE" not in environment


def test_a_setting_of_the_secret_is_there_once() -> None:
    values = changed("workers.secretSettings", ["PROBES_AT_ONCE"])
    deployment = of_kind(rendered(values), "Deployment")["probe"]
    assert str(deployment).count("'name': 'PROBES_AT_ONCE'") == 1


@pytest.mark.parametrize("of", ["workers", "probe"])
def test_how_many_segments_are_measured_at_once_may_be_set(of: str) -> None:
    values = changed(f"{of}.settings", {"PROBES_AT_ONCE": 6})
    deployment = of_kind(rendered(values), "Deployment")["probe"]
    assert "PROBES_AT_ONCE" not in str(deployment), "it would hide the one of the ConfigMap"
    assert environment_of(rendered(values), "probe")["PROBES_AT_ONCE"] == "6"


def test_private_receivers_are_known_to_whoever_judges_them() -> None:
    values = changed("webhookPrivateHosts", ["hooks.local:8080", "[fd00::1]:80"])
    for component, kind in (("gateway", GatewaySettings), ("orchestrator", WorkerSettings)):
        settings = variables.read(kind, environment_of(rendered(values), component))
        assert settings.webhook_private_hosts == [("hooks.local", 8080), ("fd00::1", 80)]
    assert "networkPolicy.extraWorkerEgress must let them" in notes_of(values)
    rule = {"to": [{"ipBlock": {"cidr": "10.1.2.4/32"}}]}
    values["networkPolicy"] = {"extraWorkerEgress": [rule]}
    assert "extraWorkerEgress" not in notes_of(values)
