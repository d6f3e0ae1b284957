"""An orchestrator's Prometheus metrics of Pods and of calls of the Kubernetes API."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from activities.pod_declarations import PodReconciliationReport
from kube.api_errors import CallFailed
from monitors.pods import PodStatus
from worker.metrics import MetricSet

CALL_BUCKETS_SEC = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")


class PodMetrics(MetricSet):
    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._calls = Histogram(
            "stream_tracker_kubernetes_call_duration_seconds",
            "Time that calls of the Kubernetes API take, by verb; a watch lasts minutes.",
            ("verb",),
            buckets=CALL_BUCKETS_SEC,
            registry=None,
        )
        self._failures = Counter(
            "stream_tracker_kubernetes_call_failures",
            "Calls of the Kubernetes API that failed, by verb and status of the answer.",
            ("verb", "status"),
            registry=None,
        )
        self._reconciled = Counter(
            "stream_tracker_pods_reconciled",
            "Differences between Pods and monitors that the reconciliation found, by kind.",
            ("what",),
            registry=None,
        )
        self._phases = Gauge(
            "stream_tracker_probe_pods", "Pods that probe, by phase.", ("phase",), registry=None
        )
        self._failed = Gauge(
            "stream_tracker_probe_pods_in_trouble",
            "Pods that failed or do not start.",
            registry=None,
        )
        self.count(list)
        super().__init__(
            registry, self._phases, self._failed, self._calls, self._failures, self._reconciled
        )

    def count(self, pods: Callable[[], Sequence[PodStatus]]) -> None:
        for phase in PHASES:
            self._phases.labels(phase).set_function(partial(_in_phase, pods, phase))
        self._failed.set_function(lambda: sum(pod.failure is not None for pod in pods()))

    @contextmanager
    def call(self, verb: str) -> Iterator[None]:
        """A `kube.cluster.CallMeter`."""
        began = time.monotonic()
        try:
            yield
        except CallFailed as error:
            self._failures.labels(verb, str(error.status or "none")).inc()
            raise
        finally:
            self._calls.labels(verb).observe(time.monotonic() - began)

    def reconciled(self, report: PodReconciliationReport) -> None:
        for what, count in report.model_dump().items():
            self._reconciled.labels(what).inc(count)


def _in_phase(pods: Callable[[], Sequence[PodStatus]], phase: str) -> int:
    return sum(pod.phase == phase for pod in pods())
