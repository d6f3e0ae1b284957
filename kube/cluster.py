"""The monitors' Pods in a cluster: one call of the Kubernetes API a method."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kubernetes.aio import config
from kubernetes.aio.client import (
    ApiClient,
    ApiException,
    Configuration,
    CoreV1Api,
    V1DeleteOptions,
    V1Pod,
    V1Preconditions,
)
from kubernetes.aio.config import ConfigException
from kubernetes.aio.watch import Watch
from yaml import YAMLError

from kube.api_errors import CallFailed, NameTaken, is_pod_absent, translate_api_errors
from kube.pod_manifest import PodTemplate, pod_manifest
from kube.pod_status import read_pod
from monitors.pods import PodStatus, pod_name

CONNECTIONS = 20
CALL_SEC = 8.0
WATCH_SEC = 300
SILENCE_SEC = 90.0
"""A watch without an event for this long is lost. Servers send a bookmark every 60 s.

Source: `defaultBookmarkFrequency` in k8s.io/apiserver, pkg/storage/cacher/cacher.go.
"""


@dataclass(frozen=True)
class PodList:
    """All Pods at one moment; a watch goes on from `version`."""

    pods: list[PodStatus]
    version: str


@dataclass(frozen=True)
class PodChange:
    """An event of a watch; a bookmark has no Pod, only a new version."""

    pod: PodStatus | None
    is_gone: bool
    version: str


CallMeter = Callable[[str], AbstractContextManager[object]]
"""Measures a call, by its verb; sees the error that it fails with."""


class NoCluster(Exception):
    """The address of the Kubernetes API is unknown; the message says why."""


class PodCluster:
    """Makes, reads and deletes the Pods of one template.

    Every method raises `CallFailed`, of which `CallRefused` is one kind.
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
        self._api = CoreV1Api(client)
        self._meter = meter

    async def create(self, monitor_id: str, number: int) -> PodStatus:
        """Create the monitor's Pod of this number; raise `NameTaken` where there is one."""
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
        with self._call("get", f"looking at Pod {name}"):
            try:
                pod = await self._api.read_namespaced_pod(
                    name, self.template.namespace, _request_timeout=CALL_SEC
                )
            except ApiException as error:
                if is_pod_absent(error, name):
                    return None
                raise
        return self._read(pod)

    async def delete(self, name: str, *, uid: str | None = None, force: bool = False) -> bool:
        """Delete the Pod of this name, only if it has this uid; return whether it existed.

        `force` does not wait for its node, which may be lost.
        """
        options = V1DeleteOptions(
            preconditions=V1Preconditions(uid=uid) if uid else None,
            grace_period_seconds=0 if force else None,
        )
        with self._call("delete", f"deleting Pod {name}"):
            try:
                await self._api.delete_namespaced_pod(
                    name, self.template.namespace, body=options, _request_timeout=CALL_SEC
                )
            except ApiException as error:
                is_another = uid is not None and error.status == HTTPStatus.CONFLICT
                if is_pod_absent(error, name) or is_another:
                    return False
                raise
        return True

    async def list(self) -> PodList:
        with self._call("list", "listing Pods"):
            found = await self._api.list_namespaced_pod(
                self.template.namespace,
                label_selector=self.template.selector,
                _request_timeout=CALL_SEC * 3,
            )
        version = found.metadata.resource_version if found.metadata else None
        return PodList([self._read(each) for each in found.items], version or "")

    async def changes(self, version: str) -> AsyncIterator[PodChange]:
        """Yield what happens to the Pods after `version`; end after a few minutes.

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
        """Return the next event; None at the end."""
        # Without the bookmarks, a connection that dies silently (a load balancer, a lost control-
        # plane node) would look like a cluster in which nothing happens.
        try:
            async with asyncio.timeout(self._silence_sec):
                return await anext(events, None)
        except TimeoutError:
            raise CallFailed(f"the watch on Pods is silent for {self._silence_sec:g} s") from None

    @contextmanager
    def _call(self, verb: str, call: str) -> Iterator[None]:
        with self._meter(verb), translate_api_errors(call):
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


@asynccontextmanager
async def connected() -> AsyncIterator[ApiClient]:
    """Yield a client: of the service account inside a cluster, else as kubeconfig says."""
    client = ApiClient(await _configuration())
    try:
        yield client
    finally:
        await client.close()


async def _configuration() -> Configuration:
    configuration = Configuration()
    try:
        if os.environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(
                config_file=_kubeconfig(), client_configuration=configuration, persist_config=False
            )
    except (ConfigException, OSError, YAMLError, TypeError) as error:  # the last: an empty file
        why = " ".join(str(error).split())
        raise NoCluster(f"the Kubernetes API is not configured: {why}") from None
    configuration.connection_pool_maxsize = CONNECTIONS
    # HTTP_PROXY and HTTPS_PROXY are for streams; the API is inside.
    configuration.client_session_kwargs = {"trust_env": False}
    return configuration


def _kubeconfig() -> str:
    paths = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if not any(Path(path).is_file() for path in paths.split(os.pathsep)):
        raise ConfigException(f"this is no Pod of a cluster, and KUBECONFIG is no file: {paths}")
    return paths
