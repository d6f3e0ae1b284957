import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter

from monitors.events import EventType, StreamEvent, incident_event, timestamp_text
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened, SegmentInfo
from monitors.reports import Statistics
from monitors.status import IncidentKind
from tests.monitors.media_timeline import wall_clock

NOTICED = wall_clock(99)
STARTED_TEXT = "2025-06-01T12:00:01.500+00:00"


def opened(kind: IncidentKind, **more: object) -> IncidentOpened:
    fields = {"started_at": wall_clock(1.5), "duration_sec": 30.0004, "threshold_sec": 30}
    return IncidentOpened.model_validate({"kind": kind, **fields, **more})


def closed(kind: IncidentKind) -> IncidentClosed:
    return IncidentClosed(
        kind=kind,
        started_at=wall_clock(1.5),
        recovered_at=wall_clock(42.25),
        total_duration_sec=40.75,
    )


SEGMENT = SegmentInfo(sequence=7, duration=6.0060001)
FAULT = {"duration_sec": 30.0, "started_at": STARTED_TEXT, "threshold_sec": 30}
RECOVERED = {
    "total_duration_sec": 40.75,
    "started_at": STARTED_TEXT,
    "recovered_at": "2025-06-01T12:00:42.250+00:00",
}


@pytest.mark.parametrize(
    ("change", "event_type", "data"),
    [
        pytest.param(
            opened(IncidentKind.BLACKOUT, segment=SEGMENT),
            EventType.BLACKOUT,
            {**FAULT, "segment_info": {"sequence": 7, "duration": 6.006}},
            id="blackout",
        ),
        pytest.param(
            opened(IncidentKind.SILENCE, segment=SEGMENT, reason="no_audio_track"),
            EventType.SILENCE,
            {
                **FAULT,
                "segment_info": {"sequence": 7, "duration": 6.006},
                "reason": "no_audio_track",
            },
            id="silence",
        ),
        pytest.param(opened(IncidentKind.FREEZE), EventType.FREEZE, FAULT, id="freeze"),
        pytest.param(
            opened(IncidentKind.SUSPENDED),
            EventType.STREAM_SUSPENDED,
            {"last_segment_at": STARTED_TEXT, "started_at": STARTED_TEXT, "threshold_sec": 30},
            id="suspended",
        ),
        pytest.param(
            opened(IncidentKind.SEGMENT_ERROR, reason="HTTP 404"),
            EventType.SEGMENT_ERROR,
            {"error": "HTTP 404", **FAULT},
            id="segment error",
        ),
        pytest.param(
            closed(IncidentKind.BLACKOUT),
            EventType.BLACKOUT_RECOVERED,
            RECOVERED,
            id="blackout over",
        ),
        pytest.param(
            closed(IncidentKind.SILENCE), EventType.SILENCE_RECOVERED, RECOVERED, id="silence over"
        ),
        pytest.param(
            closed(IncidentKind.FREEZE), EventType.FREEZE_RECOVERED, RECOVERED, id="freeze over"
        ),
        pytest.param(
            closed(IncidentKind.SUSPENDED),
            EventType.STREAM_RESUMED,
            {
                "suspended_sec": 40.75,
                "started_at": STARTED_TEXT,
                "recovered_at": "2025-06-01T12:00:42.250+00:00",
            },
            id="resumed",
        ),
    ],
)
def test_a_change_of_an_incident_becomes_an_event(
    change: IncidentChange, event_type: EventType, data: dict[str, object]
) -> None:
    happening = incident_event(change, NOTICED)
    assert (happening.event_type, happening.timestamp) == (event_type, NOTICED)
    assert happening.data == data


def test_a_segment_error_tells_its_length_when_it_is_over() -> None:
    happening = incident_event(closed(IncidentKind.SEGMENT_ERROR), NOTICED)
    assert happening.event_type is EventType.SEGMENT_ERROR_RECOVERED
    assert happening.data["total_duration_sec"] == 40.75


@pytest.mark.parametrize("kind", IncidentKind)
def test_each_fault_has_an_event_for_either_end(kind: IncidentKind) -> None:
    types = {incident_event(change, NOTICED).event_type for change in (opened(kind), closed(kind))}
    assert len(types) == 2


@pytest.mark.parametrize("change", [opened(IncidentKind.FREEZE), closed(IncidentKind.FREEZE)])
def test_changes_survive_json(change: IncidentChange) -> None:
    adapter: TypeAdapter[IncidentChange] = TypeAdapter(IncidentChange)
    assert adapter.validate_json(adapter.dump_json(change)) == change


def test_the_body_has_the_fields_of_the_contract_and_stays_the_same() -> None:
    event = StreamEvent(
        event_id="evt-1",
        event_type=EventType.BLACKOUT,
        monitor_id="mon-1",
        stream_url="https://a.tv/x.m3u8",
        timestamp=wall_clock(0),
        sequence=1,
        data={"started_at": STARTED_TEXT},
        metadata={"name": "Nachrichten ☀"},
    )
    body = event.body()
    again = StreamEvent.model_validate_json(body)
    assert (again, again.body()) == (event, body)
    assert list(json.loads(body)) == [
        "event_id",
        "event_type",
        "monitor_id",
        "stream_url",
        "timestamp",
        "sequence",
        "data",
        "metadata",
    ]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        pytest.param(datetime(2025, 6, 1, tzinfo=UTC), "2025-06-01T00:00:00.000+00:00", id="utc"),
        pytest.param(
            datetime(2025, 6, 1, 9, 0, 0, 123999, timezone(timedelta(hours=9))),
            "2025-06-01T09:00:00.123+09:00",
            id="an offset and microseconds",
        ),
    ],
)
def test_timestamps_are_iso_8601_with_milliseconds(moment: datetime, text: str) -> None:
    assert timestamp_text(moment) == text


@pytest.mark.parametrize("kind", IncidentKind)
def test_every_kind_of_incident_has_events_and_a_counter(kind: IncidentKind) -> None:
    begins, ends = (incident_event(each(kind), NOTICED) for each in (opened, closed))
    assert begins.event_type != ends.event_type
    statistics = Statistics()
    statistics.count(kind)
    assert statistics.model_dump()[f"{kind}_events"] == 1
