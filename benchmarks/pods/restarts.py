"""A Kubernetes API that keeps restarting while monitors come and go."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from benchmarks.pods.environment import PodEnvironment, open_pod_environment
from monitors.pods import pod_name
from monitors.status import MonitorStatus
from tests.testkit.fake_kube_api import FakeApi
from tests.testkit.findings import Finding
from tests.testkit.pod_states import READY
from workflows.messages import STOP_SIGNAL, MonitorResult

DOWN_SEC = 3.0
DENYING_SEC = 3.0
"""As measured of a real server: gone, and then without Roles and admission plugins."""

LIFE_SEC = (5.0, 60.0)
PATIENCE_SEC = 300.0

Answer = TypeVar("Answer")


async def restarts(folder: Path, monitors: int, seconds: float, every_sec: float) -> Finding:
    """Keep so many monitors coming and going, and look at how they ended and what is left."""
    async with open_pod_environment(folder, has_kubelet=False) as env:
        restarting = asyncio.create_task(_keep_restarting(env.api, every_sec))
        until, numbers = time.monotonic() + seconds, itertools.count()
        lives = await asyncio.gather(*(_lives(env, numbers, until) for _ in range(monitors)))
        restarting.cancel()
        await asyncio.gather(restarting, return_exceptions=True)
        refused, left = env.api.refused, len(env.api.pods)
    ends = [end for each in lives for end in each]
    ended = sum(end is not MonitorStatus.STOPPED for end in ends)
    return Finding(
        f"an API that restarts every {every_sec:g} s for {seconds:g} s beside {monitors} monitors",
        f"{ended} of {len(ends)} monitors ended by it, {left} Pods left ({dict(refused)} refused)",
        "0 and 0",
        ended == 0 and left == 0 and refused["create"] > 0,
    )


async def _keep_restarting(api: FakeApi, every_sec: float) -> None:
    while True:
        await asyncio.sleep(every_sec - DOWN_SEC - DENYING_SEC)
        await api.restart(down_sec=DOWN_SEC, denying_sec=DENYING_SEC)


async def _lives(
    env: PodEnvironment, numbers: Iterator[int], until: float
) -> list[MonitorStatus | None]:
    """Start one monitor after the other; return how they ended, None for a failed workflow."""
    ends: list[MonitorStatus | None] = []
    while time.monotonic() < until:
        handle = await _asked(lambda: env.start(next(numbers)))
        name = pod_name(handle.id, 1)
        await env.api.until(lambda name=name: name in env.api.names, within_sec=PATIENCE_SEC)  # type: ignore[misc]
        env.api.set_status(name, **READY)
        left_sec = max(0.0, until - time.monotonic())
        await asyncio.sleep(min(left_sec, random.uniform(*LIFE_SEC)))  # noqa: S311
        ends.append(await _stopped(handle))
    return ends


async def _stopped(handle: WorkflowHandle[Any, MonitorResult]) -> MonitorStatus | None:
    try:
        await _asked(lambda: handle.signal(STOP_SIGNAL))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # that is one that has ended already
            raise
    try:
        return (await _asked(handle.result)).status
    except WorkflowFailureError:
        return None


async def _asked(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask Temporal, whose development server at times forgets its namespace when it is busy."""
    async with asyncio.timeout(PATIENCE_SEC):
        while True:
            try:
                return await call()
            except RPCError as error:
                if not error.message.startswith("Namespace "):
                    raise
            await asyncio.sleep(1)
