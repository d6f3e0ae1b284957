from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from monitors.delivery import (
    MAX_PAYLOAD_BYTES,
    MAX_TEXT_BYTES,
    DeliveryPolicy,
    Failure,
    bounded_data,
    bounded_text,
    failure_of,
    is_delivered,
    outcome_of,
    read_retry_after,
)
from monitors.events import EventType, StreamEvent

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
STEADY = DeliveryPolicy(jitter=0)


@pytest.mark.parametrize(
    ("attempt", "sec"),
    [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (50, 10.0)],
)
def test_waits_double_up_to_the_cap(attempt: int, sec: float) -> None:
    assert STEADY.delay_sec(attempt, chance=0.3) == sec


def test_jitter_varies_a_wait_by_its_share_both_ways() -> None:
    policy = DeliveryPolicy(jitter=0.2)
    waits = [policy.delay_sec(2, chance=chance) for chance in (0.0, 0.5, 1.0)]
    assert waits == pytest.approx([1.6, 2.0, 2.4])


@pytest.mark.parametrize(
    ("asked_sec", "sec"),
    [
        pytest.param(None, 2.0, id="nothing asked"),
        pytest.param(30.0, 30.0, id="longer"),
        pytest.param(0.0, 2.0, id="shorter than the own wait"),
        pytest.param(3600.0, 60.0, id="longer than allowed"),
        pytest.param(float("inf"), 60.0, id="for ever"),
    ],
)
def test_a_receiver_may_ask_for_a_longer_wait(asked_sec: float | None, sec: float) -> None:
    assert STEADY.delay_sec(2, chance=0.5, asked_sec=asked_sec) == sec


@given(st.integers(1, 200), st.floats(0, 1), st.none() | st.floats(0, 1e12))
def test_a_wait_is_always_reasonable(attempt: int, chance: float, asked: float | None) -> None:
    assert 0.8 <= DeliveryPolicy().delay_sec(attempt, chance=chance, asked_sec=asked) <= 60


@pytest.mark.parametrize(
    ("status", "delivered", "final"),
    [
        *((status, True, False) for status in (200, 201, 204, 299)),
        *((status, False, False) for status in (199, 300, 301, 307, 400, 404, 429, 500, 503)),
        (410, False, True),
    ],
)
def test_what_an_answer_means(status: int, delivered: bool, final: bool) -> None:
    assert (is_delivered(status), failure_of(status, None).is_final) == (delivered, final)


@pytest.mark.parametrize(
    ("value", "sec"),
    [
        pytest.param(None, None, id="no header"),
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 5 ", 5.0, id="spaces"),
        pytest.param("0", 0.0, id="zero"),
        pytest.param("999999999", 999_999_999.0, id="nine digits"),
        pytest.param("9999999999", None, id="ten digits"),
        pytest.param("-1", None, id="negative"),
        pytest.param("1.5", None, id="fraction"),
        pytest.param("\N{ARABIC-INDIC DIGIT FIVE}", None, id="other digits"),
        pytest.param("", None, id="empty"),
        pytest.param("soon", None, id="words"),
        pytest.param("Fri, 01 May 2026 12:02:00 GMT", 120.0, id="date"),
        pytest.param("Friday, 01-May-26 12:02:00 GMT", 120.0, id="obsolete date"),
        pytest.param("Fri May  1 12:02:00 2026", 120.0, id="asctime"),
        pytest.param("Fri, 01 May 2026 13:02:00 +0100", 120.0, id="offset"),
        pytest.param("Fri, 01 May 2026 11:00:00 GMT", 0.0, id="past"),
        pytest.param("Fri, 99 May 2026 11:00:00 GMT", None, id="impossible date"),
        pytest.param("0 JAN 0 3000000000:0 GMT", None, id="more hours than a machine counts"),
    ],
)
def test_retry_after(value: str | None, sec: float | None) -> None:
    assert read_retry_after(value, NOW) == sec


DATE_PARTS = st.sampled_from(
    ["Fri", ", ", "01", "May", " ", "2026", "12:00:00", "GMT", "+9999", "-", "99999999999", ":"]
)


@given(st.one_of(st.text(), st.lists(DATE_PARTS).map("".join)))
def test_any_header_is_a_wait_or_unclear(value: str) -> None:
    sec = read_retry_after(value, NOW)
    assert sec is None or sec >= 0


DATES = st.from_regex(
    r"[A-Z][a-z]{2}, \d{1,4} (Jan|May) \d{1,9} \d{1,12}:\d{1,5}:\d{1,5} ([+-]\d{1,9}|GMT)",
    fullmatch=True,
)


@given(st.one_of(st.text(), DATES))
def test_any_retry_after_is_a_wait_or_nothing(value: str) -> None:
    asked = read_retry_after(value, NOW)
    assert asked is None or asked >= 0


@pytest.mark.parametrize(
    ("failure", "attempt", "again_in_sec"),
    [
        pytest.param(Failure("timeout", "late"), 3, 4.0, id="another attempt"),
        pytest.param(Failure("timeout", "late"), 4, None, id="the last attempt"),
        pytest.param(Failure("timeout", "late", is_final=True), 1, None, id="final"),
        pytest.param(failure_of(503, 30.0), 1, 30.0, id="the receiver asks for a wait"),
        pytest.param(failure_of(410, 30.0), 1, None, id="gone"),
    ],
)
def test_when_a_webhook_is_tried_again(
    failure: Failure, attempt: int, again_in_sec: float | None
) -> None:
    assert STEADY.again_in_sec(attempt, failure, chance=0.5) == again_in_sec


def test_answers_are_counted_by_few_words() -> None:
    outcomes = {outcome_of(status) for status in range(100, 600)}
    assert outcomes == {"delivered", "http_1xx", "http_3xx", "http_4xx", "http_5xx"}


@given(st.text(st.characters(codec=None), max_size=2000))
def test_any_text_is_cut_to_what_a_payload_has_room_for(text: str) -> None:
    bounded = bounded_text(text)
    assert len(to_json(bounded)) <= MAX_TEXT_BYTES
    assert bounded == text or bounded.endswith("…") or "?" in bounded


def test_a_short_text_stays_as_it_is() -> None:
    assert bounded_text("Abendnachrichten - Grüße 🎥") == "Abendnachrichten - Grüße 🎥"


@pytest.mark.parametrize("letter", ["x", "ü", "🎥", "\x00", '"', "\ud800"])
def test_the_largest_payload_is_under_20_kb(letter: str) -> None:
    metadata = {"note": "x" * (16 * 1024 - len('{"note":""}'))}
    endless = letter * 10_000
    event = StreamEvent(
        event_id="evt-5a9be5a8-4b5c-4a59-9f4f-3a3c0d8d2f10",
        event_type=EventType.MONITOR_ERROR,
        monitor_id="mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b",
        stream_url="https://example.com/".ljust(2048, "x"),
        timestamp=datetime(2026, 5, 1, 12, 0, 0, 123_456, UTC),
        sequence=2**31 - 1,
        data=bounded_data(
            {"reason": endless, "message": endless, "exit_code": -(2**31)}
            | {"termination_reason": endless, "pod_name": endless}
        ),
        metadata=metadata,
    )
    assert len(event.body()) <= MAX_PAYLOAD_BYTES
