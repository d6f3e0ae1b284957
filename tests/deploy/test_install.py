"""The chart, installed, changed and removed by the real Helm on a cluster of the tests."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.testkit.chart import (
    EVERYTHING,
    EVERYTHING_IN_PODS,
    EXISTING_SECRET,
    MINIMAL,
    POD_PLACEMENT,
    SECRETS,
    rendered,
)
from tests.testkit.chart_cluster import opened_cluster
from tests.testkit.fake_kube_api import kubeconfig
from tests.testkit.helm import Helm, helm_of

WITHOUT_OPERATOR = {"serviceMonitor": {"enabled": False}}


@pytest.fixture
async def helm(tmp_path: Path) -> AsyncIterator[Helm]:
    async with opened_cluster() as (cluster, url):
        with helm_of(cluster, kubeconfig(url, tmp_path / "kubeconfig")) as helm:
            yield helm


def expected(values: dict[str, Any]) -> set[tuple[str, str]]:
    """Return what an installation makes, without what `helm test` makes."""
    return {
        (found["kind"], found["metadata"]["name"])
        for found in rendered(values)
        if "helm.sh/hook" not in found["metadata"].get("annotations", {})
    }


@pytest.mark.parametrize(
    "values",
    [
        MINIMAL,
        EXISTING_SECRET,
        EVERYTHING | WITHOUT_OPERATOR,
        EVERYTHING_IN_PODS | WITHOUT_OPERATOR,
    ],
    ids=["minimal", "existing secret", "everything", "everything in pods"],
)
async def test_all_that_is_rendered_arrives_and_all_of_it_goes(
    helm: Helm, values: dict[str, Any]
) -> None:
    await helm.install(values)
    assert helm.made() == expected(values)
    await helm.uninstall()
    assert helm.made() == set()


async def test_a_change_of_the_placement_takes_the_pool_away_and_gives_the_rights(
    helm: Helm,
) -> None:
    await helm.install(MINIMAL)
    await helm.upgrade(POD_PLACEMENT)
    assert helm.made() == expected(POD_PLACEMENT)
    await helm.upgrade(MINIMAL)
    assert helm.made() == expected(MINIMAL)


async def test_an_upgrade_starts_new_pods_of_what_changed_alone(helm: Helm) -> None:
    def templates() -> dict[str, Any]:
        found = helm.cluster.found("Deployment")
        return {name.rpartition("-")[2]: each["spec"]["template"] for name, each in found.items()}

    await helm.install(MINIMAL)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("gateway", {"maxMonitors": 60}),
        ("orchestrator", {"settings": {"WEBHOOK_MAX_ATTEMPTS": 6}}),
        ("probe", {"pool": {"slots": 60}}),
    ]
    for component, change in changes:
        await helm.upgrade(MINIMAL)
        before = templates()
        await helm.upgrade(MINIMAL | {component: change})
        after = templates()
        assert [name for name in after if after[name] != before[name]] == [component]


async def test_a_secret_that_is_taken_back_is_gone_from_the_cluster(helm: Helm) -> None:
    await helm.install(MINIMAL | {"secrets": SECRETS | {"temporalApiKey": "of Temporal"}})
    assert helm.cluster.secret("st-stream-tracker")["TEMPORAL_API_KEY"] == "of Temporal"
    await helm.upgrade(MINIMAL)
    kept = helm.cluster.secret("st-stream-tracker")
    assert set(kept) == {
        *("API_KEY", "DATABASE_URL", "INTERNAL_API_KEY", "PROBE_API_KEY", "WEBHOOK_SIGNING_KEY")
    }
    assert kept["DATABASE_URL"] == SECRETS["databaseUrl"]
