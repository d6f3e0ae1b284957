"""What the gateway counts, for Prometheus, in a registry of its own."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

from activities.declarations import ReconciliationReport
from monitors.evidence import EvidenceKind
from monitors.status import MonitorStatus

EVIDENCE_OUTCOMES = ("stored", "quota", "store_full", "store_unavailable")
"""Shown from the start: an alert on the first one needs the zero before it."""

LATENCY_BUCKETS_SEC = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class GatewayMetrics:
    """The metrics of a gateway; most are counted where it happens."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        counter = partial(Counter, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        self.requests = counter(
            "stream_tracker_http_requests", "Requests answered.", ("method", "route", "status")
        )
        self.request_duration = Histogram(
            "stream_tracker_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route"),
            buckets=LATENCY_BUCKETS_SEC,
            registry=self._registry,
        )
        self._monitors = gauge(
            "stream_tracker_monitors", "Monitors in the store by status.", ("status",)
        )
        self.event_reports = counter(
            "stream_tracker_event_reports",
            "Reports of events and their deliveries that workers made.",
            ("event_type", "webhook_status"),
        )
        self.start_failures = counter(
            "stream_tracker_monitor_start_failures",
            "Starts of monitors that Temporal refused (unavailable) or did not confirm.",
            ("kind",),
        )
        self.limit_storage_failures = counter(
            "stream_tracker_rate_limit_storage_failures",
            "Requests that the shared rate limits could not count; they were counted here alone.",
        )
        self._repaired = counter(
            "stream_tracker_reconciled",
            "What rounds of reconciliation repaired or removed.",
            ("what",),
        )
        self._last_round = gauge(
            "stream_tracker_reconciliation_timestamp_seconds",
            "When this gateway last completed a round of reconciliation.",
        )
        self.heartbeat_pings = counter(
            "stream_tracker_heartbeat_pings",
            "Calls of HEARTBEAT_PING_URL: sent, failed, or withheld because not all was well.",
            ("outcome",),
        )
        self.notifications = counter(
            "stream_tracker_notifications",
            "Notifications to destinations that are tried no more, by type and outcome.",
            ("type", "outcome"),
        )
        self._oldest_notification = gauge(
            "stream_tracker_notification_oldest_waiting_seconds",
            "Age of the oldest event that a destination is still to be told; silenced ones apart.",
        )
        self.evidence = counter(
            "stream_tracker_evidence",
            "Evidence that workers handed in, by kind and outcome: stored, or why there is none.",
            ("kind", "outcome"),
        )
        for kind in EvidenceKind:
            for outcome in EVIDENCE_OUTCOMES:
                self.evidence.labels(kind, outcome)
        self._evidence_bytes = gauge(
            "stream_tracker_evidence_stored_bytes", "Size of all evidence in the store."
        )
        self.evidence_quota = gauge(
            "stream_tracker_evidence_quota_bytes",
            "Size at which the oldest evidence goes: EVIDENCE_MAX_BYTES.",
        )

    def reconciled(self, report: ReconciliationReport, at: datetime) -> None:
        for what, count in report.model_dump().items():
            self._repaired.labels(what).inc(count)
        self._last_round.set(at.timestamp())

    def exposition(
        self,
        monitors: Mapping[MonitorStatus, int] | None,
        notification_sec: float | None = None,
        evidence_bytes: int | None = None,
    ) -> bytes:
        """Return all metrics as text; None: unknown just now."""
        for gauge, value in (
            (self._oldest_notification, notification_sec),
            (self._evidence_bytes, evidence_bytes),
        ):
            gauge.set(float("nan") if value is None else value)
        for status in MonitorStatus:
            count = float("nan") if monitors is None else monitors.get(status, 0)
            self._monitors.labels(status).set(count)
        return generate_latest(self._registry)
