"""What one track lacks while another goes on."""

from datetime import UTC, datetime, timedelta

import pytest

from monitors.config import Thresholds
from monitors.detectors.stream_faults import AbsenceDetector

AT = datetime(2026, 5, 1, tzinfo=UTC)


def missing(absence: AbsenceDetector, others_sec: float, new_sec: float = 0.0) -> float:
    sec = absence.missing_sec(
        AT + timedelta(seconds=others_sec),
        new_sec=new_sec,
        target_duration_sec=2.0,
        thresholds=Thresholds(),
    )
    absence.judged_sec += sec
    return sec


def begun() -> AbsenceDetector:
    absence = AbsenceDetector()
    absence.moved(AT)
    return absence


def test_what_the_others_have_is_missing_from_its_last_moment() -> None:
    absence = begun()
    told = [missing(absence, sec) for sec in range(0, 20, 2)]
    assert told == [0, 0, 0, 0, 0, 10, 2, 2, 2, 2]
    absence = AbsenceDetector.model_validate_json(absence.model_dump_json())
    assert missing(absence, 22, new_sec=2.0) == 2  # the latest two seconds are there
    absence.moved(AT + timedelta(seconds=22))
    assert [missing(absence, sec) for sec in (22, 24, 30)] == [0, 0, 0]


def test_a_little_later_than_the_others_is_not_missing() -> None:
    absence = begun()
    for sec in range(0, 60, 2):
        assert missing(absence, sec) == 0
        if sec % 8 == 0:
            absence.moved(AT + timedelta(seconds=sec))


def test_while_all_stand_still_nothing_is_missing() -> None:
    absence = begun()
    assert [missing(absence, 4) for _ in range(100)] == [0] * 100


def test_what_came_while_nobody_could_look_is_not_missing() -> None:
    absence = begun()
    missing(absence, 4)
    absence.unobserved(AT + timedelta(seconds=60))
    assert missing(absence, 62) == 0
    assert missing(absence, 68) == pytest.approx(12)


def test_a_user_may_be_less_patient_but_no_more_than_that() -> None:
    for limit, expected in ((4.0, 6.0), (600.0, 0.0)):
        absence = begun()
        sec = absence.missing_sec(
            AT + timedelta(seconds=6),
            new_sec=0.0,
            target_duration_sec=2.0,
            thresholds=Thresholds(suspend_threshold_sec=limit),
        )
        assert sec == expected
