"""A cluster, a Temporal server, an origin and orchestrators, for the experiments with Pods."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from monitors.config import MonitorConfig, OnDeliveryFailure
from monitors.random_ids import new_monitor_id
from simulator.origin import LiveOrigin
from tests.testkit.fake_kube_api import FakeApi, fake_api, kubeconfig
from tests.testkit.harness import PROBE_KEY, SIGNING_KEY, ServiceHarness
from tests.testkit.kubelet import Kubelet
from tests.testkit.programmes import SMALL, rendered
from tests.testkit.receiver import Receiver
from workflows.messages import TASK_QUEUE, MonitorInput, MonitorResult
from workflows.monitor import MonitorWorkflow

CHANNEL = "channel"


@dataclass(frozen=True)
class PodEnvironment:
    """What the experiments play with."""

    api: FakeApi
    kubelet: Kubelet
    harness: ServiceHarness
    origin: LiveOrigin
    receiver: Receiver

    def stream_url(self, number: int) -> str:
        """Return a URL of the one channel that is a stream of its own."""
        return f"{self.origin[CHANNEL].url}?stream={number}"

    async def start(self, number: int) -> WorkflowHandle[Any, MonitorResult]:
        """Start a monitor's workflow without the gateway, which is not measured."""
        order = MonitorInput(
            monitor_id=new_monitor_id(),
            stream_url=self.stream_url(number),
            stream_key=f"url:{number}",
            callback_url=self.receiver.url("all"),
            callback_seal="",
            config=MonitorConfig(on_delivery_failure=OnDeliveryFailure.CONTINUE),
            created_at=datetime.now(UTC),
        )
        return await self.harness.client.start_workflow(
            MonitorWorkflow.run, order, id=order.monitor_id, task_queue=TASK_QUEUE
        )


@asynccontextmanager
async def open_pod_environment(folder: Path, *, has_kubelet: bool) -> AsyncIterator[PodEnvironment]:
    """Open one with an orchestrator.

    Args:
        folder: for all that the parts keep.
        has_kubelet: whether Pods are run as processes; without, they stand in the API alone.
    """
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(LiveOrigin())
        origin.add(CHANNEL, await rendered(folder / "programmes", SMALL, ("normal", 20)))
        receiver = Receiver(SIGNING_KEY)
        stack.push_async_callback(receiver.stop)
        await receiver.start()
        api, url = await stack.enter_async_context(fake_api(has_kubelet=has_kubelet))
        harness = ServiceHarness(
            folder / "service", _variables(kubeconfig(url, folder / "kubeconfig"))
        )
        stack.callback(harness.discard)
        await harness.start("orchestrator")
        stack.push_async_callback(harness.rest.http.aclose)
        secrets = {"PROBE_API_KEY": PROBE_KEY}
        kubelet = Kubelet(api, folder / "nodes", {"keys": secrets})
        if has_kubelet:
            await stack.enter_async_context(kubelet.at_work())
        yield PodEnvironment(api, kubelet, harness, origin, receiver)


def _variables(config: Path) -> Mapping[str, str]:
    return {
        "PROBE_PLACEMENT": "pod",
        "KUBECONFIG": str(config),
        "WORKER_IMAGE": "registry.example/stream-tracker",
        "POD_SECRET": "keys",
        "POD_START_TIMEOUT_SEC": "3600",
        "LOG_LEVEL": "warning",
    }
