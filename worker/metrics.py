"""What a worker shows to Prometheus, each part while its context is open."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Self

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from media.sources.youtube.request_budget import Egress
from media.watching import SegmentSeen
from monitors.events import StreamEvent

logger = structlog.get_logger(__name__)

ATTEMPT_BUCKETS_SEC = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
DELAY_BUCKETS_SEC = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600)
LATENESS_BUCKETS_SEC = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60)
LAG_BUCKETS_SEC = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

FORGOTTEN_SEC = 60.0
"""An event whose next attempt is overdue by this long is tried by another worker."""

LATE_SEC = 10.0
"""Longer than fetching and decoding take on a machine that keeps up, whatever the stream."""

WARN_EVERY_SEC = 60.0
TICK_SEC = 0.5


class MetricSet:
    """Registers collectors, made with `registry=None`, while its context is open."""

    def __init__(self, registry: CollectorRegistry, *collectors: Collector) -> None:
        self._registry = registry
        self._collectors = collectors

    def __enter__(self) -> Self:
        for collector in self._collectors:
            self._registry.register(collector)
        return self

    def __exit__(self, *exception: object) -> None:
        for collector in self._collectors:
            self._registry.unregister(collector)


class DeliveryMetrics(MetricSet):
    """Counts webhooks. `now` is the clock, in unix seconds."""

    def __init__(
        self, registry: CollectorRegistry = REGISTRY, *, now: Callable[[], float] = time.time
    ) -> None:
        self._now = now
        self._waiting: dict[str, tuple[float, float]] = {}
        self._attempts = Counter(
            "stream_tracker_webhook_attempts",
            "Attempts to deliver a webhook, by outcome.",
            ("outcome",),
            registry=None,
        )
        self._failures = Counter(
            "stream_tracker_webhooks_given_up",
            "Webhooks that are not tried again.",
            registry=None,
        )
        self._duration = Histogram(
            "stream_tracker_webhook_attempt_duration_seconds",
            "Time from the start of an attempt to the answer.",
            buckets=ATTEMPT_BUCKETS_SEC,
            registry=None,
        )
        self._delay = Histogram(
            "stream_tracker_webhook_delay_seconds",
            "Time from what happened to the receiver's acceptance of its event.",
            buckets=DELAY_BUCKETS_SEC,
            registry=None,
        )
        self._oldest = Gauge(
            "stream_tracker_webhook_oldest_undelivered_seconds",
            "Age of the oldest event that this worker delivers or will try again; 0 without any.",
            registry=None,
        )
        self._oldest.set_function(self._oldest_sec)
        super().__init__(
            registry, self._attempts, self._failures, self._duration, self._delay, self._oldest
        )

    def begins(self, event: StreamEvent) -> None:
        self._wait(event, 0.0)

    def ended(
        self, event: StreamEvent, outcome: str, *, took_sec: float, again_in_sec: float | None
    ) -> None:
        """Count an attempt; see `activities.delivery_audit.AttemptMeter`."""
        self._attempts.labels(outcome).inc()
        self._duration.observe(took_sec)
        if again_in_sec is not None:
            self._wait(event, again_in_sec)
            return
        self._waiting.pop(event.event_id, None)
        if outcome == "delivered":
            self._delay.observe(max(0.0, self._now() - event.timestamp.timestamp()))
        else:
            self._failures.inc()

    def _wait(self, event: StreamEvent, for_sec: float) -> None:
        until = self._now() + for_sec + FORGOTTEN_SEC
        self._waiting[event.event_id] = (event.timestamp.timestamp(), until)

    def _oldest_sec(self) -> float:
        now = self._now()
        self._waiting = {key: value for key, value in self._waiting.items() if value[1] > now}
        return max((now - happened for happened, _ in self._waiting.values()), default=0.0)


class SegmentLateness(MetricSet):
    """Measures how long segments take to be measured, and warns in the log where that is too long.

    When there are more streams than the machine can decode, all of them wait equally: none looks
    broken, but every alert is late. `clock` gives monotonic seconds.
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
            buckets=LATENESS_BUCKETS_SEC,
            registry=None,
        )
        super().__init__(registry, self._lateness)
        self._clock = clock
        self._warned_at: float | None = None

    def record(self, seen: SegmentSeen) -> None:
        """Record a measured segment; one that failed says nothing of this machine."""
        if seen.measurement is None:
            return
        late_sec = max(0.0, (seen.judged_at - seen.seen_at).total_seconds())
        self._lateness.observe(late_sec)
        if late_sec > LATE_SEC and self._may_warn():
            self._warned_at = self._clock()
            logger.warning(
                "segments are measured late: too many streams for this machine, or a slow origin",
                late_sec=round(late_sec, 1),
            )

    def _may_warn(self) -> bool:
        return self._warned_at is None or self._clock() - self._warned_at >= WARN_EVERY_SEC


