"""The identity of incidents."""

from datetime import timedelta, timezone

import pytest

from monitors.events import EventDraft, StreamEvent, incident_event, incident_update
from monitors.incidents import IncidentClosed, IncidentOpened, IncidentRef
from monitors.status import CRITICAL_KINDS, IncidentKind, Severity
from tests.monitors.media_timeline import wall_clock

MONITOR = "mon-019a0000-0000-7000-8000-000000000001"
NOTICED = wall_clock(99)
STARTED = wall_clock(1.5)
REF = IncidentRef(kind=IncidentKind.FREEZE, started_at=STARTED)


def told(draft: EventDraft, monitor_id: str = MONITOR) -> StreamEvent:
    return StreamEvent(
        event_id="evt-1",
        event_type=draft.event_type,
        monitor_id=monitor_id,
        stream_url="https://a.tv/x.m3u8",
        timestamp=draft.timestamp,
        sequence=1,
        data={**draft.identity_in(monitor_id), **draft.data},
    )


def opened(kind: IncidentKind, **more: object) -> StreamEvent:
    fields = {"started_at": STARTED, "duration_sec": 30.0, "threshold_sec": 30, **more}
    return told(incident_event(IncidentOpened.model_validate({"kind": kind, **fields}), NOTICED))


def closed(kind: IncidentKind) -> StreamEvent:
    change = IncidentClosed(
        kind=kind, started_at=STARTED, recovered_at=wall_clock(42.25), total_duration_sec=40.75
    )
    return told(incident_event(change, NOTICED))


def test_the_id_is_always_the_same() -> None:
    """Receivers and other releases keep it: a change of this one is a change of all."""
    assert REF.id_in(MONITOR) == "inc-9a8fba6b-a04d-5809-afac-19539b137d08"


def test_the_id_does_not_depend_on_the_zone_or_on_less_than_a_millisecond() -> None:
    elsewhere = STARTED.astimezone(timezone(timedelta(hours=9))) + timedelta(microseconds=900)
    assert REF.model_copy(update={"started_at": elsewhere}).id_in(MONITOR) == REF.id_in(MONITOR)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"kind": IncidentKind.BLACKOUT}, id="kind"),
        pytest.param({"started_at": STARTED + timedelta(milliseconds=1)}, id="beginning"),
        pytest.param({"track": "audio 2"}, id="track"),
    ],
)
def test_another_incident_has_another_id(other: dict[str, object]) -> None:
    assert REF.model_copy(update=other).id_in(MONITOR) != REF.id_in(MONITOR)


def test_another_monitor_has_another_incident() -> None:
    assert REF.id_in(MONITOR) != REF.id_in(MONITOR[:-1] + "2")


@pytest.mark.parametrize("kind", IncidentKind)
def test_both_events_of_an_incident_tell_the_same_id_severity_and_beginning(
    kind: IncidentKind,
) -> None:
    begin, end = opened(kind), closed(kind)
    for name in ("incident_id", "severity", "started_at"):
        assert begin.data[name] == end.data[name]
    is_critical = begin.data["severity"] is Severity.CRITICAL
    assert is_critical == (kind in CRITICAL_KINDS)


@pytest.mark.parametrize("kind", IncidentKind)
def test_an_incident_is_read_back_from_its_events(kind: IncidentKind) -> None:
    begin = incident_update(opened(kind, reason="why"))
    end = incident_update(closed(kind))
    assert begin
    assert end
    assert begin.incident_id == end.incident_id
    assert (begin.kind, begin.started_at, begin.detected_at) == (kind, STARTED, NOTICED)
    assert (begin.reason, begin.ended_at) == ("why", None)
    assert (end.ended_at, end.duration_sec) == (wall_clock(42.25), 40.75)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="no id"),
        pytest.param({"incident_id": "inc-1", "started_at": "2025-01-01T00:00:00Z"}, id="bad id"),
        pytest.param({"incident_id": REF.id_in(MONITOR)}, id="no beginning"),
        pytest.param(
            {
                "incident_id": REF.id_in(MONITOR),
                "started_at": "0001-01-01T00:00:00+14:00",
            },
            id="no time of the calendar",
        ),
    ],
)
def test_an_event_that_names_no_incident_is_of_none(data: dict[str, object]) -> None:
    assert incident_update(opened(IncidentKind.FREEZE).model_copy(update={"data": data})) is None
