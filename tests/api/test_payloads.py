"""Whatever is accepted at creation, its largest event fits into a webhook."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.body import parse_model
from api.errors import ApiError, InvalidUrl, ValidationFailed
from api.monitors.schemas import MAX_METADATA_BYTES, CreateMonitor
from monitors.delivery import MAX_PAYLOAD_BYTES, bounded_data
from monitors.events import EventType, StreamEvent
from monitors.random_ids import new_monitor_id
from monitors.stream_url import MAX_URL_BYTES, parse_stream_url
from tests.testkit.gateway import order

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)
texts = st.sampled_from(["x", '"', "\\", "\x01", "\x7f", "ü", "動", "🎥"])


@st.composite
def full_metadata(draw: st.DrawFn) -> dict[str, Any]:
    """Metadata of about the size that is just accepted."""
    values = draw(st.lists(scalars, min_size=1, max_size=40))
    size = len(json.dumps(values, ensure_ascii=False).encode())
    times = draw(st.integers(MAX_METADATA_BYTES // size - 1, MAX_METADATA_BYTES // size + 1))
    return {"values": values * max(1, times)}


@st.composite
def long_urls(draw: st.DrawFn) -> str:
    letter = draw(texts)
    length = draw(st.integers(MAX_URL_BYTES // 8, MAX_URL_BYTES)) // len(letter.encode())
    return "https://a.tv/" + letter * length


@given(full_metadata(), long_urls(), texts, st.sampled_from(EventType))
@example({"n": [1e-5] * 2340}, "https://a.tv/", "x", EventType.MONITOR_ERROR)
@example({}, "https://a.tv/" + "\x7f" * 600, "x", EventType.MONITOR_ERROR)
@settings(deadline=None)
def test_the_largest_event_of_any_accepted_monitor_fits(
    metadata: dict[str, Any], stream_url: str, letter: str, event_type: EventType
) -> None:
    body = json.dumps(order(stream_url=stream_url, metadata=metadata)).encode()
    try:
        accepted = parse_model(CreateMonitor, body)
    except ApiError as error:
        assert error.message.startswith(("metadata: is ", "stream_url: "))  # noqa: PT017
        return
    names = ("reason", "message", "termination_reason", "pod_name", "error", "started_at")
    event = StreamEvent(
        event_id="evt-5a9be5a8-4b5c-4a59-9f4f-3a3c0d8d2f10",
        event_type=event_type,
        monitor_id=new_monitor_id(),
        stream_url=parse_stream_url(accepted.stream_url).url,
        timestamp=datetime.now(UTC) + timedelta(microseconds=123_456),
        sequence=2**31 - 1,
        data=bounded_data(
            dict.fromkeys(names, letter * 5000)
            | {"exit_code": -(2**31), "duration_sec": 86399.999}
            | {"segment_info": {"sequence": 2**63, "duration": 86399.999}}
        ),
        metadata=accepted.metadata,
    )
    assert len(event.body()) <= MAX_PAYLOAD_BYTES


def test_metadata_is_measured_as_events_carry_it() -> None:
    small = 1e-5  # an event writes 0.00001
    accepted, refused = ({"n": [small] * count} for count in (2040, 2060))
    parse_model(CreateMonitor, json.dumps(order(metadata=accepted)).encode())
    with pytest.raises(ValidationFailed, match=r"^metadata: is \d+ bytes of JSON, .* 16384$"):
        parse_model(CreateMonitor, json.dumps(order(metadata=refused)).encode())


def test_a_url_is_measured_in_bytes() -> None:
    url = "https://a.tv/" + "動" * 679
    with pytest.raises(InvalidUrl, match="longer than 2048 bytes"):
        parse_model(CreateMonitor, json.dumps(order(callback_url=url)).encode())
