"""What an orchestrator's settings mean for its Pods."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from typer.testing import CliRunner

from activities.pod_declarations import PodReconciliationReport
from cli.main import app
from kube.api_errors import CallFailed, CallRefused, NameTaken
from kube.pod_manifest import PodTemplate
from runtime.settings import SettingsError, WorkerSettings, load_settings
from runtime.version import VERSION
from tests.testkit.pod_states import MONITOR_ID
from worker.main import run_worker
from worker.pod_metrics import PodMetrics
from worker.pod_setup import check_pods, pod_template

REQUIRED = {
    "CALLBACK_URL": "http://gateway:8080",
    "INTERNAL_API_KEY": "internal-key-of-more-than-32-bytes",
    "WEBHOOK_SIGNING_KEY": "signing-key-of-more-than-32-bytes",
}
PODS = {
    "PROBE_PLACEMENT": "pod",
    "WORKER_IMAGE": "registry.example/stream-tracker",
    "POD_SECRET": "keys",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in WorkerSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return monkeypatch


def settings(environment: pytest.MonkeyPatch, **variables: str) -> WorkerSettings:
    for name, value in {**REQUIRED, **PODS, **variables}.items():
        environment.setenv(name, value)
    return load_settings(WorkerSettings)


def template(environment: pytest.MonkeyPatch, **variables: str) -> PodTemplate:
    return pod_template(
        settings(environment, **variables), {**REQUIRED, **PODS, **variables, "PATH": "/bin"}
    )


def test_pods_get_what_concerns_probing(environment: pytest.MonkeyPatch) -> None:
    made = template(
        environment,
        LOG_LEVEL="warning",
        ALLOW_PRIVATE_NETWORKS="true",
        HTTPS_PROXY="http://proxy:3128",
        DRAIN_SEC="20",
        TEMPORAL_ADDRESS="temporal:7233",
        WEBHOOK_MAX_ATTEMPTS="9",
        WORKER_ROLE="orchestrator",
    )
    assert made.environment == {
        "CALLBACK_URL": "http://gateway:8080",
        "LOG_LEVEL": "warning",
        "ALLOW_PRIVATE_NETWORKS": "true",
        "HTTPS_PROXY": "http://proxy:3128",
        "DRAIN_SEC": "20",
        "TEMPORAL_ADDRESS": "temporal:7233",
        "SEGMENTS_MEMORY_BYTES": "134217728",
    }
    assert made.drain_sec == 20


def test_no_secret_is_seen(environment: pytest.MonkeyPatch) -> None:
    made = template(
        environment,
        TEMPORAL_API_KEY="temporal-key",
        TEMPORAL_GRPC_META_AUTHORIZATION="Bearer temporal-key",
        YTDLP_EXTRACTOR_ARGS="youtube:po_token=web+token",
        HTTPS_PROXY="http://user:password@proxy:3128",
    )
    assert made.secret_name == "keys"
    assert made.secret_variables == [
        "HTTPS_PROXY",
        "INTERNAL_API_KEY",
        "TEMPORAL_API_KEY",
        "TEMPORAL_GRPC_META_AUTHORIZATION",
        "YTDLP_EXTRACTOR_ARGS",
    ]
    assert made.environment == {
        "CALLBACK_URL": "http://gateway:8080",
        "SEGMENTS_MEMORY_BYTES": "134217728",
    }


def test_segments_get_a_part_of_a_pods_memory(environment: pytest.MonkeyPatch) -> None:
    larger = template(environment, SEGMENT_MAX_BYTES="100000000")
    assert larger.environment["SEGMENTS_MEMORY_BYTES"] == "200000000"
    given = template(environment, SEGMENTS_MEMORY_BYTES="300000000")
    assert given.environment["SEGMENTS_MEMORY_BYTES"] == "300000000"


def test_image_and_resources(environment: pytest.MonkeyPatch) -> None:
    made = template(environment)
    assert made.image == f"registry.example/stream-tracker:{VERSION}"
    assert made.requests == {"cpu": "100m", "memory": "256Mi"}
    assert made.limits == {"cpu": "500m", "memory": "512Mi"}
    assert made.pull_policy == "IfNotPresent"
    assert made.extra == {}
    other = template(
        environment,
        WORKER_IMAGE_TAG="7",
        POD_MEMORY_LIMIT="1Gi",
        POD_NODE_SELECTOR='{"disk": "ssd"}',
        POD_TOLERATIONS='[{"key": "streams", "operator": "Exists"}]',
        POD_IMAGE_PULL_SECRETS='["registry"]',
        POD_IMAGE_PULL_POLICY="Always",
    )
    assert other.pull_policy == "Always"
    assert other.image == "registry.example/stream-tracker:7"
    assert other.limits["memory"] == "1Gi"
    assert other.extra == {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "streams", "operator": "Exists"}],
        "imagePullSecrets": [{"name": "registry"}],
    }


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROBE_PLACEMENT", "node"),
        ("NAMESPACE", "Not A Name"),
        ("POD_CPU_LIMIT", "half"),
        ("POD_NODE_SELECTOR", "disk=ssd"),
        ("POD_NODE_SELECTOR", '["disk"]'),
        ("POD_TOLERATIONS", "{}"),
        ("POD_MAX_FAILURES", "0"),
        ("MONITOR_ID", "mon-1"),
        ("HEARTBEAT_TIMEOUT_SEC", "0"),
        ("WATCH_RETRY_SEC", "never"),
        ("PROBE_POLLS", "0"),
    ],
)
def test_a_bad_setting_is_named(environment: pytest.MonkeyPatch, variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{variable}: ") as refused:
        settings(environment, **{variable: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("variable", ["WORKER_IMAGE", "POD_SECRET"])
async def test_pods_need(environment: pytest.MonkeyPatch, variable: str) -> None:
    lacking = settings(environment, **{variable: ""})
    with pytest.raises(SettingsError, match=f"^{variable}: is required with PROBE_PLACEMENT=pod$"):
        await run_worker(lacking)


@pytest.mark.parametrize("kubeconfig", [None, "", "clusters: ["])
async def test_pods_need_a_cluster(
    environment: pytest.MonkeyPatch, tmp_path: Path, kubeconfig: str | None
) -> None:
    environment.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    path = tmp_path / "kubeconfig"
    if kubeconfig is not None:
        path.write_text(kubeconfig)
    environment.setenv("KUBECONFIG", str(path))
    with pytest.raises(
        SettingsError, match=r"^PROBE_PLACEMENT: pod, but the Kubernetes API is not configured"
    ) as refused:
        await check_pods(settings(environment))
    assert "\n" not in str(refused.value)


async def test_a_worker_of_one_monitor_only_probes(environment: pytest.MonkeyPatch) -> None:
    pod = settings(environment, MONITOR_ID=MONITOR_ID, PROBE_PLACEMENT="pool")
    with pytest.raises(SettingsError, match=r"^MONITOR_ID: needs WORKER_ROLE=probe$"):
        await asyncio.wait_for(run_worker(pod), 10)


def test_a_setting_that_is_missing_for_pods_is_a_bad_setting(
    environment: pytest.MonkeyPatch,
) -> None:
    settings(environment, WORKER_IMAGE="")
    done = CliRunner().invoke(app, ["worker"])
    assert done.exit_code == 2
    assert done.stderr.strip() == "WORKER_IMAGE: is required with PROBE_PLACEMENT=pod"


def test_pods_and_calls_are_counted() -> None:
    registry = CollectorRegistry()
    with PodMetrics(registry) as metrics:
        with metrics.call("create"):
            pass
        with pytest.raises(CallFailed), metrics.call("create"):
            raise CallRefused("no rights yet", status=403)
        with pytest.raises(CallFailed), metrics.call("get"):
            raise CallFailed("no answer")
        with pytest.raises(NameTaken), metrics.call("create"):
            raise NameTaken
        metrics.reconciled(PodReconciliationReport(removed=2))
        shown = generate_latest(registry).decode()
    assert 'stream_tracker_kubernetes_call_duration_seconds_count{verb="create"} 3.0' in shown
    failures = "stream_tracker_kubernetes_call_failures_total"
    assert f'{failures}{{status="403",verb="create"}} 1.0' in shown
    assert f'{failures}{{status="none",verb="get"}} 1.0' in shown
    assert 'stream_tracker_pods_reconciled_total{what="removed"} 2.0' in shown
    assert 'stream_tracker_probe_pods{phase="Running"} 0.0' in shown
    assert generate_latest(registry) == b""


def test_nothing_of_it_is_needed_by_a_pool(environment: pytest.MonkeyPatch) -> None:
    variables: dict[str, Any] = dict.fromkeys(PODS, "")
    assert settings(environment, **variables).probe_placement.value == "pool"
