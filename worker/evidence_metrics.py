"""What a worker shows to Prometheus of pictures and evidence."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from evidence.uploads import COLLECTED
from monitors.evidence import EvidenceKind
from worker.metrics import MetricSet

AFTER_BUCKETS_SEC = (0.5, 1, 2, 5, 10, 15, 30, 60, 120)


class EvidenceMetrics(MetricSet):
    """Counts pictures and evidence."""

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
        """Count a picture; see `evidence.picture_uploads.PictureMeter`."""
        self._pictures.labels(outcome).inc()
