"""Monitors whose streams are probed in Pods, on a cluster of the test's own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitors.pods import pod_name
from monitors.random_ids import new_monitor_id
from simulator.origin import AtEnd, ChannelOptions, SceneOnAir
from tests.testkit.fake_kube_api import FakeApi, fake_api, kubeconfig
from tests.testkit.harness import PROBE_KEY, ServiceHarness, open_harness
from tests.testkit.kubelet import Kubelet
from tests.testkit.programmes import EAGER, SMALL, rendered, seconds_between
from tests.testkit.receiver import Received
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.waiting import plain_client
from workflows.reconciliation import RECONCILIATION_SCHEDULE

pytestmark = pytest.mark.timeout(240)

SCENES = (("normal", 20.0), ("black", 30.0), ("normal", 12.0))
"""A Pod takes seconds to start; it joins the stream before the fault."""

SEGMENTS = 31
FRAME_SEC = 0.1
MAX_FAILURES = 2
SOON_SEC = 60.0
STOPPED_SEC = 20.0


@dataclass(frozen=True)
class Seen:
    """What was seen of the monitors.

    Attributes:
        lived: events of a stream whose Pod was killed while a fault was open.
        first_segment: of that stream, the first one that a Pod fetched.
        pods_of_lived: how many Pods it had.
        failed: events of a stream whose Pods fail.
        pods_while_waiting: Pods of a monitor whose stream is not due.
        gone_after_sec: time from the stop of a monitor to the end of its Pod in the API.
        left: Pods at the end of all.
    """

    lived: list[Received]
    first_segment: int
    scenes: dict[str, SceneOnAir]
    condition: dict[str, Any]
    pods_of_lived: int
    failed: list[Received]
    failed_condition: dict[str, Any]
    pods_of_failed: int
    pods_while_waiting: list[str]
    gone_after_sec: float
    left: list[str]


@dataclass(frozen=True)
class Cluster:
    """Everything that the scenario plays with."""

    runner: ScenarioRunner
    harness: ServiceHarness
    api: FakeApi
    url: str
    kubelet: Kubelet


async def SCENARIO(runner: ScenarioRunner) -> Seen:  # noqa: N802
    """Let Pods live, die, fail and be stopped."""
    async with opened(runner) as cluster:
        lived, failed, gone_after_sec = await asyncio.gather(
            _kill_in_a_fault(cluster), _fail_for_good(cluster), _stop(cluster)
        )
        show = cluster.harness.rest.show
        condition, failed_condition = await asyncio.gather(show(lived), show(failed))
        pods_while_waiting = await _pods_of_one_that_waits(cluster)
        await _leave_a_stray_pod(cluster)
        await cluster.api.until(lambda: not cluster.api.pods, within_sec=SOON_SEC)
        on_air = runner.origin["pod-lived"].scenes_on_air()
        return Seen(
            lived=runner.receiver.events("pod-lived"),
            first_segment=min(
                each.sequence or 0 for each in runner.origin.requests("pod-lived", ending=".ts")
            ),
            scenes={each.scene.kind: each for each in on_air[: len(SCENES)]},
            condition=condition,
            pods_of_lived=len(cluster.kubelet.of(lived)),
            failed=runner.receiver.events("pod-failed"),
            failed_condition=failed_condition,
            pods_of_failed=len(cluster.kubelet.of(failed)),
            pods_while_waiting=pods_while_waiting,
            gone_after_sec=gone_after_sec,
            left=list(cluster.api.pods),
        )


@asynccontextmanager
async def opened(runner: ScenarioRunner) -> AsyncIterator[Cluster]:
    """Run a cluster, and a service with two orchestrators and no probe worker."""
    folder = runner.folder / "cluster"
    folder.mkdir()
    async with AsyncExitStack() as stack:
        api, url = await stack.enter_async_context(fake_api(has_kubelet=True))
        secrets = {"PROBE_API_KEY": PROBE_KEY}
        kubelet = Kubelet(api, folder, {"keys": secrets})
        variables = {
            "PROBE_PLACEMENT": "pod",
            "KUBECONFIG": str(kubeconfig(url, folder / "kubeconfig")),
            "NAMESPACE": "streams",
            "WORKER_IMAGE": "registry.example/stream-tracker",
            "POD_SECRET": "keys",
            "POD_MAX_FAILURES": str(MAX_FAILURES),
            "POD_PATIENCE_SEC": "0",
        }
        roles = ("orchestrator", "orchestrator")
        harness = await stack.enter_async_context(
            open_harness(runner.folder / "pods", *roles, variables=variables)
        )
        # Left before the service: the Pods are gone by then, or this kills them.
        await stack.enter_async_context(kubelet.at_work())
        yield Cluster(runner, harness, api, url, kubelet)


async def _kill_in_a_fault(cluster: Cluster) -> str:
    runner = cluster.runner
    programme = await rendered(runner.cache, SMALL, *SCENES)
    options = ChannelOptions(at_end=AtEnd.END, window_segments=20, backlog_segments=1)
    monitor_id = await _watched(cluster, "pod-lived", programme, options)
    await runner.receiver.until("pod-lived", "alert.blackout", within_sec=SOON_SEC)
    cluster.kubelet.kill(monitor_id, "OOMKilled")
    await runner.receiver.until("pod-lived", "stream.ended", within_sec=SOON_SEC * 2)
    await cluster.harness.rest.until_status(monitor_id, "completed")
    return monitor_id


async def _fail_for_good(cluster: Cluster) -> str:
    programme = await rendered(cluster.runner.cache, SMALL, ("normal", 20))
    create = cluster.harness.rest.create
    channel = cluster.runner.origin.add("pod-failed", programme)
    start = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    monitor_id = await create(
        channel.url,
        cluster.runner.receiver.url("pod-failed"),
        {**EAGER, "scheduled_start_time": start},
    )
    cluster.kubelet.overrides[monitor_id] = {"PROBE_SLOTS": "none"}
    await cluster.runner.receiver.until("pod-failed", "monitor.error", within_sec=SOON_SEC * 2)
    await cluster.harness.rest.until_status(monitor_id, "error")
    return monitor_id


async def _stop(cluster: Cluster) -> float:
    programme = await rendered(cluster.runner.cache, SMALL, ("normal", 20))
    monitor_id = await _watched(cluster, "pod-stopped", programme, ChannelOptions())
    await cluster.runner.receiver.until("pod-stopped", "stream.started", within_sec=SOON_SEC)
    await cluster.api.until(lambda: cluster.kubelet.of(monitor_id), within_sec=SOON_SEC)
    async with asyncio.timeout(SOON_SEC):
        while not (await cluster.harness.rest.show(monitor_id))["statistics"][
            "total_segments_analyzed"
        ]:
            await asyncio.sleep(0.2)
    name = pod_name(monitor_id, 1)
    began = time.monotonic()
    await cluster.harness.rest.stop(monitor_id)
    await cluster.api.until(lambda: _is_leaving(cluster.api, name))
    return time.monotonic() - began


async def _pods_of_one_that_waits(cluster: Cluster) -> list[str]:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    channel = cluster.runner.origin["pod-stopped"]
    config = {"scheduled_start_time": later}
    url = f"{channel.url}?later"
    receiver_url = cluster.runner.receiver.url("pod-waits")
    monitor_id = await cluster.harness.rest.create(url, receiver_url, config)
    await cluster.harness.rest.until_status(monitor_id, "scheduled")
    found = [name for name in cluster.api.pods if monitor_id in name]
    await cluster.harness.rest.stop(monitor_id)
    return found


async def _leave_a_stray_pod(cluster: Cluster) -> None:
    """Have a Pod left by a monitor that nobody knows; the reconciliation is to find it."""
    monitor_id = new_monitor_id()
    labels = {"app": "stream-monitor", "monitor-id": monitor_id}
    name = pod_name(monitor_id, 1)
    meta = {"name": name, "labels": labels | {"app.kubernetes.io/instance": "stream-tracker"}}
    pod = {"metadata": meta, "spec": {"nodeName": "lost", "containers": [{"name": "probe"}]}}
    async with plain_client(base_url=cluster.url) as http:
        made = await http.post("/api/v1/namespaces/streams/pods", json=pod)
    made.raise_for_status()
    cluster.api.change(name, {"metadata": {"creationTimestamp": "2026-01-02T03:04:05Z"}})
    await cluster.harness.client.get_schedule_handle(RECONCILIATION_SCHEDULE).trigger()


async def _watched(cluster: Cluster, name: str, programme: Any, options: ChannelOptions) -> str:
    channel = cluster.runner.origin.add(name, programme, options=options)
    return await cluster.harness.rest.create(channel.url, cluster.runner.receiver.url(name), EAGER)


def _is_leaving(api: FakeApi, name: str) -> bool:
    pod = api.pods.get(name)
    return pod is None or "deletionTimestamp" in pod["metadata"]


def test_a_pod_that_dies_in_a_fault_costs_no_event(seen: Seen) -> None:
    assert [each.event_type for each in seen.lived] == [
        "stream.started",
        "alert.blackout",
        "alert.blackout_recovered",
        "stream.ended",
    ]


def test_a_fault_keeps_its_start_and_length_from_pod_to_pod(seen: Seen) -> None:
    scene = seen.scenes["black"]
    closed = seen.lived[2].event["data"]
    assert seconds_between(closed["started_at"], scene.started_at) <= FRAME_SEC
    length_sec = scene.end_sec - scene.start_sec
    assert closed["total_duration_sec"] == pytest.approx(length_sec, abs=FRAME_SEC)


def test_no_segment_is_skipped_and_none_counted_twice(seen: Seen) -> None:
    statistics = seen.condition["statistics"]
    assert statistics["total_segments_analyzed"] == SEGMENTS - seen.first_segment
    assert statistics["segments_missed"] == statistics["segments_failed"] == 0


def test_two_orchestrators_make_one_pod_for_one_that_died(seen: Seen) -> None:
    assert seen.pods_of_lived == 2


def test_a_pod_that_keeps_failing_ends_its_monitor(seen: Seen) -> None:
    assert seen.pods_of_failed == MAX_FAILURES
    assert [each.event_type for each in seen.failed] == ["stream.started", "monitor.error"]
    data = seen.failed[-1].event["data"]
    assert data["reason"] == "pod_failure"
    assert data["exit_code"] == 2
    assert data["termination_reason"] == "Error"
    assert data["pod_name"].startswith("stream-monitor-mon-")
    assert seen.failed_condition["error_reason"] == "pod_failure"


def test_a_monitor_that_waits_has_no_pod(seen: Seen) -> None:
    assert seen.pods_while_waiting == []


def test_a_stop_takes_the_pod_away_at_once(seen: Seen) -> None:
    assert seen.gone_after_sec < STOPPED_SEC


def test_no_pod_is_left_and_none_of_an_unknown_monitor(seen: Seen) -> None:
    assert seen.left == []
