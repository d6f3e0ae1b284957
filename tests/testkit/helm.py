"""The real Helm, as a library, with access to the cluster of the tests."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import helm_python

from tests.testkit.chart import FOLDER, NAMESPACE, RELEASE
from tests.testkit.chart_cluster import KINDS, Cluster


class Helm:
    """Helm with access to the cluster; it keeps its releases in memory."""

    def __init__(self, cluster: Cluster, config: helm_python.Config) -> None:
        self.cluster = cluster
        self._config = config

    async def install(self, values: dict[str, Any]) -> None:
        done = await asyncio.to_thread(self._config.install, FOLDER, RELEASE, values)
        assert done["status"] == "deployed"

    async def upgrade(self, values: dict[str, Any]) -> None:
        done = await asyncio.to_thread(self._config.upgrade, FOLDER, RELEASE, values)
        assert done["status"] == "deployed"

    async def uninstall(self) -> None:
        await asyncio.to_thread(self._config.uninstall, RELEASE)

    def made(self) -> set[tuple[str, str]]:
        return {(kind, name) for kind in KINDS.values() for name in self.cluster.found(kind)}


@contextmanager
def helm_of(cluster: Cluster, kubeconfig: Path) -> Iterator[Helm]:
    """Yield Helm for a cluster that is reached as `kubeconfig` says."""
    with helm_python.Config(
        kubeconfig_path=kubeconfig, namespace=NAMESPACE, storage_driver="memory"
    ) as config:
        yield Helm(cluster, config)
