"""A Kubernetes API that knows Pods: kmock, plus what it lacks.

That is: uids and creation times, resource versions, label selectors, watches that go on from a
version, send bookmarks, end in time and expire, deletion that waits for the kubelet, scripted
failures, silent connections, and restarts after which it refuses what it took before.
"""

import asyncio
import itertools
import json
import uuid
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp.web
import kmock
from aiohttp.test_utils import RawTestServer
from kmock import KubernetesEmulator, KubernetesError, Request

Pod: TypeAlias = dict[str, Any]

PODS = kmock.resource("v1/pods")
STARTING = (
    'pods is forbidden: User "system:serviceaccount:streams:orchestrator" cannot {verb} resource '
    '"pods" in API group "" in the namespace "streams": RBAC: role.rbac.authorization.k8s.io '
    '"stream-tracker-pods" not found',
    'pods "p" is forbidden: not yet ready to handle request',
)
"""What a server answers until it has read the Roles, and its admission plugins are ready."""

WRITES = (kmock.action.CREATE, kmock.action.DELETE)

KUBELET = "kubelet"
"""Finalizer that keeps a Pod in the API until its process has ended."""


class FakeApi(KubernetesEmulator):
    """Serves Pods, and counts calls.

    Attributes:
        has_kubelet: whether a deleted Pod stays until its kubelet says that it is gone.
        names: of the Pods that exist.
        calls: how often each verb was used.
        refused: how often each verb was refused by a server that had just started.
        failures: what the next calls of a verb fail with, in order.
        forgotten: versions up to this one are expired.
        longest_watch_sec: watches end after this, whatever the client asked.
        bookmark_sec: a watch sends a bookmark this often.
        is_silent: open watches stay open and say nothing, as behind a dead load balancer.
        is_down: it refuses connections.
        is_starting: it refuses calls with 403, as a server that has just started.
        latency_sec: what each call takes before it does anything, and once more before it answers.
    """

    def __init__(self, *, has_kubelet: bool = False) -> None:
        super().__init__()
        self.has_kubelet = has_kubelet
        self.names: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.failures: dict[str, deque[aiohttp.web.Response]] = {}
        self.forgotten = 0
        self.longest_watch_sec = 3600.0
        self.bookmark_sec = 60.0
        self.is_silent = False
        self.is_down = False
        self.is_starting = False
        self.latency_sec = 0.0
        self._refusals = itertools.cycle(STARTING)
        self._connections: set[asyncio.Transport] = set()
        self.resources["v1/pods"] = kmock.ResourceInfo(kind="Pod", namespaced=True)
        self._versions = itertools.count(1)
        self._log: list[tuple[int, str, Pod]] = []
        self._changed = asyncio.Event()
        self.fallback[kmock.action.LIST, PODS] ** 1 << self._list_pods
        self.fallback[kmock.action.WATCH, PODS] ** 1 << self._watch_pods

    # What the test says

    @property
    def pods(self) -> dict[str, Pod]:
        """The Pods that exist, by name."""
        return {
            key[2]: item.raw
            for key, item in self.objects.items()
            if key[0] == PODS and not item.deleted
        }

    def fail(
        self, verb: str, status: int, *, times: int = 1, message: str = "", **headers: str
    ) -> None:
        """Have the next calls of a verb fail before they do anything."""
        answers = self.failures.setdefault(verb, deque())
        body = {"kind": "Status", "code": status, "message": message or f"scripted {status}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answers.extend(
            aiohttp.web.json_response(body, status=status, headers=named) for _ in range(times)
        )

    def set_status(self, name: str, **status: Any) -> None:
        """Change a Pod's status as its kubelet or the scheduler does."""
        self.change(name, {"status": status})

    def remove(self, name: str) -> None:
        """Have a Pod vanish."""
        found = self.objects[PODS, self._namespace(name), name]
        last = found.raw
        found.delete()
        self._record("DELETED", last)

    def expire_versions(self) -> None:
        """Forget what happened: older versions answer 410 from now on."""
        self.forgotten = next(self._versions)
        self._log.clear()

    async def restart(self, *, down_sec: float, denying_sec: float) -> None:
        """Be away, and then deny what is allowed, for so long each."""
        self.is_down = self.is_starting = True
        for connection in self._connections:
            connection.abort()
        self._connections.clear()
        self._changed.set()
        await asyncio.sleep(down_sec)
        self.is_down = False
        self._changed.set()
        await asyncio.sleep(denying_sec)
        self.is_starting = False
        self._changed.set()

    async def until(self, condition: Callable[[], Any], *, within_sec: float = 30.0) -> None:
        """Wait until a change of a Pod, or a call, makes `condition` true."""
        async with asyncio.timeout(within_sec):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    # What the API does

    async def __call__(self, raw_request: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        """Answer, or drop the connection."""
        if raw_request.transport:
            self._connections.add(raw_request.transport)
            if self.is_down:
                raw_request.transport.abort()
        return await super().__call__(raw_request)

    async def _handle(self, request: Request) -> aiohttp.web.StreamResponse:
        serving = self._serve(request)
        # A write that has begun is done, even when nobody waits for the answer any more.
        return await (asyncio.shield(serving) if request.action in WRITES else serving)

    async def _serve(self, request: Request) -> aiohttp.web.StreamResponse:
        try:
            return await self._act(request)
        finally:
            # kmock goes through all requests that it keeps, for each new one.
            self._requests.remove(request)

    async def _act(self, request: Request) -> aiohttp.web.StreamResponse:
        verb = request.action.value.lower() if request.action else "other"
        self.calls[verb] += 1
        self._changed.set()
        await asyncio.sleep(self.latency_sec)
        if self.is_down or self.is_starting:
            self.refused[verb] += 1
            message = next(self._refusals).format(verb=verb)
            return _answer(403, "Forbidden", message)
        if answers := self.failures.get(verb):
            return answers.popleft()
        if verb in ("fetch", "delete") and request.name and request.name not in self.pods:
            missing = {"name": request.name, "kind": "pods"}
            return _answer(404, "NotFound", f'pods "{request.name}" not found', details=missing)
        if request.action is kmock.action.CREATE:
            self._admit(request)
        if request.action is kmock.action.DELETE and request.name:
            self._check_preconditions(request)
        response = await super()._handle(request)
        if request.action is kmock.action.CREATE and response.status < 400:
            self._record("ADDED", self.pods[request.data["metadata"]["name"]])
        if request.action is kmock.action.DELETE and response.status < 400 and request.name:
            self._note_deletion(request)
        await asyncio.sleep(self.latency_sec)
        return response

    def _admit(self, request: Request) -> None:
        """Complete a Pod as the API does."""
        meta = request.data["metadata"]
        if meta["name"] in self.pods:
            return
        meta["namespace"] = request.namespace
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = datetime.now(UTC).isoformat()
        meta["resourceVersion"] = str(next(self._versions))
        if self.has_kubelet:
            meta["finalizers"] = [KUBELET]
        request.data["status"] = {"phase": "Pending"}

    def _check_preconditions(self, request: Request) -> None:
        wanted = ((request.data or {}).get("preconditions") or {}).get("uid")
        present = self.pods.get(request.name or "")
        if wanted and present and present["metadata"]["uid"] != wanted:
            raise KubernetesError(status=409, reason="Conflict", message="another uid")

    def _note_deletion(self, request: Request) -> None:
        name = request.name or ""
        present = self.pods.get(name)
        if present is None:
            key = PODS, request.namespace, name
            self._record("DELETED", self.objects[key].last.raw)
            del self.objects[key]  # kmock keeps what it deleted, and goes through it for each call
        elif (request.data or {}).get("gracePeriodSeconds") == 0:
            self.remove(name)
        else:
            grace = timedelta(seconds=present["spec"].get("terminationGracePeriodSeconds", 30))
            deletion_deadline = (datetime.now(UTC) + grace).isoformat()
            self.change(name, {"metadata": {"deletionTimestamp": deletion_deadline}})

    async def _list_pods(self, request: Request) -> dict[str, Any]:
        found = [pod for pod in self.pods.values() if _is_selected(pod, request)]
        version = str(next(self._versions))
        return {
            "kind": "PodList",
            "apiVersion": "v1",
            "metadata": {"resourceVersion": version},
            "items": found,
        }

    async def _watch_pods(self, request: Request) -> AsyncIterator[Any]:
        yield b""
        since = int(request.params["resourceVersion"])
        if since < self.forgotten:
            yield {"type": "ERROR", "object": {"code": 410, "reason": "Gone", "message": "too old"}}
            return
        asked_sec = float(request.params.get("timeoutSeconds", 3600))
        loop = asyncio.get_running_loop()
        began = told = loop.time()
        while loop.time() < began + min(asked_sec, self.longest_watch_sec) and not self.is_down:
            while self.is_silent:
                await asyncio.sleep(0.02)
            if loop.time() > told + self.bookmark_sec:
                told, since = loop.time(), next(self._versions)
                yield {"type": "BOOKMARK", "object": _bookmark(since)}
            begin = bisect_right(self._log, since, key=lambda each: each[0])
            for version, kind, pod in self._log[begin:]:
                since = version
                if _is_selected(pod, request):
                    yield {"type": kind, "object": pod}
            await asyncio.sleep(0.02)

    def change(self, name: str, change: dict[str, Any]) -> None:
        """Change a Pod, whoever does so."""
        found = self.objects[PODS, self._namespace(name), name]
        meta = {**change.get("metadata", {}), "resourceVersion": str(next(self._versions))}
        found.patch({**change, "metadata": meta})
        self._record("MODIFIED", found.raw)

    def _namespace(self, name: str) -> str:
        return str(self.pods[name]["metadata"]["namespace"])

    def _record(self, kind: str, pod: Pod) -> None:
        version = next(self._versions)
        name = pod["metadata"]["name"]
        (self.names.discard if kind == "DELETED" else self.names.add)(name)
        kept = json.loads(json.dumps(pod))
        kept["metadata"]["resourceVersion"] = str(version)
        self._log.append((version, kind, kept))
        self._changed.set()


def _answer(status: int, reason: str, message: str, **more: Any) -> aiohttp.web.Response:
    body = {"kind": "Status", "code": status, "reason": reason, "message": message, **more}
    return aiohttp.web.json_response(body, status=status)


def _bookmark(version: int) -> dict[str, Any]:
    """Return the object of a bookmark, as it was seen of Kubernetes 1.36."""
    meta = {"resourceVersion": str(version), "creationTimestamp": None}
    spec = {"containers": None}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": {}}


def _is_selected(pod: Pod, request: Request) -> bool:
    if request.namespace and pod["metadata"]["namespace"] != request.namespace:
        return False
    labels = pod["metadata"].get("labels") or {}
    terms = [term for term in request.params.get("labelSelector", "").split(",") if term]
    return all(labels.get(term.partition("=")[0]) == term.partition("=")[2] for term in terms)


def kubeconfig(url: str, path: Path) -> Path:
    """Write how to reach the API to `path`."""
    cluster = {"name": "test", "cluster": {"server": url}}
    context = {"name": "test", "context": {"cluster": "test", "user": "test"}}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "users": [{"name": "test", "user": {"token": "test"}}],
        "contexts": [context],
        "current-context": "test",
    }
    path.write_text(json.dumps(config))
    return path


@asynccontextmanager
async def fake_api(*, has_kubelet: bool = False) -> AsyncIterator[tuple[FakeApi, str]]:
    """Serve the API on a port of its own; yield it and its URL."""
    async with FakeApi(has_kubelet=has_kubelet) as api, serving(api) as url:
        yield api, url


@asynccontextmanager
async def serving(api: KubernetesEmulator) -> AsyncIterator[str]:
    """Serve an API and yield its URL.

    Not by kmock's own server: that replaces the resolver of the whole process while it runs, so
    that of two the first one to begin must be the last to end.
    """
    async with RawTestServer(api, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")
