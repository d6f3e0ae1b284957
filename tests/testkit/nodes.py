"""Deployments that run as processes of this machine, as nodes of a cluster run them.

Command and environment are those of the Deployment, with what it takes from ConfigMaps and Secrets.
A Pod has an address of its own; names of Services are replaced by the address of a Pod behind them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.testkit.chart import NAMESPACE, RELEASE, whole_amount
from tests.testkit.chart_cluster import Cluster
from tests.testkit.children import SCRIPTS, Child
from tests.testkit.harness import ready
from tests.testkit.kubelet import IMAGE_ENTRYPOINT

FULL_NAME = f"{RELEASE}-stream-tracker"


@dataclass
class Nodes:
    """Runs one Pod of a Deployment at a time.

    Attributes:
        variables: that each Pod gets on top.
        network: the first two parts of the Pods' addresses.
        addresses: of the Pod of each component.
    """

    cluster: Cluster
    folder: Path
    network: str
    variables: Mapping[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    running: list[Child] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def run(self, component: str) -> Child:
        """Start a Pod of a component and return once its readiness probe succeeds."""
        template = self.cluster.found("Deployment")[f"{FULL_NAME}-{component}"]["spec"]["template"]
        (container,) = template["spec"]["containers"]
        address = f"{self.network}.0.{next(self._numbers)}"
        self.addresses[component] = address
        child = Child(
            component,
            [str(SCRIPTS / IMAGE_ENTRYPOINT[0]), *container["args"]],
            self.folder,
            **self._environment(container, address),
        )
        self.running.append(child)
        await ready(child, f"http://{address}:{_readiness_port(container)}")
        return child

    def discard(self) -> None:
        """Kill whatever still runs."""
        for child in self.running:
            child.discard()

    def _environment(self, container: dict[str, Any], address: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for source in container["envFrom"]:
            found |= self.cluster.found("ConfigMap")[source["configMapRef"]["name"]]["data"]
        for variable in container["env"]:
            if amount := variable["valueFrom"].get("resourceFieldRef"):
                found[variable["name"]] = whole_amount(container, amount)
                continue
            reference = variable["valueFrom"]["secretKeyRef"]
            secret = self.cluster.secret(reference["name"])
            if reference["key"] in secret or not reference.get("optional"):
                found[variable["name"]] = secret[reference["key"]]
        for name in (
            "HOST",
            "HEALTH_HOST",
        ):  # all addresses of a Pod are its own; here they are not
            if name in found:
                found[name] = address
        gateway = self.addresses.get("gateway", "")
        found = {
            name: value.replace(f"{FULL_NAME}-internal.{NAMESPACE}", gateway).replace(
                f"{FULL_NAME}-internal", gateway
            )
            for name, value in found.items()
        }
        return {"TMPDIR": str(self.folder), **found, **self.variables}


def _readiness_port(container: dict[str, Any]) -> int:
    probe = container["readinessProbe"]["httpGet"]
    assert probe["path"] == "/readyz"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    return int(ports[probe["port"]])