@contextlib.asynccontextmanager
async def loop_lag_metric(
    registry: CollectorRegistry = REGISTRY, *, tick_sec: float = TICK_SEC
) -> AsyncIterator[None]:
    """Measure how late the event loop wakes its tasks, and how many there are.

    A loop that is late by seconds sends heartbeats late, and Temporal gives its streams to others.
    """
    lag = Histogram(
        "stream_tracker_event_loop_lag_seconds",
        "How late the event loop came to what was due, checked twice a second.",
        buckets=LAG_BUCKETS_SEC,
        registry=None,
    )
    tasks = Gauge(
        "stream_tracker_event_loop_tasks",
        "Tasks of the event loop, counted twice a second: a number that only grows is a leak.",
        registry=None,
    )
    with MetricSet(registry, lag, tasks):
        measuring = asyncio.create_task(_measure(lag, tasks, tick_sec))
        try:
            yield
        finally:
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)


async def _measure(lag: Histogram, tasks: Gauge, tick_sec: float) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        tasks.set(len(asyncio.all_tasks()))
        due = clock() + tick_sec
        await asyncio.sleep(tick_sec)
        lag.observe(max(0.0, clock() - due))


def slot_metrics(
    slots: int, used: Callable[[], int], registry: CollectorRegistry = REGISTRY
) -> MetricSet:
    total_gauge = Gauge(
        "stream_tracker_probe_slots", "Streams that this worker probes at once.", registry=None
    )
    used_gauge = Gauge(
        "stream_tracker_probe_slots_used", "Streams that this worker probes now.", registry=None
    )
    total_gauge.set(slots)
    used_gauge.set_function(used)
    return MetricSet(registry, total_gauge, used_gauge)


def confinement_metric(
    is_confined: Callable[[], bool], registry: CollectorRegistry = REGISTRY
) -> MetricSet:
    gauge = Gauge(
        "stream_tracker_decoders_confined",
        "1 while decoders are confined by a system call filter, else 0.",
        registry=None,
    )
    gauge.set_function(lambda: float(is_confined()))
    return MetricSet(registry, gauge)


def youtube_metrics(egress: Egress, registry: CollectorRegistry = REGISTRY) -> MetricSet:
    return MetricSet(registry, _YouTubeMetrics(egress))


class _YouTubeMetrics(Collector):
    """Reads the counters of one egress when they are scraped."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    def collect(self) -> Iterable[Metric]:
        egress, pause = self._egress, self._egress.pause()
        looks = CounterMetricFamily(
            "stream_tracker_youtube_looks",
            "Looks at YouTube by what they saw.",
            labels=("outcome",),
        )
        for outcome, count in sorted(egress.outcomes.items()):
            looks.add_metric((outcome,), count)
        paused = GaugeMetricFamily(
            "stream_tracker_youtube_paused_seconds",
            "How long YouTube is still not asked after a bot check or a rate limit; 0 without one.",
            labels=("reason",),
        )
        paused.add_metric(
            (pause.reason if pause else "none",), pause.remaining_sec if pause else 0.0
        )
        yield looks
        yield CounterMetricFamily(
            "stream_tracker_youtube_looks_begun", "Looks at YouTube begun.", value=egress.polls
        )
        yield CounterMetricFamily(
            "stream_tracker_youtube_requests",
            "HTTP requests of these looks, as far as they are known.",
            value=egress.requests,
        )
        yield GaugeMetricFamily(
            "stream_tracker_youtube_looks_waiting",
            "Looks that wait for their turn in the request budget.",
            value=egress.waiting,
        )
        yield paused
