"""Everything that gateways and workers export for Prometheus."""

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from activities.declarations import ReconciliationReport
from activities.pod_declarations import PodReconciliationReport
from api.metrics import GatewayMetrics
from api.store.monitor_records import MonitorSummary
from api.stream_metrics import StreamMetrics
from evidence.uploads import COLLECTED
from kube.api_errors import CallFailed
from media.sources.youtube.request_budget import Egress
from monitors.events import EventType, StreamEvent
from monitors.evidence import EvidenceKind
from monitors.reports import HealthReport, MediaFacts, OpenIncident, SoundLevels
from monitors.status import IncidentKind, MonitorStatus, StreamStatus
from notifications.notification import DestinationType
from worker.metrics import (
    DeliveryMetrics,
    SegmentLateness,
    loop_lag_metric,
    slot_metrics,
    youtube_metrics,
)
from worker.pod_metrics import PodMetrics
from worker.prober import EvidenceMetrics

EVENT = StreamEvent(
    event_id="evt-1",
    event_type=EventType.BLACKOUT,
    monitor_id="mon-1",
    stream_url="https://example.com/live.m3u8",
    timestamp=datetime.now(UTC),
    sequence=1,
    data={},
)


STREAM = MonitorSummary(
    monitor_id="mon-1",
    stream_url="https://example.com/live.m3u8",
    name="News",
    title=None,
    labels={"KEY": "news"},
    status=MonitorStatus.MONITORING,
    stream_status=StreamStatus.LIVE,
    health=HealthReport(last_check_at=datetime.now(UTC)),
    open_incidents=[OpenIncident(kind=IncidentKind.FREEZE, started_at=datetime.now(UTC))],
    created_at=datetime.now(UTC),
    media=MediaFacts(
        levels=SoundLevels(momentary_lufs=-23, short_term_lufs=-23, true_peak_dbtp=-1)
    ),
)


def gateway_exposition() -> str:
    metrics = GatewayMetrics()
    metrics.requests.labels("GET", "/", "200").inc()
    metrics.request_duration.labels("GET", "/").observe(0.1)
    metrics.start_failures.labels("unavailable").inc()
    metrics.limit_storage_failures.inc()
    metrics.event_reports.labels(EVENT.event_type, "sent").inc()
    metrics.reconciled(ReconciliationReport(), datetime.now(UTC))
    metrics.heartbeat_pings.labels("sent").inc()
    metrics.evidence.labels(EvidenceKind.CLIP, "stored").inc()
    metrics.notifications.labels(DestinationType.WEBHOOK, "delivered").inc()
    streams = StreamMetrics([STREAM], datetime.now(UTC)).exposition()
    return (metrics.exposition(dict.fromkeys(MonitorStatus, 0)) + streams).decode()


async def worker_exposition() -> str:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    egress = Egress()
    egress.outcomes["live"] += 1
    with ExitStack() as stack:
        stack.enter_context(slot_metrics(1, lambda: 0, registry))
        stack.enter_context(SegmentLateness(registry))
        stack.enter_context(youtube_metrics(egress, registry))
        delivery = stack.enter_context(DeliveryMetrics(registry))
        delivery.ended(EVENT, "delivered", took_sec=0.1, again_in_sec=None)
        evidence = stack.enter_context(EvidenceMetrics(registry))
        evidence.collected(EvidenceKind.CLIP, COLLECTED, 0.5)
        evidence.picture("sent")
        pods = stack.enter_context(PodMetrics(registry))
        pods.reconciled(PodReconciliationReport())
        with pytest.raises(CallFailed), pods.call("list"):
            raise CallFailed("no answer")
        async with loop_lag_metric(registry):
            return generate_latest(registry).decode()
