"""PagerDuty, Events API v2.

A destination's URL is `https://events.pagerduty.com/v2/enqueue?routing_key=KEY`; the key goes into
the body. https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

from typing import Any, Final

import httpx
from pydantic_core import to_json

from notifications.destination_urls import pagerduty_target
from notifications.notification import Notification, NotificationState
from notifications.sending import Outcome, Sent, post_json
from notifications.wording import MAX_TEXT_CHARS, message

MAX_SUMMARY_CHARS: Final = 1024
NAMES_CHARS: Final = 20_000  # an event has at most 512 KiB
_ACTIONS: Final = {
    NotificationState.OPENED: "trigger",
    NotificationState.REMINDER: "trigger",
    NotificationState.ACKNOWLEDGED: "acknowledge",
    NotificationState.CLOSED: "resolve",
    NotificationState.EVENT: "trigger",
    NotificationState.TEST: "trigger",
}


async def send_to_pagerduty(
    client: httpx.AsyncClient, url: str, notification: Notification
) -> Outcome:
    """Trigger, acknowledge or resolve an alert; the incident's id is its `dedup_key`."""
    # Nobody is called at night for an event that is no fault, such as a start. An alert whose
    # monitor failed is not resolved: nobody knows whether the fault is over.
    is_fault = notification.severity or notification.state is not NotificationState.EVENT
    if not is_fault or any(each.is_left_open for each in notification.subjects):
        return Sent.SKIPPED
    endpoint, routing_key = pagerduty_target(url)
    event = {"routing_key": routing_key, **event_of(notification)}
    return await post_json(client, endpoint, to_json(event))


def event_of(notification: Notification) -> dict[str, Any]:
    action = _ACTIONS[notification.state]
    event = {"event_action": action, "dedup_key": notification.thread}
    if action != "trigger":
        return event
    said = message(notification, names_chars=NAMES_CHARS)
    subjects = notification.subjects
    name, kind = "test", "test"
    if subjects:
        name, kind = subjects[0].name, subjects[0].kind or subjects[0].event_type
    return {
        **event,
        "client": "Stream Tracker",
        "links": _links(notification),
        "payload": {
            "summary": said.title[:MAX_SUMMARY_CHARS],
            "source": notification.origin_host or name[:MAX_TEXT_CHARS],
            "severity": notification.severity or "info",
            "timestamp": notification.since.isoformat(),
            "class": kind,
            "custom_details": {
                "text": said.body,
                "monitors": {each.monitor_id: each.name for each in subjects},
                "labels": subjects[0].labels if len(subjects) == 1 else {},
            },
        },
    }


def _links(notification: Notification) -> list[dict[str, str]]:
    links = {"Stream Tracker": notification.more}
    if len(notification.subjects) == 1:
        links["Picture"] = notification.subjects[0].evidence_link
    return [{"href": href, "text": text} for text, href in links.items() if href]
