"""One thing on air is told once."""

from datetime import datetime, timedelta

import pytest

from monitors.detectors.explanations import Cause, Explanations
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind
from tests.monitors.media_timeline import wall_clock

SILENCE, FREEZE, SIGNAL = IncidentKind.SILENCE, IncidentKind.FREEZE, IncidentKind.TEST_SIGNAL


def opened(kind: IncidentKind, since_sec: float, reason: str | None = None) -> IncidentOpened:
    return IncidentOpened(
        kind=kind,
        started_at=wall_clock(since_sec),
        duration_sec=30,
        threshold_sec=30,
        reason=reason,
    )


def closed(kind: IncidentKind, since_sec: float, until_sec: float) -> IncidentClosed:
    return IncidentClosed(
        kind=kind,
        started_at=wall_clock(since_sec),
        recovered_at=wall_clock(until_sec),
        total_duration_sec=until_sec - since_sec,
    )


def bars(since_sec: float) -> Cause:
    return Cause(SIGNAL, wall_clock(since_sec), "bars")


def tone(since_sec: float) -> Cause:
    return Cause(SIGNAL, wall_clock(since_sec), "tone")


def told(
    explanations: Explanations, *changes: IncidentChange, causes: list[Cause]
) -> list[tuple[IncidentKind, str, datetime]]:
    found = explanations.told(changes, causes)
    return [(it.kind, it.change, it.started_at) for it in found]


def test_a_silence_behind_bars_is_not_told() -> None:
    explanations = Explanations()
    (alert,) = explanations.told([opened(SIGNAL, 10, "bars"), opened(SILENCE, 10)], [bars(10)])
    assert (alert.kind, alert.details) == (SIGNAL, {"explains": ["silence"]})
    assert told(explanations, closed(SILENCE, 10, 60), causes=[bars(10)]) == []
    (end,) = explanations.told([closed(SIGNAL, 10, 70)], [])
    assert (end.kind, end.details) == (SIGNAL, {"explains": ["silence"]})
    assert explanations == Explanations()


def test_what_the_alert_explained_is_said_again_at_the_end() -> None:
    explanations = Explanations()
    alert = opened(SIGNAL, 10, "bars").model_copy(update={"details": {"explains": ["freeze"]}})
    explanations.told([alert], [bars(10)])
    explanations.told([opened(SILENCE, 12)], [bars(10)])
    explanations.told([closed(SILENCE, 12, 60)], [bars(10)])
    (end,) = explanations.told([closed(SIGNAL, 10, 70)], [])
    assert end.details == {"explains": ["freeze", "silence"]}


def test_a_silence_that_outlives_the_bars_is_told_then() -> None:
    explanations = Explanations()
    assert told(explanations, opened(SILENCE, 12), causes=[bars(10)]) == []
    ended = told(explanations, closed(SIGNAL, 10, 60), causes=[])
    assert ended == [(SIGNAL, "closed", wall_clock(10)), (SILENCE, "opened", wall_clock(12))]
    assert told(explanations, closed(SILENCE, 12, 80), causes=[]) == [
        (SILENCE, "closed", wall_clock(12))
    ]


@pytest.mark.parametrize(("since_sec", "is_told"), [(0.0, True), (4.0, True), (6.0, False)])
def test_a_fault_from_before_the_card_has_another_cause(since_sec: float, is_told: bool) -> None:
    assert bool(told(Explanations(), opened(SILENCE, since_sec), causes=[bars(10)])) is is_told


def test_what_was_told_before_is_told_to_its_end() -> None:
    explanations = Explanations()
    assert told(explanations, opened(FREEZE, 0), causes=[])
    assert told(explanations, closed(FREEZE, 0, 90), causes=[bars(80)])


def test_bars_and_tone_are_one_test_signal() -> None:
    explanations = Explanations()
    causes = [bars(10), tone(12)]
    (alert,) = explanations.told([opened(SIGNAL, 10, "bars")], causes)
    assert isinstance(alert, IncidentOpened)
    assert alert.reason == "bars_and_tone"
    assert told(explanations, opened(SIGNAL, 12, "tone"), causes=causes) == []
    assert told(explanations, closed(SIGNAL, 10, 50), causes=[tone(12)]) == []
    (end,) = explanations.told([closed(SIGNAL, 12, 60)], [])
    assert isinstance(end, IncidentClosed)
    assert end.started_at == wall_clock(10)
    assert end.total_duration_sec == pytest.approx(50)
    assert end.recovered_at - end.started_at == timedelta(seconds=50)


def test_a_tone_explains_a_picture_that_stands() -> None:
    assert told(Explanations(), opened(FREEZE, 11), causes=[tone(10)]) == []


def test_it_survives_a_takeover() -> None:
    explanations = Explanations()
    explanations.told([opened(SILENCE, 12)], [bars(10)])
    other = Explanations.model_validate_json(explanations.model_dump_json())
    assert told(other, causes=[]) == [(SILENCE, "opened", wall_clock(12))]
