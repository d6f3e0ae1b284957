"""One watch sees what becomes of all Pods."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from kube.cluster import PodCluster
from kube.reflector import RELIST_MAX_SEC, RELIST_MIN_SEC, PodReflector, relist_wait_sec
from monitors.pods import PodFailure
from tests.kube.conftest import pod_cluster
from tests.testkit.fake_kube_api import FakeApi
from tests.testkit.pod_states import (
    MONITOR_ID,
    NAME,
    OTHER_ID,
    OTHER_NAME,
    READY,
    RUNNING,
    terminated,
    unready,
    unschedulable,
    waiting,
)


class Listener:
    """Hears of Pods; refuses to as often as it is told to."""

    def __init__(self) -> None:
        self.ready: list[tuple[str, str]] = []
        self.heard: list[tuple[str, PodFailure]] = []
        self.deaf = 0
        self._came = asyncio.Event()

    async def on_ready(self, monitor_id: str, uid: str) -> bool:
        self.ready.append((monitor_id, uid))
        self._came.set()
        return True

    async def on_failure(self, monitor_id: str, failure: PodFailure) -> bool:
        if self.deaf:
            self.deaf -= 1
            return False
        self.heard.append((monitor_id, failure))
        self._came.set()
        return True

    async def reasons(self, count: int) -> list[str]:
        """Wait until so much was heard, and return the reasons."""
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                self._came.clear()
                await self._came.wait()
        return [failure.reason for _, failure in self.heard]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def reflector(
    api: FakeApi, cluster: PodCluster, listener: Listener
) -> AsyncIterator[PodReflector]:
    reflector = PodReflector(cluster, listener)
    running = asyncio.create_task(reflector.run())
    await api.until(lambda: api.calls["watch"])
    yield reflector
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.usefixtures("reflector")
async def test_a_pod_that_fails_is_told_of_once(
    api: FakeApi, cluster: PodCluster, listener: Listener
) -> None:
    await cluster.create(MONITOR_ID, 1)
    api.set_status(NAME, **RUNNING)
    api.set_status(NAME, **terminated(137, "OOMKilled"))
    api.set_status(NAME, **terminated(137, "OOMKilled"), message="once more")
    await cluster.create(OTHER_ID, 1)
    await cluster.delete(OTHER_NAME)
    assert await listener.reasons(2) == ["OOMKilled", "Deleted"]
    assert [monitor_id for monitor_id, _ in listener.heard] == [MONITOR_ID, OTHER_ID]


@pytest.mark.usefixtures("reflector")
async def test_a_pod_that_becomes_ready_is_told_of_once(
    api: FakeApi, cluster: PodCluster, listener: Listener
) -> None:
    pod = await cluster.create(MONITOR_ID, 1)
    api.set_status(NAME, **unready(datetime.now(UTC).isoformat()))
    api.set_status(NAME, **READY)
    api.set_status(NAME, **READY, message="once more")
    api.set_status(NAME, **terminated(1, "Error"))
    assert await listener.reasons(1) == ["Error"]
    assert listener.ready == [(MONITOR_ID, pod.uid)]


@pytest.mark.usefixtures("reflector")
async def test_what_is_not_heard_is_told_again(
    api: FakeApi, cluster: PodCluster, listener: Listener
) -> None:
    listener.deaf = 1
    await cluster.create(MONITOR_ID, 1)
    api.set_status(NAME, **waiting("ErrImagePull"))
    assert await listener.reasons(1) == ["ErrImagePull"]


async def test_what_happened_unseen_is_found_by_listing_again(
    api: FakeApi, cluster: PodCluster, listener: Listener, reflector: PodReflector
) -> None:
    await cluster.create(MONITOR_ID, 1)
    await cluster.create(OTHER_ID, 1)
    await until_seen(reflector, 2)
    api.longest_watch_sec = 0.0  # the watch ends, and its version is too old for the next one
    api.set_status(NAME, **terminated(1, "Error"))
    api.remove(OTHER_NAME)
    api.expire_versions()
    assert sorted(await listener.reasons(2)) == ["Deleted", "Error"]


async def test_what_happened_behind_a_dead_connection_is_found(
    served: tuple[FakeApi, str], listener: Listener
) -> None:
    api, url = served
    async with pod_cluster(url, silence_sec=0.5) as cluster:
        running = asyncio.create_task(PodReflector(cluster, listener).run())
        await cluster.create(MONITOR_ID, 1)
        await api.until(lambda: api.calls["watch"])
        api.is_silent = True
        api.set_status(NAME, **terminated(137, "OOMKilled"))
        assert await listener.reasons(1) == ["OOMKilled"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_failures_of_the_api_are_outlived(
    api: FakeApi, cluster: PodCluster, listener: Listener
) -> None:
    api.fail("list", 500)
    api.fail("watch", 503)
    running = asyncio.create_task(PodReflector(cluster, listener).run())
    await api.until(lambda: api.calls["watch"] == 2)
    await cluster.create(MONITOR_ID, 1)
    api.set_status(NAME, **terminated(1, "Error"))
    assert await listener.reasons(1) == ["Error"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_an_api_that_restarts_every_half_minute_is_watched_again_at_once() -> None:
    wait_sec = RELIST_MIN_SEC
    for _ in range(10):
        wait_sec = relist_wait_sec(wait_sec, lasted_sec=24.0 - wait_sec)
    assert wait_sec == RELIST_MIN_SEC


def test_an_api_that_breaks_every_watch_is_asked_less_and_less() -> None:
    wait_sec = RELIST_MIN_SEC
    for _ in range(10):
        wait_sec = relist_wait_sec(wait_sec, lasted_sec=1.0)
    assert wait_sec == RELIST_MAX_SEC


@pytest.mark.usefixtures("reflector")
async def test_a_pod_that_finds_no_node_is_told_of_when_its_time_is_up(
    api: FakeApi, cluster: PodCluster, listener: Listener
) -> None:
    cluster.start_timeout = timedelta(seconds=1)
    await cluster.create(MONITOR_ID, 1)
    api.set_status(NAME, **unschedulable("0/3 nodes are available"))
    assert await listener.reasons(1) == ["Unschedulable"]
    assert listener.heard[0][1].message == "0/3 nodes are available"


@pytest.mark.usefixtures("reflector")
async def test_a_worker_that_does_not_become_ready_is_told_of_when_its_time_is_up(
    api: FakeApi, cluster: PodCluster, listener: Listener
) -> None:
    cluster.start_timeout = timedelta(seconds=1)
    await cluster.create(MONITOR_ID, 1)
    api.set_status(NAME, **unready(datetime.now(UTC).isoformat()))
    assert await listener.reasons(1) == ["NotReady"]


async def test_pods_can_be_counted(
    api: FakeApi, cluster: PodCluster, reflector: PodReflector
) -> None:
    await cluster.create(MONITOR_ID, 1)
    await until_seen(reflector, 1)
    assert [pod.monitor_id for pod in reflector.pods] == [MONITOR_ID]


async def until_seen(reflector: PodReflector, count: int) -> None:
    async with asyncio.timeout(10):
        while len(reflector.pods) != count:
            await asyncio.sleep(0.01)
