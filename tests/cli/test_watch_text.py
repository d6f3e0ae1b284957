"""What `stream-tracker watch` says of an event to a person."""

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.watch import event_text
from monitors.events import EventDraft, EventType


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"duration_sec": 4.0, "segment_info": {"sequence": 1}}, "duration 4 s"),
        ({"threshold_sec": None, "reason": "http_404"}, "threshold_sec None, reason http_404"),
        ({"reason": "\x1b[2J"}, "reason ?[2J"),
    ],
)
def test_an_event_is_one_readable_line(data: dict[str, Any], text: str) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    event = EventDraft(event_type=EventType.BLACKOUT, timestamp=at, data=data)
    assert event_text(event) == f"alert.blackout  {text}"
