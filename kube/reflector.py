"""What becomes of all Pods, seen by one watch, however many monitors there are.

List, then watch from there; list again when the watch breaks.
"""

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Protocol

import structlog

from kube.cluster import PodChange, PodCluster
from kube.errors import KubernetesError
from kube.pod_status import DELETED
from monitors.pods import PodFailure, PodStatus

logger = structlog.get_logger(__name__)

TICK_SEC = 1.0
"""A Pod that does not come up changes nothing that a watch would tell: its age is looked at."""

RELIST_MIN_SEC = 1.0
RELIST_MAX_SEC = 30.0
HEALTHY_SEC = 10.0
"""A watch that lasted for so long was well: what broke it is no reason to be blind for longer."""

TELL_AGAIN_SEC = 1.0

WATCHES_APART_SEC = 1.0
"""An API that ends every watch at once is not asked more often."""


class PodListener(Protocol):
    """Is told what becomes of Pods; returns whether that need not be told again."""

    async def on_failure(self, monitor_id: str, trouble: PodFailure) -> bool:
        """Take note that a monitor's Pod is in trouble."""
        ...

    async def on_ready(self, monitor_id: str, uid: str) -> bool:
        """Take note that a monitor's Pod takes streams now."""
        ...


def relist_wait_sec(before_sec: float, *, lasted_sec: float) -> float:
    """Return the wait before the Pods are listed again, up to a half shorter by chance.

    Args:
        before_sec: what it was the last time.
        lasted_sec: how long the list and its watches went well since then.
    """
    if lasted_sec > HEALTHY_SEC:
        return RELIST_MIN_SEC
    return min(before_sec * 2, RELIST_MAX_SEC)


class PodReflector:
    """Tells of every Pod that becomes ready or is in trouble, once."""

    def __init__(self, cluster: PodCluster, listener: PodListener) -> None:
        self._cluster = cluster
        self._listener = listener
        self._pods: dict[str, PodStatus] = {}
        self._noted: set[str] = set()
        self._news: asyncio.Queue[tuple[PodStatus, PodFailure | None]] = asyncio.Queue()

    @property
    def pods(self) -> list[PodStatus]:
        """The Pods as they were seen last."""
        return list(self._pods.values())

    async def run(self) -> None:
        """Go on until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._reflect())
            tasks.create_task(self._look_at_the_clock())
            tasks.create_task(self._pass_on())

    async def _reflect(self) -> None:
        wait_sec = RELIST_MIN_SEC
        while True:
            began = time.monotonic()
            try:
                version = await self._list()
                while True:
                    version = await self._watch(version)
            except KubernetesError as error:
                logger.warning("Pods are listed again", error=str(error))
            except Exception:  # what one Pod's object says must not blind us for the others
                logger.exception("Pods cannot be read")
            wait_sec = relist_wait_sec(wait_sec, lasted_sec=time.monotonic() - began)
            await asyncio.sleep(wait_sec * random.uniform(0.5, 1.0))  # noqa: S311

    async def _list(self) -> str:
        listed = await self._cluster.list()
        present = {pod.uid for pod in listed.pods}
        vanished = [pod for uid, pod in self._pods.items() if uid not in present]
        for pod in listed.pods:
            self._look_at(pod)
        for pod in vanished:
            self._take_leave(pod)
        return listed.version

    async def _watch(self, version: str) -> str:
        """Follow one watch to its end; return the version to go on from."""
        began = time.monotonic()
        async for change in self._cluster.changes(version):
            version = change.version
            self._take(change)
        await asyncio.sleep(began + WATCHES_APART_SEC - time.monotonic())
        return version

    def _take(self, change: PodChange) -> None:
        pod = change.pod
        if pod is None:
            return
        if change.is_gone:
            self._take_leave(pod)
        else:
            self._look_at(pod)

    def _look_at(self, pod: PodStatus) -> None:
        before = self._pods.get(pod.uid)
        self._pods[pod.uid] = pod
        if pod.trouble:
            self._record(pod, pod.trouble)
        elif pod.is_ready and before and not before.is_ready:
            self._news.put_nowait((pod, None))

    def _take_leave(self, pod: PodStatus) -> None:
        self._pods.pop(pod.uid, None)
        gone = PodFailure(uid=pod.uid, reason=DELETED)
        self._record(pod, pod.trouble or gone)
        self._noted.discard(pod.uid)

    def _record(self, pod: PodStatus, trouble: PodFailure) -> None:
        if pod.monitor_id and pod.uid not in self._noted:
            self._noted.add(pod.uid)
            self._news.put_nowait((pod, trouble))

    async def _pass_on(self) -> None:
        while True:
            pod, trouble = await self._news.get()
            words = trouble.in_words if trouble else "ready"
            logger.info("Pod seen", monitor_id=pod.monitor_id, pod=pod.pod_name, condition=words)
            while not await self._update_status(pod, trouble):
                await asyncio.sleep(TELL_AGAIN_SEC)

    async def _update_status(self, pod: PodStatus, trouble: PodFailure | None) -> bool:
        if trouble:
            return await self._listener.on_failure(pod.monitor_id, trouble)
        return await self._listener.on_ready(pod.monitor_id, pod.uid)

    async def _look_at_the_clock(self) -> None:
        while True:
            await asyncio.sleep(TICK_SEC)
            try:
                for pod in self._overdue():
                    await self._look_again(pod)
            except KubernetesError as error:
                logger.warning("an overdue Pod cannot be looked at", error=str(error))

    def _overdue(self) -> list[PodStatus]:
        unready_before = datetime.now(UTC) - self._cluster.start_timeout
        return [
            pod
            for pod in self.pods
            if not pod.trouble and pod.unready_since and pod.unready_since < unready_before
        ]

    async def _look_again(self, pod: PodStatus) -> None:
        seen = await self._cluster.get(pod.pod_name)
        if seen and seen.uid == pod.uid and pod.uid in self._pods:
            self._look_at(seen)
