"""Prometheus Alertmanager, API v2: `POST /api/v2/alerts`.

Alertmanager resolves an alert by itself when its `endsAt` has passed. Without one it takes the time
of arrival plus its `resolve_timeout` (5 min), which is why Prometheus repeats its alerts. An open
incident here has an `endsAt` far away instead, so that one message is enough. What repeating is
still good for: an Alertmanager that restarts has forgotten all alerts, and a reminder
(`remind_every_sec`) tells it again.
"""

import base64
import re
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from pydantic_core import to_json

from notifications.destination_urls import alertmanager_target
from notifications.notification import Notification, NotificationState, Subject
from notifications.sending import Outcome, Sent, post_json
from notifications.texts import TEXTS
from notifications.wording import kind_text, message, plain

OPEN_FOR: Final = timedelta(days=30)  # how long an open alert lives without a reminder
_OURS: Final = frozenset({"alertname", "monitor_id", "name", "severity"})
_NO_LABEL: Final = re.compile(r"[^a-zA-Z0-9_]")


async def send_to_alertmanager(
    client: httpx.AsyncClient, url: str, notification: Notification
) -> Outcome:
    """Send alerts; those of one monitor and kind are the same alert to Alertmanager."""
    alerts = alerts_of(notification)
    if not alerts:
        return Sent.SKIPPED
    endpoint, userinfo = alertmanager_target(url)
    basic = "Basic " + base64.b64encode(userinfo.encode()).decode() if userinfo else None
    return await post_json(client, endpoint, to_json(alerts), authorization=basic)


def alerts_of(notification: Notification) -> list[dict[str, Any]]:
    """Return an alert for each subject: a group is Alertmanager's own to form.

    An alert whose monitor failed is left as it is: nobody knows whether the fault is over.
    """
    if notification.state is NotificationState.ACKNOWLEDGED:
        return []
    if notification.state is NotificationState.TEST:
        return [_test_alert(notification)]
    told = (each for each in notification.subjects if each.severity and not each.is_left_open)
    return [_alert(notification, each) for each in told]


def _alert(notification: Notification, subject: Subject) -> dict[str, Any]:
    alone = notification.model_copy(update={"subjects": (subject,), "origin_host": None})
    said = message(alone)
    alert: dict[str, Any] = {
        "labels": labels_of(subject),
        "annotations": {
            "summary": said.title,
            "description": said.body,
            "kind": kind_text(subject.kind or subject.event_type, TEXTS[notification.language]),
            "incident_id": subject.incident_id or "",
            "stream_url": subject.stream_url,
        },
        "startsAt": subject.started_at.isoformat(),
    }
    ends_at = _ends_at(notification, subject)
    if ends_at is not None:
        alert["endsAt"] = ends_at.isoformat()
    if subject.link:
        alert["generatorURL"] = subject.link
    if subject.evidence_link:
        alert["annotations"]["evidence_url"] = subject.evidence_link
    return alert


def _ends_at(notification: Notification, subject: Subject) -> datetime | None:
    """What never recovers, such as `monitor.error`, ends by Alertmanager's `resolve_timeout`."""
    if notification.state is NotificationState.EVENT:
        return None
    if notification.state is NotificationState.CLOSED:
        return subject.ended_at or notification.at
    return notification.at + OPEN_FOR


def labels_of(subject: Subject) -> dict[str, str]:
    """Return the labels that identify the alert: those of its opening, whatever changed since then.

    A monitor's labels come as Prometheus names them: `a.b/c` is `a_b_c`. One that is named like a
    label of ours gets `label_` before it.
    """
    kind = subject.kind or subject.event_type
    labels = subject.labels if subject.opened_labels is None else subject.opened_labels
    theirs = {_label_name(key): plain(value) for key, value in labels.items() if value}
    return {
        **theirs,
        "alertname": "Stream" + "".join(map(str.capitalize, re.split(r"[._]", kind))),
        "monitor_id": subject.monitor_id,
        "name": plain(subject.opened_name or subject.name),
        "severity": str(subject.severity),
    }


def _label_name(key: str) -> str:
    name = _NO_LABEL.sub("_", key)
    return f"label_{name}" if name in _OURS or not re.match(r"[a-zA-Z_]", name) else name


def _test_alert(notification: Notification) -> dict[str, Any]:
    said = message(notification)
    return {
        "labels": {"alertname": "StreamTrackerTest", "severity": "info"},
        "annotations": {"summary": said.title, "description": said.body},
        "startsAt": notification.at.isoformat(),
    }
