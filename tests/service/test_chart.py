"""The installed chart: its Deployments start as they are and watch streams to their ends.

First with the pool, then, after an upgrade, with a Pod for each stream.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from simulator.origin import AtEnd, ChannelOptions
from tests.testkit.chart_cluster import opened_cluster
from tests.testkit.children import Child
from tests.testkit.fake_kube_api import kubeconfig
from tests.testkit.harness import API_KEY, INTERNAL_KEY, PROBE_KEY, SIGNING_KEY
from tests.testkit.helm import Helm, helm_of
from tests.testkit.kubelet import Kubelet
from tests.testkit.nodes import FULL_NAME, Nodes
from tests.testkit.ports import free_port
from tests.testkit.postgres import postgres_server
from tests.testkit.programmes import EAGER, SMALL, rendered
from tests.testkit.rest import Rest
from tests.testkit.scenario_runner import ScenarioRunner
from tests.testkit.temporal import temporal_command

pytestmark = pytest.mark.timeout(240)

SCENES = (("normal", 4.0), ("black", 8.0), ("normal", 8.0))
EXPECTED = ["stream.started", "alert.blackout", "alert.blackout_recovered", "stream.ended"]
SEGMENTS = 10
PLACEMENTS = ("pool", "pod")
SOON_SEC = 60.0


@dataclass(frozen=True)
class Watched:
    """What was seen of one stream.

    Attributes:
        received: kinds of the webhooks, in order.
        audit: of its events, what became of their delivery.
        pods: that it had of its own.
    """

    received: list[str]
    audit: list[str]
    condition: dict[str, Any]
    pods: int


@dataclass(frozen=True)
class Installed:
    """A release, and the nodes on which its Pods run."""

    helm: Helm
    values: dict[str, Any]
    nodes: Nodes
    kubelet: Kubelet


async def SCENARIO(runner: ScenarioRunner) -> dict[str, Watched]:  # noqa: N802
    """Watch a stream with each placement; the gateway stays."""
    async with installed(runner) as release:
        nodes = release.nodes
        gateway = await nodes.run("gateway")
        pool = [await nodes.run(component) for component in ("orchestrator", "probe")]
        seen = {"pool": await _watched(runner, release, "pool")}
        await release.helm.upgrade(release.values | {"probe": {"placement": "pod"}})
        pods_secret = f"{FULL_NAME}-probe"
        release.kubelet.secrets = {pods_secret: release.helm.cluster.secret(pods_secret)}
        await asyncio.gather(*(each.stop() for each in pool))
        orchestrator = await nodes.run("orchestrator")
        async with release.kubelet.at_work():
            seen["pod"] = await _watched(runner, release, "pod")
            await release.helm.cluster.until(lambda: not release.helm.cluster.pods)
        await asyncio.gather(gateway.stop(), orchestrator.stop())
        return seen


@asynccontextmanager
async def installed(runner: ScenarioRunner) -> AsyncIterator[Installed]:
    """Install the chart, with a Temporal server and a PostgreSQL of its own."""
    folder = runner.folder / "chart"
    folder.mkdir()
    port = free_port()
    async with AsyncExitStack() as stack:
        database_url = await _database(stack)
        stack.callback(
            Child("temporal", temporal_command(port, "--log-level", "warn"), folder).discard
        )
        cluster, url = await stack.enter_async_context(opened_cluster())
        where = kubeconfig(url, folder / "kubeconfig")
        helm = stack.enter_context(helm_of(cluster, where))
        values = {
            "temporal": {"address": f"127.0.0.1:{port}"},
            "secrets": {
                "apiKey": API_KEY,
                "internalApiKey": INTERNAL_KEY,
                "probeApiKey": PROBE_KEY,
                "webhookSigningKey": SIGNING_KEY,
                "databaseUrl": database_url,
            },
            "gateway": {"settings": {"RATE_LIMIT_READ": 100000}},
            "allowPrivateNetworks": True,
        }
        await helm.install(values)
        nodes = Nodes(cluster, folder, "127.7", {"KUBECONFIG": str(where)})
        stack.callback(nodes.discard)
        kubelet = Kubelet(cluster, folder, secrets={})
        yield Installed(helm, values, nodes, kubelet)


async def _database(stack: AsyncExitStack) -> str:
    manager = postgres_server()
    server = await asyncio.to_thread(manager.__enter__)
    stack.push_async_callback(asyncio.to_thread, manager.__exit__, None, None, None)
    return f"{server.url}/postgres"


async def _watched(runner: ScenarioRunner, release: Installed, placement: str) -> Watched:
    name = f"chart-{placement}"
    programme = await rendered(runner.cache, SMALL, *SCENES)
    options = ChannelOptions(at_end=AtEnd.END, window_segments=20, backlog_segments=1)
    channel = runner.origin.add(name, programme, options=options)
    gateway = f"http://{release.nodes.addresses['gateway']}:8080"
    async with Rest(gateway, API_KEY) as rest:
        monitor_id = await rest.create(channel.url, runner.receiver.url(name), EAGER)
        await runner.receiver.until(name, "stream.ended", within_sec=SOON_SEC)
        await rest.until_status(monitor_id, "completed")
        audit = await rest.until_audited(monitor_id, len(EXPECTED))
        return Watched(
            received=[each.event_type for each in runner.receiver.events(name)],
            audit=[each["webhook_status"] for each in audit],
            condition=await rest.show(monitor_id),
            pods=len(release.kubelet.of(monitor_id)),
        )


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_every_event_comes_once(seen: dict[str, Watched], placement: str) -> None:
    assert seen[placement].received == EXPECTED
    assert seen[placement].audit == ["sent"] * len(EXPECTED)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_no_segment_is_missed(seen: dict[str, Watched], placement: str) -> None:
    statistics = seen[placement].condition["statistics"]
    assert statistics["total_segments_analyzed"] == SEGMENTS
    assert statistics["segments_missed"] == statistics["segments_failed"] == 0


def test_the_stream_has_a_pod_of_its_own_when_the_values_say_so(seen: dict[str, Watched]) -> None:
    assert {placement: each.pods for placement, each in seen.items()} == {"pool": 0, "pod": 1}
