"""What the demo expects, and how it judges what arrives."""

import socket
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cli.demo.checklist import Arrival, Checklist, Row, percentile
from cli.demo.sandbox import demo_settings, forget_settings, free_ports, log_tail
from cli.demo.screen import introduction, summary
from cli.demo.script import (
    CONFIG,
    SCENES,
    STALL,
    TARGET_DURATION_SEC,
    Expectation,
    ScriptedScene,
    Stall,
    airtime_sec,
    expectations,
    scene_starts,
)
from monitors.events import EventType
from runtime.errors import StartError
from simulator.origin import Programme

BLACK_AT = datetime(2026, 1, 1, tzinfo=UTC)
TYPES = (EventType.STREAM_STARTED, EventType.BLACKOUT, EventType.BLACKOUT_RECOVERED)


def checklist() -> Checklist:
    rows = [
        Row(Expectation(event_type=event_type, cause="because"), known_at=BLACK_AT)
        for event_type in TYPES
    ]
    rows[0].known_at = None
    rows[1].started_at = BLACK_AT
    return Checklist(rows)


def arrival(
    sequence: int,
    event_type: str | None = None,
    *,
    started_at: datetime | None = BLACK_AT,
    problem: str | None = None,
    incident_id: str = "inc-1",
) -> Arrival:
    data: dict[str, Any] = {"started_at": started_at.isoformat()} if started_at else {}
    if sequence > 1:
        data["incident_id"] = incident_id
    event = {
        "event_id": f"evt-{sequence}",
        "event_type": event_type or TYPES[sequence - 1],
        "sequence": sequence,
        "data": data,
    }
    return Arrival(event, problem, BLACK_AT + timedelta(seconds=sequence))


def after(*arrivals: Arrival) -> Checklist:
    taken = checklist()
    for each in arrivals:
        taken.add(each)
    return taken


ALL = (arrival(1), arrival(2), arrival(3))


def test_the_script_is_what_the_origin_plays() -> None:
    programme = Programme.of([(scene.kind, scene.duration_sec) for scene in SCENES])
    spans = programme.scenes_at()
    ends = [*(span.start_sec for span in spans), programme.duration_sec]
    assert ends == pytest.approx(scene_starts(SCENES), abs=1e-6)


def test_every_kind_of_fault_is_shown_in_the_order_in_which_it_can_be_known() -> None:
    assert [expected.event_type for expected in expectations()] == [
        "stream.started",
        "alert.blackout",
        "alert.blackout_recovered",
        "alert.silence",
        "alert.silence_recovered",
        "alert.freeze",
        "alert.freeze_recovered",
        "stream.suspended",
        "stream.resumed",
        "stream.ended",
    ]


def test_events_of_media_name_when_the_fault_began_and_when_it_was_over() -> None:
    scenes = [ScriptedScene("normal", 5, "calm"), ScriptedScene("black", 7, "black")]
    opened, closed = expectations(scenes, Stall(at_sec=40, for_sec=8))[1:3]
    assert (opened.started_sec, opened.recovered_sec) == (5, None)
    assert (closed.started_sec, closed.recovered_sec) == (5, 12)
    assert opened.known is not None
    assert opened.known.stream_sec == pytest.approx(5 + CONFIG.blackout_threshold_sec, abs=0.01)
    assert closed.known is not None
    assert closed.known.stream_sec == pytest.approx(12 + CONFIG.recovery_sec, abs=0.01)


def test_a_stall_can_be_known_a_threshold_after_the_last_segment() -> None:
    known = {expected.event_type: expected.known for expected in expectations()}
    suspended, resumed = known[EventType.STREAM_SUSPENDED], known[EventType.STREAM_RESUMED]
    assert suspended is not None
    assert suspended.stream_sec == pytest.approx(STALL.at_sec, abs=0.01)
    assert suspended.stream_sec < STALL.at_sec
    assert suspended.later_sec == CONFIG.suspend_threshold_sec
    assert resumed is not None
    assert (resumed.stream_sec, resumed.later_sec) == (STALL.at_sec, 0)


def test_the_script_leaves_the_encoder_room_and_the_stall_begins_with_a_segment() -> None:
    within = [
        expected.known.stream_sec % TARGET_DURATION_SEC
        for expected in expectations()
        if expected.known and expected.started_sec is not None
    ]
    assert all(0.3 < position < TARGET_DURATION_SEC - 0.3 for position in within)
    assert STALL.at_sec % TARGET_DURATION_SEC == 0
    assert airtime_sec() < 90


def test_events_as_scripted_leave_no_problem() -> None:
    taken = after(*ALL)
    assert taken.is_complete
    assert taken.problems() == []
    assert taken.delays_sec() == [2.0, 3.0]
    assert "All as scripted" in summary(taken, [])


