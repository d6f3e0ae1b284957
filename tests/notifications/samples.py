"""Notifications to send."""

from datetime import UTC, datetime, timedelta
from typing import Any

from monitors.status import Severity
from notifications.notification import Notification, NotificationState, Subject

AT = datetime(2026, 11, 26, 12, 0, 35, tzinfo=UTC)


def incident(**fields: Any) -> Subject:
    """Return a black picture that began 30 s before `AT`; `fields` change it."""
    return Subject.model_validate(
        {
            "monitor_id": "mon-0191",
            "name": "News 24",
            "stream_url": "https://cdn.example/news/live.m3u8",
            "event_type": "alert.blackout",
            "kind": "blackout",
            "severity": Severity.CRITICAL,
            "incident_id": "inc-7",
            "started_at": AT - timedelta(seconds=30),
            "data": {"duration_sec": 30.0, "threshold_sec": 30},
            "link": "https://tracker.example/incidents/inc-7",
            **fields,
        }
    )


def notification(*subjects: Subject, **fields: Any) -> Notification:
    """Return a notification of `subjects` (else of `incident()`); `fields` change it."""
    return Notification.model_validate(
        {
            "notification_id": "ntf-1",
            "state": NotificationState.OPENED,
            "at": AT,
            "subjects": subjects or (incident(),),
            **fields,
        }
    )
