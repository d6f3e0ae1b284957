"""The activities of Pods: what each fault of the Kubernetes API means for their retries."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import POD_REFUSED, PodDeletion, PodOrder
from activities.probe_pods import ProbePods
from kube.cluster import PodCluster
from tests.kube.api import FakeApi
from tests.kube.conftest import api, cluster, served
from tests.kube.pods import MONITOR_ID, NAME, terminated

__all__ = ["api", "cluster", "served"]

ORDER = PodOrder(monitor_id=MONITOR_ID)


async def ensure(cluster: PodCluster) -> str:
    pod = await ActivityEnvironment().run(ProbePods(cluster).ensure, ORDER)
    return pod.uid


async def failure(cluster: PodCluster) -> ApplicationError:
    with pytest.raises(ApplicationError) as failed:
        await ensure(cluster)
    return failed.value


async def test_a_pod_that_is_there_is_adopted(cluster: PodCluster) -> None:
    assert await ensure(cluster) == await ensure(cluster)


async def test_a_pod_that_failed_is_returned_with_its_trouble(
    api: FakeApi, cluster: PodCluster
) -> None:
    await ensure(cluster)
    api.set_status(NAME, **terminated(137, "OOMKilled"))
    pod = await ActivityEnvironment().run(ProbePods(cluster).ensure, ORDER)
    assert pod.trouble
    assert pod.trouble.reason == "OOMKilled"


async def test_a_pod_of_somebody_else_is_left_alone(api: FakeApi, cluster: PodCluster) -> None:
    await ensure(cluster)
    api.change(NAME, {"metadata": {"labels": {"monitor-id": "mon-of-somebody-else"}}})
    failed = await failure(cluster)
    assert failed.type == POD_REFUSED
    assert failed.non_retryable
    assert "none of ours" in failed.message


async def test_a_pod_that_leaves_is_waited_for(api: FakeApi, cluster: PodCluster) -> None:
    api.has_kubelet = True
    first = await ensure(cluster)
    await cluster.delete(MONITOR_ID)
    failed = await failure(cluster)
    assert (failed.type, failed.non_retryable) == ("PodLeaving", False)
    assert failed.next_retry_delay == timedelta(seconds=1)
    api.remove(NAME)
    assert await ensure(cluster) != first


async def test_a_pod_on_a_lost_node_is_struck_off(api: FakeApi, cluster: PodCluster) -> None:
    api.has_kubelet = True
    first = await ensure(cluster)
    api.change(NAME, {"metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}})
    assert (await failure(cluster)).type == "PodLeaving"
    assert await ensure(cluster) != first


async def test_a_pod_that_goes_just_then_is_asked_for_again(
    api: FakeApi, cluster: PodCluster
) -> None:
    api.fail("create", 409)
    assert (await failure(cluster)).type == "PodLeaving"


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_what_will_never_work_is_final(
    api: FakeApi, cluster: PodCluster, status: int
) -> None:
    api.fail("create", status)
    failed = await failure(cluster)
    assert (failed.type, failed.non_retryable) == (POD_REFUSED, True)
    assert f"scripted {status}" in failed.message


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
    failed = await failure(cluster)
    assert (failed.type, failed.non_retryable) == ("KubernetesUnavailable", False)
    assert words in failed.message
    assert await ensure(cluster)


async def test_a_quota_that_the_pod_can_never_satisfy_is_final(
    api: FakeApi, cluster: PodCluster
) -> None:
    api.fail("create", 403, message="failed quota: ten: must specify limits.ephemeral-storage")
    assert (await failure(cluster)).type == POD_REFUSED


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
    failed = await failure(cluster)
    assert (failed.type, failed.non_retryable) == ("KubernetesUnavailable", False)
    wanted = timedelta(seconds=delay_sec) if delay_sec else None
    assert failed.next_retry_delay == wanted
    assert await ensure(cluster)


async def test_no_pod_is_there_to_be_inspected(cluster: PodCluster) -> None:
    pods = ProbePods(cluster)
    assert (await ActivityEnvironment().run(pods.inspect, ORDER)).pod is None
    uid = await ensure(cluster)
    pod = (await ActivityEnvironment().run(pods.inspect, ORDER)).pod
    assert pod
    assert pod.uid == uid


async def test_a_deletion_may_come_twice(api: FakeApi, cluster: PodCluster) -> None:
    await ensure(cluster)
    for _ in range(2):
        deletion = PodDeletion(monitor_id=MONITOR_ID)
        await ActivityEnvironment().run(ProbePods(cluster).delete, deletion)
    assert api.pods == {}


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_deletion_is_never_given_up(api: FakeApi, cluster: PodCluster, status: int) -> None:
    api.fail("delete", status)
    deletion = PodDeletion(monitor_id=MONITOR_ID)
    with pytest.raises(ApplicationError) as failed:
        await ActivityEnvironment().run(ProbePods(cluster).delete, deletion)
    assert not failed.value.non_retryable
