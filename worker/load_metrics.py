"""Whether a worker's event loop keeps up with its tasks, and how many probe slots are in use."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Histogram

from worker.metric_set import MetricSet

TICK_SEC = 0.5
LAG_BUCKETS_SEC = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@contextlib.asynccontextmanager
async def loop_lag_metric(
    registry: CollectorRegistry = REGISTRY, *, tick_sec: float = TICK_SEC
) -> AsyncIterator[None]:
    """Measure, while the context is open, how late the event loop wakes what is due, and its tasks.

    A loop that is late by seconds sends heartbeats late, and Temporal gives its streams to others.
    """
    lag = Histogram(
        "stream_tracker_event_loop_lag_seconds",
        "How late the event loop came to what was due, looked at twice a second.",
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


@contextmanager
def slot_metrics(
    slots: int, used: Callable[[], int], registry: CollectorRegistry = REGISTRY
) -> Iterator[None]:
    """Show while the context is open how many streams are watched, and how many may be at once."""
    total_gauge = Gauge(
        "stream_tracker_probe_slots", "Streams that this worker probes at once.", registry=None
    )
    used_gauge = Gauge(
        "stream_tracker_probe_slots_used", "Streams that this worker probes now.", registry=None
    )
    total_gauge.set(slots)
    used_gauge.set_function(used)
    with MetricSet(registry, total_gauge, used_gauge):
        yield


async def _measure(lag: Histogram, tasks: Gauge, tick_sec: float) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        tasks.set(len(asyncio.all_tasks()))
        due = clock() + tick_sec
        await asyncio.sleep(tick_sec)
        lag.observe(max(0.0, clock() - due))
