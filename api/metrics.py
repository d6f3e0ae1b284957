"""What the gateway counts, for Prometheus, in a registry of its own."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

from activities.declarations import ReconciliationReport
from monitors.evidence import EvidenceKind
from monitors.reports import EventReport
from monitors.status import MonitorStatus
from notifications.notification import DestinationType

EVIDENCE_OUTCOMES = ("stored", "quota", "store_full", "store_unavailable")
"""Shown from the start: an alert on the first one needs the zero before it."""

LATENCY_BUCKETS_SEC = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class GatewayMetrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "stream_tracker_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._latency = Histogram(
            "stream_tracker_http_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route"),
            buckets=LATENCY_BUCKETS_SEC,
            registry=self._registry,
        )
        self._monitors = Gauge(
            "stream_tracker_monitors",
            "Monitors in the store by status.",
            ("status",),
            registry=self._registry,
        )
        self._event_reports = Counter(
            "stream_tracker_event_reports",
            "Reports of events and their deliveries that workers made.",
            ("event_type", "webhook_status"),
            registry=self._registry,
        )
        self._start_failures = Counter(
            "stream_tracker_monitor_start_failures",
            "Starts of monitors that Temporal refused (unavailable) or did not confirm.",
            ("kind",),
            registry=self._registry,
        )

        self._limit_failures = Counter(
            "stream_tracker_rate_limit_storage_failures",
            "Requests that the shared rate limits could not count; they were counted here alone.",
            registry=self._registry,
        )
        self._repaired = Counter(
            "stream_tracker_reconciled",
            "What rounds of reconciliation repaired or removed.",
            ("what",),
            registry=self._registry,
        )
        self._pings = Counter(
            "stream_tracker_heartbeat_pings",
            "Calls of HEARTBEAT_PING_URL: sent, failed, or withheld because not all was well.",
            ("outcome",),
            registry=self._registry,
        )
        self._notifications = Counter(
            "stream_tracker_notifications",
            "Notifications to destinations that are tried no more, by type and outcome.",
            ("type", "outcome"),
            registry=self._registry,
        )
        self._oldest_notification = Gauge(
            "stream_tracker_notification_oldest_waiting_seconds",
            "Age of the oldest event that a destination is still to be told; silenced ones apart.",
            registry=self._registry,
        )
        self._evidence = Counter(
            "stream_tracker_evidence",
            "Evidence that workers handed in, by kind and outcome: stored, or why there is none.",
            ("kind", "outcome"),
            registry=self._registry,
        )
        for kind in EvidenceKind:
            for outcome in EVIDENCE_OUTCOMES:
                self._evidence.labels(kind, outcome)
        self._evidence_bytes = Gauge(
            "stream_tracker_evidence_stored_bytes",
            "Size of all evidence in the store.",
            registry=self._registry,
        )
        self._evidence_quota = Gauge(
            "stream_tracker_evidence_quota_bytes",
            "Size at which the oldest evidence goes: EVIDENCE_MAX_BYTES.",
            registry=self._registry,
        )
        self._last_round = Gauge(
            "stream_tracker_reconciliation_timestamp_seconds",
            "When this gateway last completed a round of reconciliation.",
            registry=self._registry,
        )

    def request_answered(
        self, *, method: str, route: str, status: int, duration_sec: float
    ) -> None:
        """Count an answered request; `route` is the path's template, not the path."""
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(method, route).observe(duration_sec)

    def event_reported(self, report: EventReport) -> None:
        self._event_reports.labels(report.event.event_type, report.webhook_status).inc()

    def start_failed(self, kind: str) -> None:
        """Count a start that went wrong: `unavailable` or `unconfirmed`."""
        self._start_failures.labels(kind).inc()

    def limit_storage_failed(self) -> None:
        self._limit_failures.inc()

    def reconciled(self, report: ReconciliationReport, at: datetime) -> None:
        """Count what a completed round repaired."""
        for what, count in report.model_dump().items():
            self._repaired.labels(what).inc(count)
        self._last_round.set(at.timestamp())

    def heartbeat_pinged(self, outcome: str) -> None:
        """Count a minute: `sent`, `failed` or `withheld`."""
        self._pings.labels(outcome).inc()

    def notification_settled(self, type: DestinationType, outcome: str) -> None:
        """Count a notification that is tried no more."""
        self._notifications.labels(type, outcome).inc()

    def evidence_settled(self, kind: EvidenceKind, outcome: str) -> None:
        """Count evidence that was stored, or that there is none of."""
        self._evidence.labels(kind, outcome).inc()

    def limit_evidence(self, most_bytes: int) -> None:
        """Show how much evidence is kept at most."""
        self._evidence_quota.set(most_bytes)

    def exposition(
        self,
        monitors: Mapping[MonitorStatus, int] | None,
        notification_sec: float | None = None,
        evidence_bytes: int | None = None,
    ) -> bytes:
        """Return all metrics as text.

        Args:
            monitors: how many there are by status; None when unknown.
            notification_sec: age of the oldest notification that waits; None when unknown.
            evidence_bytes: size of what is stored; None when unknown.
        """
        for gauge, value in (
            (self._oldest_notification, notification_sec),
            (self._evidence_bytes, evidence_bytes),
        ):
            gauge.set(float("nan") if value is None else value)
        for status in MonitorStatus:
            count = float("nan") if monitors is None else monitors.get(status, 0)
            self._monitors.labels(status).set(count)
        return generate_latest(self._registry)
