"""A worker that does not keep up says so."""

from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from media.hls.playlist import Segment
from media.watching import SegmentSeen
from monitors.measurement import SegmentMeasurement
from worker.metrics import LATE_SEC, WARN_EVERY_SEC, SegmentLateness

METRIC = "stream_tracker_segment_lateness_seconds"
AT = datetime(2026, 5, 1, tzinfo=UTC)
SEGMENT = Segment(uri="http://origin.example/1.ts", sequence=1, duration_sec=2.0)


def seen(late_sec: float, *, measured: bool = True) -> SegmentSeen:
    measurement = SegmentMeasurement(duration_sec=2.0) if measured else None
    error = None if measured else "broken"
    return SegmentSeen("main", SEGMENT, measurement, error, AT, AT + timedelta(seconds=late_sec))


def test_what_a_segment_took_is_counted() -> None:
    registry = CollectorRegistry()
    with SegmentLateness(registry) as lateness, capture_logs() as logs:
        lateness.record(seen(1.5))
        lateness.record(seen(0.5))
        lateness.record(seen(60.0, measured=False))
        assert registry.get_sample_value(f"{METRIC}_sum") == 2.0
        assert registry.get_sample_value(f"{METRIC}_count") == 2
    assert registry.get_sample_value(f"{METRIC}_count") is None
    assert logs == []


def test_late_segments_are_logged_once_in_a_while() -> None:
    clock = [0.0]
    with SegmentLateness(CollectorRegistry(), clock=lambda: clock[0]) as lateness:
        with capture_logs() as logs:
            for _ in range(3):
                lateness.record(seen(LATE_SEC + 1))
        assert [(each["log_level"], each["late_sec"]) for each in logs] == [("warning", 11.0)]
        clock[0] += WARN_EVERY_SEC
        with capture_logs() as logs:
            lateness.record(seen(LATE_SEC + 1))
        assert len(logs) == 1
