"""Reports of events, as workers make them."""

from datetime import datetime, timedelta
from typing import Any

from monitors.events import StreamEvent, incident_event
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.reports import EventReport
from monitors.status import IncidentKind
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


async def put_event(gateway: Running, monitor_id: str, report: dict[str, Any]) -> dict[str, Any]:
    """Report an event; return the answer."""
    answer = await gateway.worker.put(
        f"/internal/v1/monitors/{monitor_id}/events/{report['event']['event_id']}", json=report
    )
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def begin_of(
    monitor_id: str, kind: IncidentKind, started_at: datetime, **more: Any
) -> dict[str, Any]:
    """Return the report of the event that opens an incident, 30 s after its first moment."""
    fields = {"duration_sec": 30.0, "threshold_sec": 30, **more}
    change = IncidentOpened.model_validate({"kind": kind, "started_at": started_at, **fields})
    return _incident_report(monitor_id, 1, change, started_at + timedelta(seconds=30))


def end_of(
    monitor_id: str, kind: IncidentKind, started_at: datetime, lasted_sec: float
) -> dict[str, Any]:
    """Return the report of the event that closes an incident."""
    ended_at = started_at + timedelta(seconds=lasted_sec)
    change = IncidentClosed(
        kind=kind, started_at=started_at, recovered_at=ended_at, total_duration_sec=lasted_sec
    )
    return _incident_report(monitor_id, 2, change, ended_at + timedelta(seconds=5))


def _incident_report(
    monitor_id: str, sequence: int, change: IncidentChange, at: datetime
) -> dict[str, Any]:
    draft = incident_event(change, at)
    told = StreamEvent(
        event_id=f"evt-{change.kind}-{change.started_at.timestamp():.0f}-{sequence}",
        event_type=draft.event_type,
        monitor_id=monitor_id,
        stream_url="https://media.example/live/index.m3u8",
        timestamp=at,
        sequence=sequence,
        data={**draft.identity_in(monitor_id), **draft.data},
    )
    return EventReport(event=told).model_dump(mode="json")
