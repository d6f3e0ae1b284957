"""The Helm chart, rendered for the tests with values that stand for how people install it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from math import ceil
from typing import Any

import helm_python
import pytest
import yaml

from tests.deploy.docker_engine import ROOT

FOLDER = ROOT / "deploy" / "helm" / "stream-tracker"
RELEASE, NAMESPACE = "st", "streams"

SECRETS = {
    "apiKey": "key-of-clients-of-32-bytes-or-more",
    "internalApiKey": "key-of-workers-of-32-bytes-or-more",
    "probeApiKey": "key-of-probes-of-32-bytes-or-more",
    "webhookSigningKey": "key-of-webhooks-of-32-bytes-or-more",
    "databaseUrl": "postgresql://user:password@database.example:5432/stream_tracker",
}
MINIMAL: dict[str, Any] = {"temporal": {"address": "temporal.example:7233"}, "secrets": SECRETS}
EXISTING_SECRET = MINIMAL | {"secrets": {"existingSecret": "our-keys"}}
EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example/st", "tag": "1", "pullSecrets": ["registry"]}
    | {"pullPolicy": "Always"},
    "temporal": {
        "address": "temporal.example:443",
        "namespace": "streams.a1b2c",
        "tls": {
            "enabled": True,
            "serverName": "temporal.internal",
            "secret": "temporal-tls",
            "ca": True,
            "clientCertificate": True,
        },
        "registerSearchAttributes": True,
    },
    "secrets": SECRETS | {"temporalApiKey": "key-of-temporal"},
    "gateway": {
        "settings": {"RATE_LIMIT_STORAGE": "redis://redis.example:6379", "RETENTION_DAYS": 30},
        "secretSettings": ["HTTPS_PROXY"],
        "maxMonitors": 1000000,
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "host": "streams.example",
            "tlsSecret": "streams-tls",
            "annotations": {"example.com/a": "b"},
        },
        "podAnnotations": {"example.com/a": "b"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "priorityClassName": "important",
    },
    "workers": {
        "settings": {"SEGMENT_MAX_BYTES": 134217728},
        "secretSettings": ["HTTPS_PROXY"],
        "extraVolumes": [{"name": "cookies", "secret": {"secretName": "cookies"}}],
        "extraVolumeMounts": [{"name": "cookies", "mountPath": "/cookies", "readOnly": True}],
    },
    "orchestrator": {"settings": {"WEBHOOK_MAX_ATTEMPTS": 6}},
    "probe": {
        "settings": {"HEARTBEAT_INTERVAL_SEC": 2.5},
        "nodeSelector": {"pool": "probes"},
        "tolerations": [{"key": "probes", "operator": "Exists"}],
        "priorityClassName": "less-important",
        "pool": {"autoscaling": {"enabled": True}},
    },
    "networkPolicy": {
        "apiFrom": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
        "temporalTo": [{"ipBlock": {"cidr": "10.1.2.3/32"}}],
        "kubernetesApiTo": [{"ipBlock": {"cidr": "10.0.0.1/32"}}],
        "extraWorkerEgress": [{"to": [{"ipBlock": {"cidr": "10.1.2.4/32"}}]}],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "extraObjects": [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "{{ .Release.Name }}-extra"},
            "data": {"a": "b"},
        }
    ],
}
POD_PLACEMENT = MINIMAL | {"probe": {"placement": "pod"}}
EVERYTHING_IN_PODS = EVERYTHING | {"probe": EVERYTHING["probe"] | {"placement": "pod"}}
BARE = MINIMAL | {
    "gateway": {"autoscaling": {"enabled": False}, "podDisruptionBudget": False},
    "networkPolicy": {"enabled": False},
    "serviceAccounts": {"create": False},
    "allowPrivateNetworks": True,
}

SETS = {
    "minimal": MINIMAL,
    "existing secret": EXISTING_SECRET,
    "everything on": EVERYTHING,
    "pod placement": POD_PLACEMENT,
    "everything on, pod placement": EVERYTHING_IN_PODS,
    "as little as possible": BARE,
}


ALL_SETS = [pytest.param(values, id=name) for name, values in SETS.items()]


@cache
def loaded() -> helm_python.Chart:
    return helm_python.Chart.load(FOLDER)


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the minimal values with one more, whose path is dotted."""
    values = deepcopy(MINIMAL)
    *folders, last = path.split(".")
    place = values
    for folder in folders:
        place = place.setdefault(folder, {})
    place[last] = value
    return values


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the objects that an installation with `values` makes; they are not to be changed."""
    return _rendered(json.dumps(values))


@cache
def _rendered(values: str) -> list[dict[str, Any]]:
    files = loaded().render(json.loads(values), name=RELEASE, namespace=NAMESPACE)
    texts = [text for name, text in files.items() if not name.endswith(".txt")]
    return [found for text in texts for found in yaml.load_all(text, yaml.CSafeLoader) if found]


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the objects of one kind by name, without the release's part of it."""
    prefix = f"{RELEASE}-stream-tracker"
    return {
        found["metadata"]["name"].removeprefix(prefix).removeprefix("-"): found
        for found in objects
        if found["kind"] == kind
    }


def pod_specs(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, found in of_kind(objects, "Deployment").items():
        yield name, found["spec"]["template"]["spec"]


def environment_of(objects: list[dict[str, Any]], component: str) -> dict[str, str]:
    """Return a container's environment, its secrets with their own names as values.

    A variable of the Secret that may be missing there is left out.
    """
    spec = dict(pod_specs(objects))[component]["containers"][0]
    configs = of_kind(objects, "ConfigMap")
    found: dict[str, str] = {}
    for source in spec["envFrom"]:
        name = source["configMapRef"]["name"].removeprefix(f"{RELEASE}-stream-tracker-")
        found |= configs[name]["data"]
    for variable in spec["env"]:
        if field := variable["valueFrom"].get("resourceFieldRef"):
            found[variable["name"]] = whole_amount(spec, field)
            continue
        reference = variable["valueFrom"]["secretKeyRef"]
        if not reference.get("optional"):
            found[variable["name"]] = f"https://{reference['key'].lower()}/of-32-characters-or-more"
    return found


def whole_amount(container: dict[str, Any], field: dict[str, str]) -> str:
    """Return what Kubernetes gives for one of a container's own amounts, in whole units."""
    assert field["containerName"] == container["name"]
    assert field["divisor"] == "1"
    amount = container["resources"]
    for name in field["resource"].split("."):
        amount = amount[name]
    text = str(amount)
    return str(ceil(int(text[:-1]) / 1000 if text.endswith("m") else float(text)))


POD_OF_A_STREAM = {
    "app": "stream-monitor",
    "app.kubernetes.io/instance": "st",
    "app.kubernetes.io/component": "probe",
}
"""Labels of a Pod of one stream."""


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    return all(
        labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()
    ) and all(labels.get(each["key"]) in each["values"] for each in expressions)
