"""Reports of events, as workers make them."""

from typing import Any

from tests.testkit.gateway import Running


def event(monitor_id: str, sequence: int, **delivery: Any) -> dict[str, Any]:
    """Return the report of a monitor's event `evt-SEQUENCE`."""
    return {
        "event": {
            "event_id": f"evt-{sequence}",
            "event_type": "alert.blackout",
            "monitor_id": monitor_id,
            "stream_url": "https://media.example/live/index.m3u8",
            "timestamp": "2026-01-01T00:00:00.123+09:00",
            "sequence": sequence,
            "data": {"duration_sec": 30.5},
            "metadata": {"a": "ü"},
        },
        **delivery,
    }


async def put_event(gateway: Running, monitor_id: str, report: dict[str, Any]) -> None:
    """Report an event."""
    answer = await gateway.worker.put(
        f"/internal/v1/monitors/{monitor_id}/events/{report['event']['event_id']}", json=report
    )
    assert answer.status_code == 204, answer.text
