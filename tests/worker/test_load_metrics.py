"""What a worker shows of its event loop and of its probe slots."""

import asyncio
import time

from prometheus_client import CollectorRegistry

from worker.metrics import loop_lag_metric, slot_metrics

LAG = "stream_tracker_event_loop_lag_seconds"


async def test_an_event_loop_that_was_held_up_shows() -> None:
    registry = CollectorRegistry()
    async with loop_lag_metric(registry, tick_sec=0.01):
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251
        while not registry.get_sample_value(f"{LAG}_count"):
            await asyncio.sleep(0.01)
        assert (registry.get_sample_value(f"{LAG}_sum") or 0.0) > 0.2


def test_slots_are_counted_when_asked_for() -> None:
    registry, used = CollectorRegistry(), [3]
    with slot_metrics(50, lambda: used[0], registry):
        used[0] = 4
        assert registry.get_sample_value("stream_tracker_probe_slots") == 50
        assert registry.get_sample_value("stream_tracker_probe_slots_used") == 4
    assert registry.get_sample_value("stream_tracker_probe_slots") is None
