"""The Pods of the monitors in a cluster: one call of the Kubernetes API a method."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from kubernetes.aio.client import (
    ApiClient,
    ApiException,
    CoreV1Api,
    V1DeleteOptions,
    V1Pod,
    V1Preconditions,
)
from kubernetes.aio.watch import Watch

from kube.errors import CallFailed, NameTaken, says_absent, translate_api_errors
from kube.pod_manifest import PodTemplate, pod_manifest
from kube.pod_status import read_pod
from monitors.pods import PodStatus, pod_name

CALL_SEC = 8.0
WATCH_SEC = 300
SILENCE_SEC = 90.0
"""A watch that says nothing for this long is lost. Servers send a bookmark every 60 s.

Source: `defaultBookmarkFrequency` in k8s.io/apiserver, pkg/storage/cacher/cacher.go.
"""


@dataclass(frozen=True)
class PodList:
    """All Pods at one moment.

    Attributes:
        version: from which on to watch what becomes of them.
    """

    pods: list[PodStatus]
    version: str


@dataclass(frozen=True)
class PodChange:
    """What a watch tells.

    Attributes:
        pod: None for a bookmark, which moves the version alone.
        version: from which on to watch later.
    """

    pod: PodStatus | None
    is_gone: bool
    version: str


CallMeter = Callable[[str], AbstractContextManager[object]]
"""Measures a call, by its verb; sees the `kube.errors.KubernetesError` that it fails with."""


class PodCluster:
    """Makes, looks at and removes the Pods of one template.

    Every method raises `kube.errors.CallFailed`, of which `kube.errors.CallRefused` is one.
    """

    def __init__(
        self,
        client: ApiClient,
        template: PodTemplate,
        *,
        start_timeout: timedelta,
        silence_sec: float = SILENCE_SEC,
        meter: CallMeter = lambda verb: nullcontext(),
    ) -> None:
        self.template = template
        self.start_timeout = start_timeout
        self._silence_sec = silence_sec
        self._client = client
        self._api = CoreV1Api(client)
        self._meter = meter

    async def create(self, monitor_id: str, number: int) -> PodStatus:
        """Create the monitor's Pod of this number.

        Raises:
            NameTaken: there is one of its name.
        """
        manifest = V1Pod.model_validate(pod_manifest(self.template, monitor_id, number))
        namespace = self.template.namespace
        with self._call("create", f"creating a Pod in namespace {namespace}"):
            try:
                pod = await self._api.create_namespaced_pod(
                    namespace, manifest, _request_timeout=CALL_SEC
                )
            except ApiException as error:
                if error.status == HTTPStatus.CONFLICT:
                    raise NameTaken(pod_name(monitor_id, number)) from None
                raise
        return self._read(pod)

    async def get(self, name: str) -> PodStatus | None:
        """Return the Pod of this name; None when there is none."""
        with self._call("get", f"looking at Pod {name}"):
            try:
                pod = await self._api.read_namespaced_pod(
                    name, self.template.namespace, _request_timeout=CALL_SEC
                )
            except ApiException as error:
                if says_absent(error, name):
                    return None
                raise
        return self._read(pod)

    async def delete(self, name: str, *, uid: str | None = None, at_once: bool = False) -> bool:
        """Delete the Pod of this name; tell whether it was there.

        Args:
            name: of the Pod.
            uid: only that Pod, not a later one of the same name.
            at_once: without waiting for its node, which may be lost.
        """
        options = V1DeleteOptions(
            preconditions=V1Preconditions(uid=uid) if uid else None,
            grace_period_seconds=0 if at_once else None,
        )
        with self._call("delete", f"deleting Pod {name}"):
            try:
                await self._api.delete_namespaced_pod(
                    name, self.template.namespace, body=options, _request_timeout=CALL_SEC
                )
            except ApiException as error:
                is_another = uid is not None and error.status == HTTPStatus.CONFLICT
                if says_absent(error, name) or is_another:
                    return False
                raise
        return True

    async def list(self) -> PodList:
        """Return all Pods of this installation."""
        with self._call("list", "listing Pods"):
            found = await self._api.list_namespaced_pod(
                self.template.namespace,
                label_selector=self.template.selector,
                _request_timeout=CALL_SEC * 3,
            )
        version = found.metadata.resource_version if found.metadata else None
        return PodList([self._read(each) for each in found.items], version or "")

    async def changes(self, version: str) -> AsyncIterator[PodChange]:
        """Yield what becomes of the Pods after `version`; end after a few minutes.

        Raises:
            CallFailed: list again. The connection is lost, or silent for too long; with status
                410 when `version` is too old.
        """
        with self._call("watch", "watching Pods"):
            watch = Watch(return_type=object)
            events = watch.stream(
                self._api.list_namespaced_pod,
                self.template.namespace,
                label_selector=self.template.selector,
                resource_version=version,
                allow_watch_bookmarks=True,
                timeout_seconds=WATCH_SEC,
                _request_timeout=WATCH_SEC + self._silence_sec,
            )
            try:
                while event := await self._next(events):
                    yield self._change(event)
            finally:
                await watch.close()

    async def _next(self, events: AsyncIterator[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the next event; None at the end.

        A connection that dies without a word (a load balancer, a lost control-plane node) looks
        like a cluster in which nothing happens, but for the bookmarks.
        """
        try:
            async with asyncio.timeout(self._silence_sec):
                return await anext(events, None)
        except TimeoutError:
            raise CallFailed(f"the watch on Pods is silent for {self._silence_sec:g} s") from None

    @contextmanager
    def _call(self, verb: str, what: str) -> Iterator[None]:
        with self._meter(verb), translate_api_errors(what):
            yield

    def _change(self, event: dict[str, Any]) -> PodChange:
        raw = event["raw_object"]
        version = raw["metadata"]["resourceVersion"]
        if event["type"] == "BOOKMARK":
            return PodChange(None, is_gone=False, version=version)
        pod = self._read(V1Pod.model_validate(raw))
        return PodChange(pod, is_gone=event["type"] == "DELETED", version=version)

    def _read(self, pod: V1Pod) -> PodStatus:
        return read_pod(pod, now=datetime.now(UTC), start_timeout=self.start_timeout)
