"""The activities of Pods: what each fault of the Kubernetes API means for their retries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.pod_declarations import POD_REFUSED, PodDeletion, PodInput
from activities.probe_pods import ProbePods
from kube.cluster import PodCluster
from tests.kube.conftest import api, cluster, served
from tests.testkit.fake_kube_api import FakeApi
from tests.testkit.pod_states import MONITOR_ID, NAME, terminated

__all__ = ["api", "cluster", "served"]

ORDER = PodInput(monitor_id=MONITOR_ID, number=1, patience_sec=600)
DELETION = PodDeletion(monitor_id=MONITOR_ID, number=1)


async def ensure(cluster: PodCluster, order: PodInput = ORDER) -> str:
    pod = await ActivityEnvironment().run(ProbePods(cluster).ensure_probe_pod, order)
    return pod.uid


async def failure(cluster: PodCluster, *, heartbeat: object = None) -> tuple[ApplicationError, Any]:
    """Return what an attempt fails with, and the heartbeat that it leaves.

    Args:
        cluster: that is asked.
        heartbeat: that the last attempt left.
    """
    left: list[Any] = [heartbeat]
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, heartbeat_details=left)
    environment.on_heartbeat = lambda *details: left.extend(details)
    with pytest.raises(ApplicationError) as failed:
        await environment.run(ProbePods(cluster).ensure_probe_pod, ORDER)
    return failed.value, left[-1]


async def test_a_pod_that_is_there_is_adopted(cluster: PodCluster) -> None:
    assert await ensure(cluster) == await ensure(cluster)


async def test_a_pod_that_failed_is_returned_with_its_failure(
    api: FakeApi, cluster: PodCluster
) -> None:
    await ensure(cluster)
    api.set_status(NAME, **terminated(137, "OOMKilled"))
    pod = await ActivityEnvironment().run(ProbePods(cluster).ensure_probe_pod, ORDER)
    assert pod.failure
    assert pod.failure.reason == "OOMKilled"


async def test_a_pod_of_somebody_else_is_left_alone(api: FakeApi, cluster: PodCluster) -> None:
    await ensure(cluster)
    api.change(NAME, {"metadata": {"labels": {"monitor-id": "mon-of-somebody-else"}}})
    failed, _ = await failure(cluster)
    assert failed.type == POD_REFUSED
    assert failed.non_retryable
    assert "belongs to something else" in failed.message


async def test_a_pod_that_leaves_is_returned_as_one_that_failed(
    api: FakeApi, cluster: PodCluster
) -> None:
    api.has_kubelet = True
    await ensure(cluster)
    await cluster.delete(NAME)
    pod = await ActivityEnvironment().run(ProbePods(cluster).ensure_probe_pod, ORDER)
    assert pod.failure
    assert pod.failure.reason == "Deleted"


async def test_the_next_pod_waits_for_no_lost_node(api: FakeApi, cluster: PodCluster) -> None:
    api.has_kubelet = True
    first = await ensure(cluster)
    await cluster.delete(NAME)
    assert await ensure(cluster, ORDER.model_copy(update={"number": 2})) != first
    assert len(api.pods) == 2


async def test_a_pod_that_goes_just_then_is_asked_for_again(
    api: FakeApi, cluster: PodCluster
) -> None:
    api.fail("create", 409)
    failed, _ = await failure(cluster)
    assert (failed.non_retryable, failed.next_retry_delay) == (False, timedelta(seconds=1))


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_what_is_refused_is_tried_again_for_a_while_and_then_final(
    api: FakeApi, cluster: PodCluster, status: int
) -> None:
    """A server that has just started refuses what it takes a moment later."""
    api.fail("create", status, times=3)
    failed, since = await failure(cluster)
    assert (failed.type, failed.non_retryable) == ("KubernetesUnavailable", False)
    assert f"scripted {status}" in failed.message
    failed, again = await failure(cluster, heartbeat=since)
    assert (failed.non_retryable, again) == (False, since)
    failed, _ = await failure(cluster, heartbeat=ago(600))
    assert (failed.type, failed.non_retryable) == (POD_REFUSED, True)
    assert f"scripted {status}" in failed.message


async def test_only_refusals_in_a_row_count(api: FakeApi, cluster: PodCluster) -> None:
    api.fail("create", 503)
    failed, since = await failure(cluster, heartbeat=ago(600))
    assert (failed.non_retryable, since) == (False, None)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param('cannot create resource "pods" in API group ""', id="Roles are not read yet"),
        pytest.param("not yet ready to handle request", id="a plugin is not ready"),
    ],
)
async def test_a_server_that_starts_is_waited_for(
    api: FakeApi, cluster: PodCluster, words: str
) -> None:
    api.fail("create", 403, message=words)
    failed, _ = await failure(cluster)
    assert not failed.non_retryable
    assert words in failed.message
    assert await ensure(cluster)


async def test_an_inspection_that_is_refused_is_tried_again(
    api: FakeApi, cluster: PodCluster
) -> None:
    await ensure(cluster)
    api.fail("fetch", 403)
    with pytest.raises(ApplicationError, match="scripted 403") as failed:
        await ActivityEnvironment().run(ProbePods(cluster).inspect_probe_pod, ORDER)
    assert not failed.value.non_retryable


@pytest.mark.parametrize(
    "words",
    [
        'pods "p" is forbidden: exceeded quota: ten, requested: pods=1, used: pods=10, limited: '
        "pods=10",
        'pods "p" is forbidden: status unknown for quota: ten, resources: pods',
    ],
)
async def test_a_quota_that_is_used_up_passes(
    api: FakeApi, cluster: PodCluster, words: str
) -> None:
    api.fail("create", 403, message=words)
    failed, since = await failure(cluster, heartbeat=ago(600))
    assert (failed.non_retryable, since) == (False, None)
    assert words in failed.message
    assert await ensure(cluster)


async def test_a_quota_that_the_pod_can_never_satisfy_is_final(
    api: FakeApi, cluster: PodCluster
) -> None:
    api.fail("create", 403, message="failed quota: ten: must specify limits.ephemeral-storage")
    failed, _ = await failure(cluster, heartbeat=ago(600))
    assert failed.type == POD_REFUSED


@pytest.mark.parametrize(
    ("status", "retry_after", "delay_sec"),
    [
        pytest.param(429, "7", 7, id="busy, and says until when"),
        pytest.param(429, "99999", 60, id="busy for very long"),
        pytest.param(429, "soon", None, id="busy"),
        pytest.param(500, "", None, id="broken"),
        pytest.param(503, "2", 2, id="starting"),
    ],
)
async def test_what_passes_is_tried_again(
    api: FakeApi, cluster: PodCluster, status: int, retry_after: str, delay_sec: float | None
) -> None:
    api.fail("create", status, Retry_After=retry_after)
    failed, _ = await failure(cluster)
    assert (failed.type, failed.non_retryable) == ("KubernetesUnavailable", False)
    wanted = timedelta(seconds=delay_sec) if delay_sec else None
    assert failed.next_retry_delay == wanted
    assert await ensure(cluster)


async def test_no_pod_is_there_to_be_inspected(cluster: PodCluster) -> None:
    pods = ProbePods(cluster)
    assert (await ActivityEnvironment().run(pods.inspect_probe_pod, ORDER)).pod is None
    uid = await ensure(cluster)
    pod = (await ActivityEnvironment().run(pods.inspect_probe_pod, ORDER)).pod
    assert pod
    assert pod.uid == uid


async def test_a_deletion_may_come_twice(api: FakeApi, cluster: PodCluster) -> None:
    await ensure(cluster)
    for _ in range(2):
        await ActivityEnvironment().run(ProbePods(cluster).delete_probe_pod, DELETION)
    assert api.pods == {}


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_deletion_is_never_given_up(api: FakeApi, cluster: PodCluster, status: int) -> None:
    api.fail("delete", status)
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(ProbePods(cluster).delete_probe_pod, DELETION)
    assert not failed.value.non_retryable


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
