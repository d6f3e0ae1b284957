"""What a worker's egress does at YouTube, for Prometheus."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from media.sources.youtube.egress import EgressSnapshot
from worker.metric_set import MetricSet


class YouTubeMetrics(Collector):
    """Shows the counters of one egress, as they are when they are asked for."""

    def __init__(self, snapshot: Callable[[], EgressSnapshot]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        seen = self._snapshot()
        looks = CounterMetricFamily(
            "stream_tracker_youtube_looks",
            "Looks at YouTube by what they saw.",
            labels=("outcome",),
        )
        for outcome, count in sorted(seen.outcomes.items()):
            looks.add_metric((outcome,), count)
        paused = GaugeMetricFamily(
            "stream_tracker_youtube_paused_seconds",
            "How long YouTube is still not asked after a bot check or a rate limit; 0 without one.",
            labels=("reason",),
        )
        paused.add_metric((seen.pause_reason or "none",), _remaining_sec(seen))
        yield looks
        yield CounterMetricFamily(
            "stream_tracker_youtube_looks_begun", "Looks at YouTube begun.", value=seen.looks
        )
        yield CounterMetricFamily(
            "stream_tracker_youtube_requests",
            "HTTP requests of these looks, as far as they are known.",
            value=seen.requests,
        )
        yield GaugeMetricFamily(
            "stream_tracker_youtube_looks_waiting",
            "Looks that wait for their turn in the request budget.",
            value=seen.waiting,
        )
        yield paused


@contextmanager
def youtube_metrics(
    snapshot: Callable[[], EgressSnapshot], registry: CollectorRegistry = REGISTRY
) -> Iterator[None]:
    """Show the counters in `registry` while the context is open."""
    with MetricSet(registry, YouTubeMetrics(snapshot)):
        yield


def _remaining_sec(seen: EgressSnapshot) -> float:
    if seen.paused_until is None:
        return 0.0
    return max(0.0, (seen.paused_until - datetime.now(UTC)).total_seconds())
