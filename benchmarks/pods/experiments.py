"""The experiments with Pods; each returns a finding."""

import asyncio
import statistics
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from benchmarks.pods.environment import PodEnvironment, open_pod_environment
from monitors.pods import pod_name
from monitors.status import MonitorStatus
from tests.testkit.findings import Finding
from tests.testkit.pod_states import RUNNING
from tests.testkit.programmes import EAGER
from workflows.messages import STOP_SIGNAL
from workflows.monitor import MonitorWorkflow

PATIENCE_SEC = 300.0
LOOK_SEC = 0.05
BUSY = 20
"""Monitors that are started at once."""
LATENCY_SEC = 0.1


async def first_segments(folder: Path, repeats: int) -> Finding:
    """Measure from a creation to the first analysed segment, without the Pod's own start."""
    took: list[float] = []
    async with open_pod_environment(folder, has_kubelet=True) as env:
        for number in range(repeats):
            took.append(await _first_segment(env, number))
    return Finding(
        "creation to first analysed segment, beyond the Pod's own start",
        f"median {statistics.median(took):.1f} s, worst {max(took):.1f} s of {repeats}",
        "< 5 s",
        max(took) < 5,
    )


async def _first_segment(env: PodEnvironment, number: int) -> float:
    rest = env.harness.rest
    began = time.time()
    url = env.receiver.url("all")
    monitor_id = await rest.create(env.stream_url(number), url, EAGER)
    async with asyncio.timeout(PATIENCE_SEC):
        while not (await rest.show(monitor_id))["statistics"]["total_segments_analyzed"]:
            await asyncio.sleep(LOOK_SEC)
        took_sec = time.time() - began
        while env.kubelet.of(monitor_id)[0].ready_at is None:
            await asyncio.sleep(LOOK_SEC)
    pod = env.kubelet.of(monitor_id)[0]
    made = datetime.fromisoformat(pod.pod["metadata"]["creationTimestamp"]).timestamp()
    now, clock = time.time(), asyncio.get_running_loop().time()
    ready = now - (clock - (pod.ready_at or clock))
    await rest.stop(monitor_id)
    return took_sec - (ready - made)


async def steady_state(folder: Path, monitors: int, seconds: float) -> Finding:
    """Count calls of the Kubernetes API while nothing becomes of the Pods of many monitors."""
    async with open_pod_environment(folder, has_kubelet=False) as env:
        await _with_pods(env, monitors)
        before = env.api.calls.copy()
        began = time.monotonic()
        await asyncio.sleep(seconds)
        calls = env.api.calls - before
        rate = calls.total() / (time.monotonic() - began)
    return Finding(
        f"API calls a second with {monitors} monitors in Pod mode",
        f"{rate:.3f} ({dict(calls)} in {seconds:g} s)",
        "<= 2",
        rate <= 2,
    )


async def crash(folder: Path, monitors: int, wait_sec: float) -> Finding:
    """Kill the orchestrator amid creations and deletions, and look at what is left."""
    async with open_pod_environment(folder, has_kubelet=False) as env:
        leaving = await _with_pods(env, monitors)
        env.api.latency_sec = LATENCY_SEC
        before = env.api.calls.copy()
        client = env.harness.client
        stopping = asyncio.gather(
            *(client.get_workflow_handle(one).signal(STOP_SIGNAL) for one in leaving)
        )
        starting = asyncio.gather(*map(env.start, range(monitors, monitors * 2)))
        await env.api.until(
            lambda: min(_more(env, before, verb) for verb in ("create", "delete")) > monitors // 4,
            within_sec=PATIENCE_SEC,
        )
        await env.harness.workers[-1].kill()
        began = time.monotonic()
        await stopping
        await env.harness.start_worker("orchestrator")
        await asyncio.sleep(began + wait_sec - time.monotonic())
        handles = await starting
        snapshots = await asyncio.gather(
            *(each.query(MonitorWorkflow.snapshot) for each in handles)
        )
        live = [each.monitor_id for each in snapshots if each.status is MonitorStatus.MONITORING]
        orphans = env.api.pods.keys() - {pod_name(each.id, 1) for each in handles}
        missing = [one for one in live if pod_name(one, 1) not in env.api.pods]
        why = [await _pending(client.get_workflow_handle(one)) for one in missing]
    return Finding(
        f"orphan Pods {wait_sec:g} s after a kill amid {monitors} creations and deletions",
        f"{len(orphans)} ({len(missing)} of {len(live)} Pods missing; {monitors - len(live)} "
        f"monitors not live yet){''.join(f'; {each}' for each in why)}",
        "0",
        not orphans and not missing and len(live) == monitors,
    )


async def _pending(handle: WorkflowHandle[Any, Any]) -> str:
    """Return what a monitor waits for."""
    described = (await handle.describe()).raw_description
    return ", ".join(
        f"{each.activity_type.name} attempt {each.attempt} ({each.last_failure.message})"
        for each in described.pending_activities
    )


async def _until_pods(env: PodEnvironment, count: int) -> None:
    await env.api.until(lambda: len(env.api.pods) >= count, within_sec=PATIENCE_SEC)


def _more(env: PodEnvironment, before: dict[str, int], verb: str) -> int:
    return env.api.calls[verb] - before.get(verb, 0)


async def _with_pods(env: PodEnvironment, monitors: int) -> list[str]:
    """Start monitors, and wait until each has a Pod that runs; return their ids."""
    ids: list[str] = []
    for first in range(0, monitors, BUSY):
        numbers = range(first, min(first + BUSY, monitors))
        ids += [each.id for each in await asyncio.gather(*map(env.start, numbers))]
        await _until_pods(env, len(ids))
    for name in env.api.pods:
        env.api.set_status(name, **RUNNING)
    # What the workflows still do about the Pods that were just made is no steady state.
    await asyncio.sleep(5)
    return ids
