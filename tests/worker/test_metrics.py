"""What a worker counts of its deliveries."""

from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from monitors.events import EventType, StreamEvent
from worker.metrics import FORGOTTEN_SEC, DeliveryMetrics

HAPPENED_AT = 1_000_000.0


def event(number: int, happened_sec: float = 0.0) -> StreamEvent:
    return StreamEvent(
        event_id=f"evt-{number}",
        event_type=EventType.BLACKOUT,
        monitor_id="mon-1",
        stream_url="https://example.com/live.m3u8",
        timestamp=datetime.fromtimestamp(HAPPENED_AT + happened_sec, UTC),
        sequence=number,
        data={},
    )


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = HAPPENED_AT

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def oldest_sec(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("stream_tracker_webhook_oldest_undelivered_seconds")


def test_attempts_are_counted_by_outcome(registry: CollectorRegistry, clock: Clock) -> None:
    with DeliveryMetrics(registry, now=clock) as metrics:
        for outcome, again in (("http_5xx", 1.0), ("timeout", 2.0), ("delivered", None)):
            metrics.begins(event(1))
            clock.now += 3
            metrics.ended(event(1), outcome, took_sec=0.2, again_in_sec=again)
        metrics.ended(event(2), "http_4xx", took_sec=0.2, again_in_sec=None)
        attempts = {
            outcome: registry.get_sample_value(
                "stream_tracker_webhook_attempts_total", {"outcome": outcome}
            )
            for outcome in ("http_5xx", "timeout", "delivered", "http_4xx")
        }
        assert set(attempts.values()) == {1}
        assert registry.get_sample_value("stream_tracker_webhooks_given_up_total") == 1
        assert (
            registry.get_sample_value("stream_tracker_webhook_attempt_duration_seconds_count") == 4
        )
        assert registry.get_sample_value("stream_tracker_webhook_delay_seconds_sum") == 9


def test_the_oldest_event_is_the_one_that_waits_longest(
    registry: CollectorRegistry, clock: Clock
) -> None:
    with DeliveryMetrics(registry, now=clock) as metrics:
        assert oldest_sec(registry) == 0
        metrics.begins(event(1))
        metrics.begins(event(2, 5))
        clock.now += 10
        assert oldest_sec(registry) == 10
        metrics.ended(event(1), "timeout", took_sec=10, again_in_sec=4)
        assert oldest_sec(registry) == 10
        metrics.ended(event(1), "delivered", took_sec=1, again_in_sec=None)
        assert oldest_sec(registry) == 5
        metrics.ended(event(2), "http_4xx", took_sec=1, again_in_sec=None)
        assert oldest_sec(registry) == 0


def test_an_event_that_another_worker_took_over_is_forgotten(
    registry: CollectorRegistry, clock: Clock
) -> None:
    with DeliveryMetrics(registry, now=clock) as metrics:
        metrics.ended(event(1), "http_5xx", took_sec=1, again_in_sec=10)
        clock.now += 10 + FORGOTTEN_SEC - 1
        assert oldest_sec(registry) == 69
        clock.now += 1
        assert oldest_sec(registry) == 0


def test_nothing_stays_registered(registry: CollectorRegistry) -> None:
    for _ in range(2):
        with DeliveryMetrics(registry):
            pass
    assert generate_latest(registry) == b""
