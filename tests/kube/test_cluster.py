"""Each call of the Kubernetes API, with the real client over HTTP."""

import asyncio

import kmock
import pytest

from kube.api_errors import CallFailed, CallRefused, NameTaken
from kube.cluster import PodChange, PodCluster
from tests.kube.conftest import pod_cluster
from tests.testkit.fake_kube_api import PODS, FakeApi
from tests.testkit.pod_states import MONITOR_ID, NAME, OTHER_ID, OTHER_NAME, RUNNING, terminated


async def test_a_pod_is_made_seen_and_deleted(api: FakeApi, cluster: PodCluster) -> None:
    made = await cluster.create(MONITOR_ID, 1)
    assert (made.monitor_id, made.pod_name, made.phase) == (MONITOR_ID, NAME, "Pending")
    assert await cluster.get(NAME) == made
    assert await cluster.delete(NAME)
    assert await cluster.get(NAME) is None
    assert api.pods == {}


async def test_a_name_is_taken_once(cluster: PodCluster) -> None:
    await cluster.create(MONITOR_ID, 1)
    with pytest.raises(NameTaken):
        await cluster.create(MONITOR_ID, 1)


async def test_a_pod_that_is_not_there_is_deleted_already(cluster: PodCluster) -> None:
    assert not await cluster.delete(NAME)


async def test_a_later_pod_of_the_same_name_is_spared(api: FakeApi, cluster: PodCluster) -> None:
    first = await cluster.create(MONITOR_ID, 1)
    await cluster.delete(NAME)
    await cluster.create(MONITOR_ID, 1)
    assert not await cluster.delete(NAME, uid=first.uid)
    assert list(api.pods) == [NAME]


async def test_what_a_lost_client_has_begun_is_done(api: FakeApi, cluster: PodCluster) -> None:
    has_begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def take_long(_: kmock.Request) -> None:
        has_begun.set()
        await may_go_on.wait()
        raise NotImplementedError  # kmock answers itself

    api[kmock.action.CREATE, PODS] << take_long
    async with asyncio.timeout(30):
        creating = asyncio.create_task(cluster.create(MONITOR_ID, 1))
        await has_begun.wait()
        creating.cancel()
        await asyncio.gather(creating, return_exceptions=True)
        # The server has noticed that its client has gone once it answers another one.
        assert await cluster.get(OTHER_NAME) is None
        may_go_on.set()
        await api.until(lambda: api.names == {NAME})


async def test_what_was_answered_costs_later_calls_no_time(
    api: FakeApi, cluster: PodCluster
) -> None:
    await cluster.create(MONITOR_ID, 1)
    await cluster.delete(NAME)
    assert (list(api), list(api.objects)) == ([], [])


async def test_only_our_own_pods_are_listed(api: FakeApi, cluster: PodCluster) -> None:
    await cluster.create(MONITOR_ID, 1)
    await cluster.create(OTHER_ID, 1)
    label = {"metadata": {"labels": {"app.kubernetes.io/instance": "another"}}}
    api.change(NAME, label)
    assert [pod.monitor_id for pod in (await cluster.list()).pods] == [OTHER_ID]


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422])
async def test_what_is_against_rules_or_rights_is_refused(
    api: FakeApi, cluster: PodCluster, status: int
) -> None:
    api.fail("create", status)
    with pytest.raises(CallRefused, match=f"answered {status} scripted {status}"):
        await cluster.create(MONITOR_ID, 1)


@pytest.mark.parametrize("status", [401, 408, 429, 500, 503, 504])
async def test_what_may_pass_is_a_failure(api: FakeApi, cluster: PodCluster, status: int) -> None:
    api.fail("create", status, Retry_After="7")
    with pytest.raises(CallFailed) as failure:
        await cluster.create(MONITOR_ID, 1)
    assert not isinstance(failure.value, CallRefused)
    assert (failure.value.status, failure.value.retry_after_sec) == (status, 7)


@pytest.mark.parametrize("verb", ["fetch", "delete"])
async def test_only_the_api_itself_knows_that_a_pod_is_not_there(
    api: FakeApi, cluster: PodCluster, verb: str
) -> None:
    """A server that has just started, or whose namespace is gone, answers 404 too."""
    await cluster.create(MONITOR_ID, 1)
    api.fail(verb, 404, message='namespaces "streams" not found')
    with pytest.raises(CallRefused, match="namespaces"):
        await (cluster.get(NAME) if verb == "fetch" else cluster.delete(NAME))


async def test_a_server_that_starts_refuses_and_then_takes_what_it_refused(
    api: FakeApi, cluster: PodCluster
) -> None:
    restarting = asyncio.create_task(api.restart(down_sec=0.3, denying_sec=0.3))
    await asyncio.sleep(0)
    with pytest.raises(CallFailed, match="does not answer"):
        await cluster.create(MONITOR_ID, 1)
    await api.until(lambda: not api.is_down)
    with pytest.raises(CallRefused, match="answered 403"):
        await cluster.create(MONITOR_ID, 1)
    await restarting
    assert await cluster.create(MONITOR_ID, 1)


async def test_changes_come_from_the_listed_version_on(api: FakeApi, cluster: PodCluster) -> None:
    await cluster.create(OTHER_ID, 1)
    version = (await cluster.list()).version
    await cluster.create(MONITOR_ID, 1)
    api.set_status(NAME, **RUNNING)
    api.set_status(NAME, **terminated(137, "OOMKilled"))
    await cluster.delete(NAME)
    changes = await _changes(cluster, version, 4)
    seen = [change.pod for change in changes if change.pod]
    assert [pod.phase for pod in seen] == ["Pending", "Running", "Failed", "Failed"]
    assert [change.is_gone for change in changes] == [False, False, False, True]
    assert seen[2].failure
    assert seen[2].failure.exit_code == 137


async def test_a_watch_ends_in_time(api: FakeApi, cluster: PodCluster) -> None:
    api.longest_watch_sec = 0.1
    version = (await cluster.list()).version
    assert [change async for change in cluster.changes(version)] == []


async def test_a_silent_watch_is_lost(served: tuple[FakeApi, str]) -> None:
    api, url = served
    api.is_silent = True
    async with pod_cluster(url, silence_sec=0.5) as cluster:
        version = (await cluster.list()).version
        with pytest.raises(CallFailed, match=r"silent for 0\.5 s"):
            await _changes(cluster, version, 1)


async def test_bookmarks_are_no_silence(served: tuple[FakeApi, str]) -> None:
    api, url = served
    api.bookmark_sec = 0.2
    async with pod_cluster(url, silence_sec=1) as cluster:
        version = (await cluster.list()).version
        changes = await _changes(cluster, version, 8)
    assert [change.pod for change in changes] == [None] * 8
    assert int(changes[-1].version) > int(version)


async def test_an_expired_version_is_a_failure(api: FakeApi, cluster: PodCluster) -> None:
    version = (await cluster.list()).version
    api.expire_versions()
    with pytest.raises(CallFailed) as failure:
        await _changes(cluster, version, 1)
    assert failure.value.status == 410


async def test_an_api_that_does_not_answer_is_a_failure() -> None:
    async with pod_cluster("http://127.0.0.1:1") as cluster:
        with pytest.raises(CallFailed, match="does not answer"):
            await cluster.get(NAME)


async def _changes(cluster: PodCluster, version: str, count: int) -> list[PodChange]:
    found: list[PodChange] = []
    async with asyncio.timeout(10):
        async for change in cluster.changes(version):
            found.append(change)
            if len(found) == count:
                break
    return found
