"""What a Pod's object says of its failure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kubernetes.aio.client import V1Pod

from kube.pod_manifest import pod_manifest
from kube.pod_status import read_pod
from monitors.pods import PodStatus
from tests.testkit.pod_states import (
    EVICTED,
    MONITOR_ID,
    NAME,
    READY,
    RUNNING,
    TEMPLATE,
    terminated,
    unready,
    unschedulable,
    waiting,
)

MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
START_TIMEOUT = timedelta(seconds=60)
GOING = {"deletionTimestamp": "2026-01-02T03:05:00Z"}
TAINTED = {
    "conditions": [
        {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    ]
}


def seen(
    status: dict[str, Any], meta: dict[str, Any] | None = None, age_sec: int = 10
) -> PodStatus:
    manifest = pod_manifest(TEMPLATE, MONITOR_ID, 1)
    manifest["metadata"] |= {"uid": "u-1", "creationTimestamp": MADE.isoformat(), **(meta or {})}
    pod = V1Pod.model_validate({**manifest, "status": status})
    return read_pod(pod, now=MADE + timedelta(seconds=age_sec), start_timeout=START_TIMEOUT)


@pytest.mark.parametrize(
    ("status", "reason", "exit_code"),
    [
        pytest.param(terminated(137, "OOMKilled"), "OOMKilled", 137, id="memory"),
        pytest.param(terminated(2, "Error"), "Error", 2, id="bad setting"),
        pytest.param(terminated(0, "Completed"), "Completed", 0, id="drained by its node"),
        pytest.param(waiting("ErrImagePull"), "ErrImagePull", None, id="image"),
        pytest.param(waiting("ImagePullBackOff"), "ImagePullBackOff", None, id="image again"),
        pytest.param(
            waiting("CreateContainerConfigError"), "CreateContainerConfigError", None, id="secret"
        ),
        pytest.param(waiting("CrashLoopBackOff"), "CrashLoopBackOff", None, id="crashes"),
        pytest.param(EVICTED, "Evicted", None, id="evicted"),
        pytest.param(terminated(0, "Completed") | EVICTED, "Evicted", 0, id="evicted, drained"),
        pytest.param(
            terminated(0, "Completed") | TAINTED,
            "PreemptionByScheduler",
            0,
            id="preempted, drained",
        ),
        pytest.param({"phase": "Failed"}, "Failed", None, id="failed without a word"),
    ],
)
def test_a_failure_is_seen_at_once(
    status: dict[str, Any], reason: str, exit_code: int | None
) -> None:
    failure = seen(status).failure
    assert failure
    assert (failure.uid, seen(status).pod_name) == ("u-1", NAME)
    assert (failure.reason, failure.exit_code) == (reason, exit_code)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({}, id="new"),
        pytest.param({"phase": "Pending"}, id="pending"),
        pytest.param(waiting("ContainerCreating"), id="being made"),
        pytest.param(unschedulable("0/3 nodes are available"), id="no node yet"),
        pytest.param(RUNNING, id="running"),
    ],
)
def test_a_pod_that_may_come_up_is_in_no_trouble(status: dict[str, Any]) -> None:
    assert seen(status).failure is None


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        pytest.param(unschedulable("0/3 nodes"), "Unschedulable", "0/3 nodes", id="no node"),
        pytest.param({"phase": "Pending"}, "StartTimeout", "not running after 60 s", id="pending"),
        pytest.param(
            waiting("ContainerCreating"), "StartTimeout", "not running after 60 s", id="made"
        ),
    ],
)
def test_a_pod_that_does_not_come_up_has_failed_after_a_while(
    status: dict[str, Any], reason: str, message: str
) -> None:
    assert seen(status, age_sec=59).failure is None
    failure = seen(status, age_sec=61).failure
    assert failure
    assert (failure.reason, failure.message) == (reason, message)


def test_a_pod_is_ready_when_its_worker_takes_streams() -> None:
    assert not seen(RUNNING).is_ready
    assert not seen(unready(MADE.isoformat())).is_ready
    assert seen(READY).is_ready


def test_a_running_pod_may_be_old() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert seen(RUNNING, age_sec=100_000).failure is None
    assert seen(RUNNING | ready, age_sec=100_000).failure is None


def test_a_worker_that_runs_and_is_not_ready_has_failed_after_a_while() -> None:
    since = (MADE + timedelta(seconds=100)).isoformat()
    assert seen(unready(since), age_sec=159).failure is None
    failure = seen(unready(since), age_sec=161).failure
    assert failure
    assert (
        failure.description == "NotReady: its worker runs, but does not reach Temporal after 60 s"
    )
    ended = seen(unready(since, phase="Succeeded"), age_sec=161).failure
    assert ended
    assert ended.reason == "Succeeded"


def test_a_pod_that_is_deleted_has_failed() -> None:
    pod = seen(RUNNING, GOING)
    assert pod.failure
    assert pod.failure.reason == "Deleted"
    assert pod.deletion_deadline == datetime(2026, 1, 2, 3, 5, tzinfo=UTC)


def test_a_pod_that_drained_since_it_is_deleted_says_so() -> None:
    failure = seen(terminated(0, "Completed"), GOING).failure
    assert failure
    assert (failure.reason, failure.exit_code) == ("Deleted", 0)


def test_why_the_cluster_deletes_it_is_told() -> None:
    for status in (RUNNING, terminated(0, "Completed"), terminated(137, "Error")):
        failure = seen(status | TAINTED, GOING).failure
        assert failure
        assert failure.reason == "PreemptionByScheduler"


def test_the_description_of_a_failure() -> None:
    failure = seen(terminated(137, "OOMKilled")).failure
    assert failure
    assert failure.description == "OOMKilled, exit code 137"
