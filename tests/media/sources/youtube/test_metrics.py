"""What operators see of the egress."""

from prometheus_client import CollectorRegistry, generate_latest

from media.sources.youtube.request_budget import Egress
from worker.metrics import youtube_metrics

PAUSED = "stream_tracker_youtube_paused_seconds"


async def test_looks_and_requests_are_counted() -> None:
    egress, registry = Egress(interval_sec=0), CollectorRegistry()
    with youtube_metrics(egress, registry):
        for outcome in ("live", "live", "upcoming"):
            async with egress.lease(1) as lease:
                egress.record(lease, outcome, requests=3, is_refused=False, is_answered=True)
        counted = registry.get_sample_value(
            "stream_tracker_youtube_looks_total", {"outcome": "live"}
        )
        assert counted == 2
        assert registry.get_sample_value("stream_tracker_youtube_looks_begun_total") == 3
        assert registry.get_sample_value("stream_tracker_youtube_requests_total") == 9
        assert registry.get_sample_value("stream_tracker_youtube_looks_waiting") == 0
        assert registry.get_sample_value(PAUSED, {"reason": "none"}) == 0


async def test_a_pause_is_shown_with_its_reason() -> None:
    egress, registry = Egress(pauses_sec=(900,)), CollectorRegistry()
    with youtube_metrics(egress, registry):
        async with egress.lease(1) as lease:
            egress.record(lease, "bot_check", requests=1, is_refused=True, is_answered=False)
        assert 890 < (registry.get_sample_value(PAUSED, {"reason": "bot_check"}) or 0) <= 900


def test_nothing_is_shown_afterwards() -> None:
    registry = CollectorRegistry()
    with youtube_metrics(Egress(), registry):
        pass
    assert generate_latest(registry) == b""
