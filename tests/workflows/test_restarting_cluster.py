"""Monitors whose Pods are made by a Kubernetes API that keeps restarting.

The workflows, the activities of Pods and the watch on them are the real ones, and so is Temporal.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.declarations import Placement
from activities.probe_pods import ProbePods
from kube.cluster import PodCluster
from kube.reflector import PodReflector
from monitors.pods import PlacementKind
from monitors.status import MonitorStatus
from tests.kube.conftest import api, cluster, served
from tests.testkit import scripts
from tests.testkit.fake_activities import FakeActivities
from tests.testkit.fake_kube_api import FakeApi
from tests.testkit.scripted_pods import live_for_a_pod
from tests.testkit.temporal import SHORT_HISTORIES, connected, temporal_server
from tests.testkit.workflow_harness import Handle, an_order, start_monitor
from worker.pod_setup import MonitorSignals
from workflows.messages import STOP_SIGNAL, TASK_QUEUE, MonitorResult
from workflows.monitor import MonitorWorkflow

__all__ = ["api", "cluster", "served"]

AT_ONCE = 12
IN_A_ROW = 2
MONITORS = AT_ONCE * IN_A_ROW
DOWN_SEC = 0.3
DENYING_SEC = 0.7
UP_SEC = 1.5
LIFE_SEC = (0.5, 2.5)
PATIENCE_SEC = 90.0


@pytest.fixture
def address() -> Iterator[str]:
    with temporal_server(*SHORT_HISTORIES) as where:
        yield where


@pytest.fixture
async def client(address: str) -> Client:
    return await connected(address)


async def test_a_restarting_api_ends_no_monitor_and_leaves_no_pod(
    api: FakeApi, cluster: PodCluster, client: Client
) -> None:
    async with orchestrator(client, cluster, Placement(kind=PlacementKind.POD)):
        restarting = asyncio.create_task(keep_restarting(api))
        async with asyncio.timeout(PATIENCE_SEC):
            lives = [live(client, api) for _ in range(AT_ONCE)]
            ends = [end for each in await asyncio.gather(*lives) for end in each]
            while not (api.refused["create"] and api.refused["delete"]):
                ends += await live(client, api)
        restarting.cancel()
        await asyncio.gather(restarting, return_exceptions=True)
    assert {end.status for end in ends} == {MonitorStatus.STOPPED}
    assert len(ends) >= MONITORS
    assert api.pods == {}


async def test_an_api_that_never_takes_a_pod_ends_its_monitor_after_a_while(
    api: FakeApi, cluster: PodCluster, client: Client
) -> None:
    """What is refused for how long is known to each attempt by the heartbeat of the last one."""
    api.fail("create", 403, times=100)
    placement = Placement(kind=PlacementKind.POD, pod_patience_sec=2)
    async with orchestrator(client, cluster, placement):
        end = await (await start(client)).result()
    assert (end.status, end.error_reason) == (MonitorStatus.ERROR, "pod_failure")
    assert end.error_message
    assert end.error_message.endswith("(for 2 s)")


@asynccontextmanager
async def orchestrator(
    client: Client, cluster: PodCluster, placement: Placement
) -> AsyncIterator[None]:
    """Run one whose streams are all live."""
    activities = FakeActivities(looks=[live_for_a_pod(placement)] * MONITORS)
    pods = ProbePods(cluster)
    reflecting = asyncio.create_task(PodReflector(cluster, MonitorSignals(client)).run())
    async with Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[MonitorWorkflow],
        activities=[
            activities.wait_for_live,
            activities.deliver_webhook,
            activities.report_status,
            activities.report_event,
            pods.ensure_probe_pod,
            pods.inspect_probe_pod,
            pods.delete_probe_pod,
        ],
    ):
        yield
    reflecting.cancel()
    await asyncio.gather(reflecting, return_exceptions=True)


async def keep_restarting(api: FakeApi) -> None:
    while True:
        await api.restart(down_sec=DOWN_SEC, denying_sec=DENYING_SEC)
        await asyncio.sleep(UP_SEC)


async def live(client: Client, api: FakeApi) -> list[MonitorResult]:
    """Have monitors come and go, one after the other, with a Pod each."""
    ends = []
    for _ in range(IN_A_ROW):
        handle = await start(client)
        await api.until(lambda: any(handle.id in name for name in api.pods), within_sec=60)  # noqa: B023
        await asyncio.sleep(random.uniform(*LIFE_SEC))
        await handle.signal(STOP_SIGNAL)
        ends.append(await handle.result())
    return ends


async def start(client: Client) -> Handle:
    order = an_order(scripts.MOMENT)
    return await start_monitor(
        client, order.model_copy(update={"monitor_id": f"mon-{uuid.uuid4()}"})
    )
