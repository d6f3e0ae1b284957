"""What a worker counts of its deliveries, for Prometheus."""

import time
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from monitors.events import StreamEvent
from worker.metric_set import MetricSet

ATTEMPT_BUCKETS_SEC = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
DELAY_BUCKETS_SEC = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600)

FORGOTTEN_SEC = 60.0
"""An event that was to be tried again so long ago is tried by another worker."""


class DeliveryMetrics(MetricSet):
    """Counts webhooks; registered while its context is open.

    Args:
        registry: where it is registered.
        now: the clock, unix seconds.
    """

    def __init__(
        self, registry: CollectorRegistry = REGISTRY, *, now: Callable[[], float] = time.time
    ) -> None:
        self._now = now
        self._waiting: dict[str, tuple[float, float]] = {}
        self._attempts = Counter(
            "stream_tracker_webhook_attempts",
            "Attempts to deliver a webhook, by what came of them.",
            ("outcome",),
            registry=None,
        )
        self._failures = Counter(
            "stream_tracker_webhooks_given_up",
            "Webhooks that are tried no more.",
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
        """Note that an event is on its way."""
        self._wait(event, 0.0)

    def ended(
        self, event: StreamEvent, outcome: str, *, took_sec: float, again_in_sec: float | None
    ) -> None:
        """Count an attempt; see `activities.delivery_meter.AttemptMeter`."""
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
