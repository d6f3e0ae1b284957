"""A cluster to install the chart on: the Kubernetes API of the tests, and what Helm asks of one."""

import base64
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp.web
import kmock
from kmock import KubernetesEmulator, Request

from tests.testkit.fake_kube_api import PODS, FakeApi, serving

VERSION = "1.37"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
KINDS = {
    "v1/configmaps": "ConfigMap",
    "v1/namespaces": "Namespace",
    "v1/pods": "Pod",
    "v1/secrets": "Secret",
    "v1/serviceaccounts": "ServiceAccount",
    "v1/services": "Service",
    "apps/v1/deployments": "Deployment",
    "batch/v1/jobs": "Job",
    "autoscaling/v2/horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "networking.k8s.io/v1/ingresses": "Ingress",
    "networking.k8s.io/v1/networkpolicies": "NetworkPolicy",
    "policy/v1/poddisruptionbudgets": "PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1/rolebindings": "RoleBinding",
    "rbac.authorization.k8s.io/v1/roles": "Role",
}
CLUSTER_WIDE = {"Namespace"}
NAMESPACE_PATH = re.compile(r"/api/v1/namespaces/([^/]+)")


class Cluster(FakeApi):
    """Keeps the objects that Helm applies from the server's side, as Helm 4 does."""

    def __init__(self) -> None:
        super().__init__(has_kubelet=True)
        self._namespaces: dict[str, dict[str, Any]] = {}
        for path, kind in KINDS.items():
            self.resources[path] = kmock.ResourceInfo(
                kind=kind,
                singular=kind.lower(),
                namespaced=kind not in CLUSTER_WIDE,
                verbs=set(VERBS),
            )
        self["get /version"] << {"major": "1", "minor": "37", "gitVersion": f"v{VERSION}.0"}
        self["get /api/v1"] << _core_group()  # kmock names the group "/v1"
        self._describe_itself()

    def found(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the objects of a kind that exist, by name."""
        if kind == "Namespace":
            return dict(self._namespaces)
        plural = next(path.rpartition("/")[2] for path, each in KINDS.items() if each == kind)
        return {
            key[2]: item.raw
            for key, item in self.objects.items()
            if key[0].plural == plural and not item.deleted
        }

    def secret(self, name: str) -> dict[str, str]:
        """Return what is in a Secret."""
        data = self.found("Secret")[name]["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    async def _handle(self, request: Request) -> aiohttp.web.StreamResponse:
        if found := NAMESPACE_PATH.fullmatch(request.url.path):
            return self._handle_namespace(request, found[1])
        if request.headers.get("Content-Type") == "application/apply-patch+yaml":
            return aiohttp.web.json_response(self._apply(request))
        if request.resource != PODS:
            return await KubernetesEmulator._handle(self, request)
        return await super()._handle(request)

    def _handle_namespace(self, request: Request, name: str) -> aiohttp.web.Response:
        """Do what kmock does for all else: it takes such a path for one within a namespace."""
        if request.method.value == "PATCH":
            self._namespaces[name] = json.loads(request.body)
        if name not in self._namespaces:
            body = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "not found"}
            return aiohttp.web.json_response(body, status=404)
        kept = self._namespaces[name]
        if request.method.value == "DELETE":
            del self._namespaces[name]
        return aiohttp.web.json_response(kept)

    def _apply(self, request: Request) -> dict[str, Any]:
        wanted: dict[str, Any] = json.loads(request.body)
        assert request.resource
        assert request.name
        key = (request.resource, request.namespace, request.name)
        exists = key in self.objects and not self.objects[key].deleted
        if wanted["kind"] == "Secret":
            _take_string_data(wanted, self.objects[key].raw["data"] if exists else {})
        if request.namespace:
            wanted["metadata"]["namespace"] = request.namespace
        if exists:
            self.objects[key].delete()
        if key in self.objects:
            self.objects[key].create(wanted)
        else:
            self.objects[key] = wanted
        return wanted

    def _describe_itself(self) -> None:
        """Say in OpenAPI that it checks fields strictly; all else Helm finds out without."""
        checked = [{"name": "fieldValidation", "in": "query"}]
        documents: dict[str, dict[str, Any]] = defaultdict(dict)
        for path, kind in KINDS.items():
            group, _, version = path.rpartition("/")[0].rpartition("/")
            root = f"apis/{group}/{version}" if group else f"api/{version}"
            meaning = {"group": group, "version": version, "kind": kind}
            patch = {"x-kubernetes-group-version-kind": meaning, "parameters": checked}
            documents[root][f"/{root}/{path.rpartition('/')[2]}"] = {"patch": patch}
        where = {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in documents}
        self["get /openapi/v3"] << {"paths": where}
        for root, paths in documents.items():
            self[f"get /openapi/v3/{root}"] << {"openapi": "3.0.0", "paths": paths}


def _take_string_data(secret: dict[str, Any], before: dict[str, str]) -> None:
    """Write `stringData` into `data`, which then keeps what `stringData` no longer names."""
    given = secret.pop("stringData", None)
    if given is not None:
        coded = {key: base64.b64encode(value.encode()).decode() for key, value in given.items()}
        secret["data"] = {**before, **secret.get("data", {}), **coded}


def _core_group() -> dict[str, Any]:
    resources = [
        {"name": path.removeprefix("v1/"), "kind": kind, "singularName": kind.lower()}
        | {"namespaced": kind not in CLUSTER_WIDE, "verbs": list(VERBS)}
        for path, kind in KINDS.items()
        if path.startswith("v1/")
    ]
    return {"kind": "APIResourceList", "groupVersion": "v1", "resources": resources}


@asynccontextmanager
async def opened_cluster() -> AsyncIterator[tuple[Cluster, str]]:
    """Serve a cluster on a port of its own; yield it and its URL."""
    async with Cluster() as cluster, serving(cluster) as url:
        yield cluster, url
