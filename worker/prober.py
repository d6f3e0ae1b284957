"""The worker that watches streams, and collects evidence of what it sees."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from temporalio.client import Client
from temporalio.worker import Worker

from activities.evidence_client import EvidenceClient
from activities.gateway_client import GatewayClient
from activities.watch_evidence import WatchEvidence
from activities.watch_stream import WatchStream
from evidence.capsule.writing import IncidentCapsule
from evidence.collector import EvidenceCollector
from evidence.excerpt_maker import ExcerptMaker
from evidence.latest_picture_uploads import PictureUploads
from evidence.pictures_and_clips import IncidentClip, IncidentPictures
from evidence.uploads import COLLECTED
from media.decoding.decoder_probe import Confinement
from media.sources.source_resolver import SourceResolver
from media.watching import MemoryBudget, SegmentCache
from monitors.evidence import EvidenceKind
from runtime.settings import WorkerSettings
from runtime.version import VERSION
from worker.metrics import MetricSet, SegmentLateness, confinement_metric, slot_metrics
from worker.probe_setup import WorkerProbe
from workflows.options import PROBE_QUEUE, pod_queue

AFTER_BUCKETS_SEC = (0.5, 1, 2, 5, 10, 15, 30, 60, 120)

EVIDENCE_SHARE = 4  # this part of SEGMENTS_MEMORY_BYTES is for segments that incidents may need
LEAST_EVIDENCE_BYTES = 16 * 1024 * 1024
"""Where the largest segments leave less: a worker of one stream, say."""

GRACE_SHARE = 0.5  # of the time that a worker has on SIGTERM, for collecting what it has begun to


@asynccontextmanager
async def prober(
    client: Client,
    settings: WorkerSettings,
    sources: SourceResolver,
    gateway: GatewayClient,
    probe: WorkerProbe,
) -> AsyncIterator[Worker]:
    """Open the worker that watches streams: many, or the one of its Pod."""
    interval = timedelta(seconds=settings.heartbeat_interval_sec)
    slots = 1 if settings.monitor_id else settings.probe_slots
    memory = memory_split(settings)
    async with AsyncExitStack() as stack:
        lateness = stack.enter_context(SegmentLateness())
        stack.enter_context(confinement_metric(lambda: probe.is_confined))
        evidence = await stack.enter_async_context(
            watch_evidence(
                gateway,
                probe.confinement,
                memory_bytes=memory.evidence_bytes,
                drain_sec=settings.drain_sec,
            )
        )
        watching = WatchStream(
            sources=sources,
            probe=probe.probe,
            gateway=gateway,
            segment_max_bytes=settings.segment_max_bytes,
            memory=MemoryBudget(memory.measuring_bytes),
            report_sec=settings.report_interval_sec,
            on_segment=lateness.record,
            evidence=evidence,
        )
        with slot_metrics(slots, lambda: watching.streams):
            yield Worker(
                client,
                task_queue=pod_queue(settings.monitor_id) if settings.monitor_id else PROBE_QUEUE,
                activities=[watching.watch_stream],
                max_concurrent_activities=slots,
                max_concurrent_activity_task_polls=settings.probe_polls,
                max_heartbeat_throttle_interval=interval,
                default_heartbeat_throttle_interval=interval,
                graceful_shutdown_timeout=timedelta(seconds=settings.drain_sec),
            )


class MemorySplit(NamedTuple):
    measuring_bytes: int
    evidence_bytes: int


def memory_split(settings: WorkerSettings) -> MemorySplit:
    """Split the memory for segments, leaving enough to measure the largest one."""
    total, largest = settings.segments_memory_bytes, settings.segment_max_bytes
    measuring = max(2 * largest, total - total // EVIDENCE_SHARE)
    return MemorySplit(measuring, max(LEAST_EVIDENCE_BYTES, total - measuring))


@asynccontextmanager
async def watch_evidence(
    gateway: GatewayClient,
    confinement: Confinement | None,
    *,
    memory_bytes: int,
    drain_sec: float,
) -> AsyncIterator[WatchEvidence]:
    """Collect evidence while the context is open, and at its end what was begun.

    `confinement` is that of the processes that make pictures and clips; `memory_bytes` is for the
    segments that incidents may need.
    """
    client = EvidenceClient(gateway)
    async with AsyncExitStack() as stack:
        metrics = stack.enter_context(EvidenceMetrics())
        of_pictures, of_clips = ExcerptMaker(confinement), ExcerptMaker(confinement)
        for maker in (of_pictures, of_clips):
            stack.push_async_callback(maker.close)
        collector = EvidenceCollector(
            [IncidentPictures(of_pictures), IncidentClip(of_clips), IncidentCapsule(VERSION)],
            client,
            metrics,
            grace_sec=GRACE_SHARE * drain_sec,
        )
        pictures = await stack.enter_async_context(PictureUploads(client, metrics))
        await stack.enter_async_context(collector)
        yield WatchEvidence(collector, pictures, SegmentCache(memory_bytes))


class EvidenceMetrics(MetricSet):
    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._collected = Counter(
            "stream_tracker_evidence_collected",
            "Evidence of incidents, by kind and outcome: collected, or why there is none.",
            ("kind", "outcome"),
            registry=None,
        )
        self._after = Histogram(
            "stream_tracker_evidence_collection_seconds",
            "Time from an incident's alert until the gateway has its evidence.",
            ("kind",),
            buckets=AFTER_BUCKETS_SEC,
            registry=None,
        )
        self._pictures = Counter(
            "stream_tracker_pictures",
            "Latest pictures of streams: sent, replaced by a newer one before, or lost.",
            ("outcome",),
            registry=None,
        )
        super().__init__(registry, self._collected, self._after, self._pictures)

    def collected(self, kind: EvidenceKind, outcome: str, after_sec: float) -> None:
        """Count a piece of evidence; see `evidence.uploads.EvidenceMeter`."""
        self._collected.labels(kind.value, outcome).inc()
        if outcome == COLLECTED:
            self._after.labels(kind.value).observe(after_sec)

    def picture(self, outcome: str) -> None:
        """Count a picture; see `evidence.latest_picture_uploads.PictureMeter`."""
        self._pictures.labels(outcome).inc()
