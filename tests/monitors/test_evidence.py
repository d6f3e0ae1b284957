"""The identity of evidence, and the URLs that open it."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.events import EventType, StreamEvent
from monitors.evidence import (
    EvidenceItem,
    EvidenceKind,
    EvidenceLevel,
    EvidenceMoment,
    evidence_items,
    evidence_path,
    is_evidence_id,
)
from monitors.evidence_links import EvidenceLinks

INCIDENT = "inc-5a9be5a8-4b5c-5a59-9f4f-3a3c0d8d2f10"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST_FAULTY = EvidenceItem(EvidenceKind.PICTURE, EvidenceMoment.FIRST_FAULTY)
PATH = evidence_path(FIRST_FAULTY.id_of(INCIDENT, NOON))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))


def links(*keys: bytes, public_url: str | None = "https://streams.example") -> EvidenceLinks:
    return EvidenceLinks(keys, public_url, timedelta(days=7))


def opening(**data: object) -> StreamEvent:
    return StreamEvent(
        event_id="evt-1",
        event_type=EventType.BLACKOUT,
        monitor_id="mon-1",
        stream_url="https://media.example/live.m3u8",
        timestamp=NOON,
        sequence=1,
        data=dict(data),
    )


@given(MOMENTS, st.sampled_from(evidence_items(EvidenceLevel.CAPSULE)))
def test_an_id_is_a_uuid_7_of_the_incidents_beginning(at: datetime, item: EvidenceItem) -> None:
    found = item.id_of(INCIDENT, at)
    uuid = UUID(found.removeprefix("evd-"))
    assert is_evidence_id(found)
    assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
    assert uuid.int >> 80 == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def test_an_id_never_changes() -> None:
    at = NOON.astimezone(timezone(timedelta(hours=9))) + timedelta(microseconds=999)
    found = FIRST_FAULTY.id_of(INCIDENT, at)
    assert found == "evd-019b796d-d600-77e0-b908-c7b704c7be0c"
    assert evidence_path(found) == PATH


def test_each_piece_has_an_id_of_its_own() -> None:
    ids = {item.id_of(INCIDENT, NOON) for item in evidence_items(EvidenceLevel.CAPSULE)}
    assert len(ids) == 4


def test_each_level_includes_those_before() -> None:
    counts = [len(evidence_items(level)) for level in EvidenceLevel]
    assert counts == [0, 2, 3, 4]
    assert evidence_items(EvidenceLevel.PICTURE)[1] == FIRST_FAULTY


def test_an_event_is_told_with_the_same_signed_url_each_time() -> None:
    event = opening(evidence_url=PATH, duration_sec=30.0)
    told = links(b"first", b"second").event(event)
    assert told == links(b"first").event(event)
    assert list(told.data) == ["evidence_url", "duration_sec"]
    expires = int((NOON + timedelta(days=7)).timestamp())
    url, signature = told.data["evidence_url"].split("&signature=")
    assert url == f"https://streams.example{PATH}?expires={expires}"
    for good in (links(b"first"), links(b"new", b"first")):
        assert good.is_signed(PATH, str(expires), signature)
    assert links(b"first").event(told) == told


@pytest.mark.parametrize("data", [{}, {"evidence_url": None}, {"evidence_url": "https://else"}])
def test_other_events_stay_as_they_are(data: dict[str, object]) -> None:
    assert links(b"first").event(opening(**data)) == opening(**data)


@pytest.mark.parametrize(
    ("path", "expires", "signature"),
    [
        pytest.param(PATH[:-1] + "0", None, None, id="other evidence"),
        pytest.param(PATH, "1", None, id="another time"),
        pytest.param(PATH, None, "0" * 64, id="another signature"),
        pytest.param(PATH, None, "", id="none"),
        pytest.param(PATH, None, "ü", id="no ASCII"),
    ],
)
def test_what_was_not_signed_is_not_good(
    path: str, expires: str | None, signature: str | None
) -> None:
    made = links(b"first").url(PATH, NOON).partition("?expires=")[2]
    known = made.partition("&signature=")
    assert links(b"first").is_signed(PATH, known[0], known[2])
    assert not links(b"other").is_signed(PATH, known[0], known[2])
    changed = known[2] if signature is None else signature
    assert not links(b"first").is_signed(path, expires or known[0], changed)


def test_without_a_public_address_a_url_begins_with_its_path() -> None:
    assert links(b"first", public_url=None).url(PATH, NOON).startswith(f"{PATH}?expires=")
