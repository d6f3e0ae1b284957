"""Follows all Pods with one watch of the Kubernetes API, however many monitors there are.

List, then watch from there; list again when the watch breaks.
"""

import asyncio
import random
import time
from datetime import UTC, datetime
from typing import Protocol

import structlog

from kube.api_errors import CallFailed
from kube.cluster import PodChange, PodCluster
from kube.pod_status import DELETED
from monitors.pods import PodFailure, PodStatus

logger = structlog.get_logger(__name__)

TICK_SEC = 1.0
RELIST_MIN_SEC = 1.0
RELIST_MAX_SEC = 30.0
HEALTHY_SEC = 10.0  # after a watch that lasted this long the next list follows at once
NOTIFY_AGAIN_SEC = 1.0
WATCH_INTERVAL_SEC = 1.0  # least time between two watches, for an API that ends each one at once


class PodListener(Protocol):
    """Gets what happens to Pods; returns False to get it again."""

    async def on_failure(self, monitor_id: str, failure: PodFailure) -> bool:
        """A monitor's Pod failed."""
        ...

    async def on_ready(self, monitor_id: str, uid: str) -> bool:
        """A monitor's Pod takes streams."""
        ...


def relist_wait_sec(last_sec: float, *, lasted_sec: float) -> float:
    """Return the wait before the next list, before jitter; all went well for `lasted_sec` since."""
    if lasted_sec > HEALTHY_SEC:
        return RELIST_MIN_SEC
    return min(last_sec * 2, RELIST_MAX_SEC)


class PodReflector:
    """Reports each Pod that becomes ready, and each that fails, once."""

    def __init__(self, cluster: PodCluster, listener: PodListener) -> None:
        self._cluster = cluster
        self._listener = listener
        self._pods: dict[str, PodStatus] = {}
        self._failed: set[str] = set()
        self._notifications: asyncio.Queue[tuple[PodStatus, PodFailure | None]] = asyncio.Queue()

    @property
    def pods(self) -> list[PodStatus]:
        return list(self._pods.values())

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._reflect())
            tasks.create_task(self._check_overdue())
            tasks.create_task(self._notify())

    async def _reflect(self) -> None:
        wait_sec = RELIST_MIN_SEC
        while True:
            began = time.monotonic()
            try:
                version = await self._list()
                while True:
                    version = await self._watch(version)
            except CallFailed as error:
                logger.warning("Pods are listed again", error=str(error))
            except Exception:  # one malformed Pod must not hide the others
                logger.exception("Pods cannot be read")
            wait_sec = relist_wait_sec(wait_sec, lasted_sec=time.monotonic() - began)
            await asyncio.sleep(wait_sec * random.uniform(0.5, 1.0))  # noqa: S311

    async def _list(self) -> str:
        listed = await self._cluster.list()
        present = {pod.uid for pod in listed.pods}
        gone = [pod for uid, pod in self._pods.items() if uid not in present]
        for pod in listed.pods:
            self._update(pod)
        for pod in gone:
            self._remove(pod)
        return listed.version

    async def _watch(self, version: str) -> str:
        """Follow one watch to its end; return the version to go on from."""
        began = time.monotonic()
        async for change in self._cluster.changes(version):
            version = change.version
            self._apply(change)
        await asyncio.sleep(began + WATCH_INTERVAL_SEC - time.monotonic())
        return version

    def _apply(self, change: PodChange) -> None:
        if change.pod and change.is_gone:
            self._remove(change.pod)
        elif change.pod:
            self._update(change.pod)

    def _update(self, pod: PodStatus) -> None:
        last = self._pods.get(pod.uid)
        self._pods[pod.uid] = pod
        if pod.failure:
            self._report_failure(pod, pod.failure)
        elif pod.is_ready and last and not last.is_ready:
            self._notifications.put_nowait((pod, None))

    def _remove(self, pod: PodStatus) -> None:
        self._pods.pop(pod.uid, None)
        self._report_failure(pod, pod.failure or PodFailure(uid=pod.uid, reason=DELETED))
        self._failed.discard(pod.uid)

    def _report_failure(self, pod: PodStatus, failure: PodFailure) -> None:
        if pod.monitor_id and pod.uid not in self._failed:
            self._failed.add(pod.uid)
            self._notifications.put_nowait((pod, failure))

    async def _notify(self) -> None:
        while True:
            pod, failure = await self._notifications.get()
            condition = failure.description if failure else "ready"
            logger.info(
                "Pod seen", monitor_id=pod.monitor_id, pod=pod.pod_name, condition=condition
            )
            while not await self._notify_once(pod, failure):
                await asyncio.sleep(NOTIFY_AGAIN_SEC)

    async def _notify_once(self, pod: PodStatus, failure: PodFailure | None) -> bool:
        if failure:
            return await self._listener.on_failure(pod.monitor_id, failure)
        return await self._listener.on_ready(pod.monitor_id, pod.uid)

    async def _check_overdue(self) -> None:
        """Read Pods again that should be ready: one that does not start causes no events."""
        while True:
            await asyncio.sleep(TICK_SEC)
            try:
                for pod in self._overdue():
                    seen = await self._cluster.get(pod.pod_name)
                    if seen and seen.uid == pod.uid and pod.uid in self._pods:
                        self._update(seen)
            except CallFailed as error:
                logger.warning("an overdue Pod cannot be read", error=str(error))

    def _overdue(self) -> list[PodStatus]:
        latest = datetime.now(UTC) - self._cluster.start_timeout
        return [
            pod
            for pod in self.pods
            if not pod.failure and pod.unready_since and pod.unready_since < latest
        ]
