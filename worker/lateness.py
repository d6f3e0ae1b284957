"""Whether segments are measured in time, for Prometheus and for whoever reads the log."""

import time
from collections.abc import Callable

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Histogram

from media.watching import SegmentSeen
from worker.metric_set import MetricSet

logger = structlog.get_logger(__name__)

BUCKETS_SEC = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60)

LATE_SEC = 10.0
"""Longer than fetching and decoding take on a machine that keeps up, whatever the stream."""

SAY_AGAIN_SEC = 60.0


class SegmentLateness(MetricSet):
    """Watches how long segments take to be measured; registered while its context is open.

    Streams that are more than a machine can decode wait for each other, all of them equally: no
    single one looks broken, but every alert is late.

    Args:
        registry: where the metric is registered.
        clock: seconds of a clock that nobody sets.
    """

    def __init__(
        self,
        registry: CollectorRegistry = REGISTRY,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lateness = Histogram(
            "stream_tracker_segment_lateness_seconds",
            "Time from a segment's appearance in its playlist, as it was seen, to its measurement: "
            "fetching it, waiting for its turn, decoding it.",
            buckets=BUCKETS_SEC,
            registry=None,
        )
        super().__init__(registry, self._lateness)
        self._clock = clock
        self._said_at: float | None = None

    def note(self, seen: SegmentSeen) -> None:
        """Take in a segment that was measured; one that failed says nothing of this machine."""
        if seen.measurement is None:
            return
        late_sec = max(0.0, (seen.judged_at - seen.seen_at).total_seconds())
        self._lateness.observe(late_sec)
        if late_sec > LATE_SEC and self._may_say():
            self._said_at = self._clock()
            logger.warning(
                "segments are measured late: too many streams for this machine, or a slow origin",
                late_sec=round(late_sec, 1),
            )

    def _may_say(self) -> bool:
        return self._said_at is None or self._clock() - self._said_at >= SAY_AGAIN_SEC