@pytest.mark.parametrize(
    ("arrivals", "problems"),
    [
        pytest.param([*ALL, arrival(2)], [], id="the same event once more"),
        pytest.param(ALL[:2], ["missing: alert.blackout_recovered"], id="one is missing"),
        pytest.param(
            [*ALL, arrival(4, "alert.freeze")],
            ["not expected: alert.freeze (sequence 4)"],
            id="one too many",
        ),
        pytest.param(
            [*ALL, arrival(4, "alert.blackout")],
            ["not expected: alert.blackout (sequence 4)"],
            id="a second one of an expected type",
        ),
        pytest.param(
            [*ALL, arrival(3, problem="the signature does not fit")],
            ["not verified: alert.blackout_recovered (the signature does not fit)"],
            id="forged",
        ),
        pytest.param(
            [ALL[1], ALL[0], ALL[2]],
            [
                "sequence numbers are not 1, 2, 3 ...: [2, 1, 3]",
                "wrong order: alert.blackout, stream.started, alert.blackout_recovered",
            ],
            id="overtaken",
        ),
        pytest.param(
            [ALL[0], arrival(3, TYPES[1]), arrival(4, TYPES[2])],
            ["sequence numbers are not 1, 2, 3 ...: [1, 3, 4]"],
            id="a gap in the sequence",
        ),
        pytest.param(
            [ALL[0], arrival(2, started_at=BLACK_AT - timedelta(seconds=0.2)), ALL[2]],
            ["alert.blackout: started_at is -0.200 s off"],
            id="another beginning",
        ),
        pytest.param(
            [*ALL[:2], arrival(3, incident_id="inc-2")],
            ["1 expected events of inc-1", "1 expected events of inc-2"],
            id="a recovery of another incident",
        ),
        pytest.param(
            [ALL[0], arrival(2, started_at=BLACK_AT + timedelta(seconds=0.09)), ALL[2]],
            [],
            id="nearly the same beginning",
        ),
        pytest.param(
            [ALL[0], arrival(2, started_at=None), ALL[2]],
            ["alert.blackout: started_at is missing"],
            id="no beginning",
        ),
    ],
)
def test_what_is_not_as_scripted_is_named(arrivals: list[Arrival], problems: list[str]) -> None:
    assert after(*arrivals).problems() == problems


def test_a_forged_event_takes_nobodys_place() -> None:
    taken = after(arrival(1, problem="the signature does not fit"), *ALL)
    assert taken.is_complete
    assert [row.arrival for row in taken.rows] == list(ALL)


def audited(number: int, status: str = "sent") -> dict[str, Any]:
    return {
        "event_id": f"evt-{number}",
        "event_type": TYPES[number - 1],
        "webhook_status": status,
    }


@pytest.mark.parametrize(
    ("events", "problems"),
    [
        pytest.param([audited(1), audited(2)], [], id="agrees"),
        pytest.param(
            [audited(1), audited(2), audited(3)],
            ["sent by the audit, but not arrived: alert.blackout_recovered"],
            id="more than arrived",
        ),
        pytest.param(
            [audited(1), audited(2, "pending")],
            ["pending by the audit: alert.blackout"],
            id="not settled",
        ),
        pytest.param([audited(1)], ["arrived, but not in the audit: alert.blackout"], id="less"),
    ],
)
def test_the_audit_is_held_against_the_arrivals(
    events: list[dict[str, Any]], problems: list[str]
) -> None:
    assert after(*ALL[:2]).audit_problems(events) == problems


@pytest.mark.parametrize(
    ("share", "value"),
    [pytest.param(0.5, 3, id="p50"), pytest.param(0.95, 5, id="p95"), pytest.param(1, 5, id="max")],
)
def test_a_percentile_is_one_of_the_values(share: float, value: float) -> None:
    assert percentile([5, 1, 4, 2, 3], share) == value


def test_the_summary_names_what_is_wrong() -> None:
    taken = after(ALL[0])
    text = summary(taken, taken.problems())
    assert "3 events expected, 1 arrived, 0 unexpected" in text
    assert "missing: alert.blackout\n" in text
    assert "All as scripted" not in text


def test_the_introduction_fits_a_terminal() -> None:
    assert max(map(len, introduction().splitlines())) <= 90


def test_settings_of_somebody_elses_are_forgotten() -> None:
    environment = {
        "PATH": "/bin",
        "DATABASE_URL": "postgresql://real",
        "DB_DSN": "postgresql://real",
        "https_proxy": "http://proxy",
        "TEMPORAL_API_KEY": "secret",
        "WEBHOOK_SIGNING_KEY": "secret",
    }
    forget_settings(environment)
    assert environment == {"PATH": "/bin"}


def test_the_demo_listens_on_ports_of_its_own(tmp_path: Path) -> None:
    settings = demo_settings(tmp_path)
    ports = [
        settings.port,
        settings.temporal_port,
        settings.temporal_ui_port,
        settings.health_port,
    ]
    assert len({*ports}) == len(ports)


def test_ports_are_free_and_not_of_those_that_the_system_hands_out() -> None:
    ports = free_ports(8)
    assert len({*ports}) == 8
    with socket.socket() as handed_out:
        handed_out.bind(("127.0.0.1", 0))
        assert max(ports) < handed_out.getsockname()[1]


def test_no_port_is_given_that_somebody_listens_on() -> None:
    (taken, free) = free_ports(2)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", taken))
        listener.listen()
        assert free_ports(1, [taken, free]) == [free]
        with pytest.raises(StartError, match="only 1 of the 2 ports"):
            free_ports(2, [taken, free])


def test_the_tail_of_each_log_is_shown(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "service.log").write_text("".join(f"line {number}\n" for number in range(40)))
    (tmp_path / "data" / "temporal.log").write_text("bad\nlevel=WARN lost\n")
    lines = log_tail(tmp_path).splitlines()
    assert lines[:2] == ["--- temporal.log", "bad"]
    assert lines[2] == "--- service.log"
    assert lines[-1] == "line 39"
    assert "line 0" not in lines


def test_scenes_follow_each_other_without_gap() -> None:
    starts = scene_starts(SCENES)
    assert starts[0] == 0
    assert all(later > earlier for earlier, later in pairwise(starts))
