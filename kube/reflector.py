"""What becomes of all Pods, seen by one watch, however many monitors there are.

List, then watch from there; list again when the watch breaks.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog

from kube.cluster import PodChange, PodCluster
from kube.errors import KubernetesError
from kube.reading import DELETED
from monitors.pods import PodSeen, PodTrouble

logger = structlog.get_logger(__name__)

TICK_SEC = 1.0
"""A Pod that does not come up changes nothing that a watch would tell: its age is looked at."""

RELIST_MIN_SEC = 1.0
RELIST_MAX_SEC = 30.0
TELL_AGAIN_SEC = 1.0

WATCHES_APART_SEC = 1.0
"""An API that ends every watch at once is not asked more often."""

Hearing = Callable[[str, PodTrouble], Awaitable[bool]]
"""Is told of a monitor's Pod that is in trouble; returns whether that need not be told again."""


class PodReflector:
    """Tells of every Pod that is in trouble, once."""

    def __init__(self, cluster: PodCluster, tell: Hearing) -> None:
        self._cluster = cluster
        self._tell = tell
        self._pods: dict[str, PodSeen] = {}
        self._noted: set[str] = set()
        self._news: asyncio.Queue[tuple[str, PodTrouble]] = asyncio.Queue()

    @property
    def pods(self) -> list[PodSeen]:
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
            has_lasted = time.monotonic() - began > RELIST_MAX_SEC
            wait_sec = RELIST_MIN_SEC if has_lasted else min(wait_sec * 2, RELIST_MAX_SEC)
            await asyncio.sleep(wait_sec * random.uniform(0.5, 1.0))  # noqa: S311

    async def _list(self) -> str:
        listed = await self._cluster.list()
        present = {pod.uid: pod for pod in listed.pods}
        vanished = [pod for uid, pod in self._pods.items() if uid not in present]
        self._pods = present
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
            self._pods.pop(pod.uid, None)
            self._take_leave(pod)
        else:
            self._pods[pod.uid] = pod
            self._look_at(pod)

    def _look_at(self, pod: PodSeen) -> None:
        if pod.trouble:
            self._note(pod, pod.trouble)

    def _take_leave(self, pod: PodSeen) -> None:
        gone = PodTrouble(uid=pod.uid, pod_name=pod.pod_name, reason=DELETED)
        self._note(pod, pod.trouble or gone)
        self._noted.discard(pod.uid)

    def _note(self, pod: PodSeen, trouble: PodTrouble) -> None:
        if pod.monitor_id and pod.uid not in self._noted:
            self._noted.add(pod.uid)
            self._news.put_nowait((pod.monitor_id, trouble))

    async def _pass_on(self) -> None:
        while True:
            monitor_id, trouble = await self._news.get()
            logger.info("Pod in trouble", monitor_id=monitor_id, trouble=trouble.in_words)
            while not await self._tell(monitor_id, trouble):
                await asyncio.sleep(TELL_AGAIN_SEC)

    async def _look_at_the_clock(self) -> None:
        while True:
            await asyncio.sleep(TICK_SEC)
            try:
                for pod in self._overdue():
                    await self._look_again(pod)
            except KubernetesError as error:
                logger.warning("an overdue Pod cannot be looked at", error=str(error))

    def _overdue(self) -> list[PodSeen]:
        unready_before = datetime.now(UTC) - self._cluster.start_timeout
        return [
            pod
            for pod in self.pods
            if not pod.trouble and pod.unready_since and pod.unready_since < unready_before
        ]

    async def _look_again(self, pod: PodSeen) -> None:
        seen = await self._cluster.get(pod.monitor_id)
        if seen and seen.uid == pod.uid and pod.uid in self._pods:
            self._pods[pod.uid] = seen
            self._look_at(seen)
