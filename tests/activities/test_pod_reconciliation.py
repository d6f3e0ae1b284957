"""Pods and monitors are compared, and the difference is repaired."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.pod_declarations import PodReconciliationReport
from activities.reconcile_pods import PodReconciliation
from kube.cluster import PodCluster
from monitors.pods import MISSING, PodFailure, pod_name
from tests.kube.conftest import api, cluster, served
from tests.testkit.fake_kube_api import FakeApi
from tests.testkit.pod_states import MONITOR_ID, NAME, OTHER_ID, OTHER_NAME, terminated

__all__ = ["api", "cluster", "served"]

LONG_AGO = {"metadata": {"creationTimestamp": "2026-01-02T03:04:05Z"}}


class Monitors:
    """Monitors as the test says; also what was counted."""

    def __init__(self) -> None:
        self.listed: set[str] = set()
        self.running: set[str] = set()
        self.told: list[tuple[str, PodFailure]] = []
        self.counted = PodReconciliationReport()

    async def monitoring_ids(self) -> set[str]:
        return self.listed

    async def is_running(self, monitor_id: str) -> bool:
        return monitor_id in self.running

    async def on_failure(self, monitor_id: str, failure: PodFailure) -> bool:
        self.told.append((monitor_id, failure))
        return True

    def count(self, report: PodReconciliationReport) -> None:
        self.counted = report


@pytest.fixture
def monitors() -> Monitors:
    return Monitors()


async def reconciled(cluster: PodCluster, monitors: Monitors) -> PodReconciliationReport:
    reconciliation = PodReconciliation(cluster, monitors, count=monitors.count)
    report = await ActivityEnvironment().run(reconciliation.reconcile_pods)
    assert monitors.counted == report
    return report


async def test_a_pod_without_a_monitor_is_removed(
    api: FakeApi, cluster: PodCluster, monitors: Monitors
) -> None:
    await cluster.create(MONITOR_ID, 1)
    await cluster.create(OTHER_ID, 1)
    monitors.listed = {OTHER_ID}
    api.change(NAME, LONG_AGO)
    assert await reconciled(cluster, monitors) == PodReconciliationReport(removed=1)
    assert list(api.pods) == [OTHER_NAME]


async def test_a_young_pod_is_left_alone(
    api: FakeApi, cluster: PodCluster, monitors: Monitors
) -> None:
    await cluster.create(MONITOR_ID, 1)
    assert await reconciled(cluster, monitors) == PodReconciliationReport()
    assert list(api.pods) == [NAME]


async def test_a_monitor_that_runs_keeps_its_pod_whatever_the_list_says(
    api: FakeApi, cluster: PodCluster, monitors: Monitors
) -> None:
    await cluster.create(MONITOR_ID, 1)
    api.change(NAME, LONG_AGO)
    monitors.running = {MONITOR_ID}
    assert await reconciled(cluster, monitors) == PodReconciliationReport()
    assert list(api.pods) == [NAME]


async def test_pods_of_another_installation_are_left_alone(
    api: FakeApi, cluster: PodCluster, monitors: Monitors
) -> None:
    await cluster.create(MONITOR_ID, 1)
    label = {"labels": {"app.kubernetes.io/instance": "another"}}
    api.change(NAME, {"metadata": LONG_AGO["metadata"] | label})
    assert await reconciled(cluster, monitors) == PodReconciliationReport()
    assert list(api.pods) == [NAME]


async def test_a_monitor_without_its_pod_is_told(cluster: PodCluster, monitors: Monitors) -> None:
    monitors.listed = {MONITOR_ID}
    assert await reconciled(cluster, monitors) == PodReconciliationReport(missing=1)
    failure = PodFailure(uid=None, reason=MISSING)
    assert monitors.told == [(MONITOR_ID, failure)]


async def test_a_monitor_whose_only_pod_leaves_a_lost_node_is_told(
    api: FakeApi, cluster: PodCluster, monitors: Monitors
) -> None:
    api.has_kubelet = True
    await cluster.create(MONITOR_ID, 1)
    await cluster.delete(NAME)
    monitors.listed = {MONITOR_ID}
    assert await reconciled(cluster, monitors) == PodReconciliationReport(missing=1)


async def test_a_pod_that_never_leaves_its_lost_node_is_struck_off(
    api: FakeApi, cluster: PodCluster, monitors: Monitors
) -> None:
    api.has_kubelet = True
    await cluster.create(MONITOR_ID, 1)
    await cluster.create(MONITOR_ID, 2)
    api.change(NAME, {"metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}})
    monitors.listed = {MONITOR_ID}
    assert await reconciled(cluster, monitors) == PodReconciliationReport(lost=1)
    assert list(api.pods) == [pod_name(MONITOR_ID, 2)]


async def test_a_failure_whose_report_was_lost_is_reported_again(
    api: FakeApi, cluster: PodCluster, monitors: Monitors
) -> None:
    await cluster.create(MONITOR_ID, 1)
    api.change(NAME, LONG_AGO)
    api.set_status(NAME, **terminated(1, "Error"))
    monitors.listed = {MONITOR_ID}
    assert await reconciled(cluster, monitors) == PodReconciliationReport(failed=1)
    assert monitors.told[0][1].reason == "Error"


async def test_an_api_that_is_away_is_asked_again(
    api: FakeApi, cluster: PodCluster, monitors: Monitors
) -> None:
    api.fail("list", 503)
    with pytest.raises(ApplicationError, match="scripted 503") as failed:
        await reconciled(cluster, monitors)
    assert not failed.value.non_retryable
