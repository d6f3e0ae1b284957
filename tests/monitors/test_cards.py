"""Colour bars and slates become one incident, and explain what else there is to see and hear."""

from collections.abc import Sequence

import pytest

from monitors.config import Expect, Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.incidents import IncidentChange, IncidentOpened
from monitors.measurement import Interval, SegmentMeasurement, SlateRun, StillRun
from monitors.status import Health, IncidentKind
from tests.monitors.media_timeline import drawing, segment_position

RULES = Thresholds(
    test_signal_threshold_sec=8,
    slate_threshold_sec=8,
    freeze_threshold_sec=12,
    silence_threshold_sec=10,
    blackout_threshold_sec=10,
    recovery_sec=2,
)
NAMES = ("back-soon", "sorry")
SEGMENT_SEC = 2.0
WHOLE = Interval(start=0.0, end=SEGMENT_SEC)


def segment(
    *, bars: bool = False, slate: int | None = None, still: int | None = None, black: bool = False
) -> SegmentMeasurement:
    return SegmentMeasurement(
        duration_sec=SEGMENT_SEC,
        bars=[WHOLE] if bars else [],
        slates=[] if slate is None else [SlateRun(start=0.0, end=SEGMENT_SEC, number=slate)],
        slate_names=NAMES,
        still=[]
        if still is None
        else [StillRun(start=0.0, end=SEGMENT_SEC, picture=drawing(still))],
        black=[WHOLE] if black else [],
    )


def changes(
    segments: Sequence[SegmentMeasurement], rules: Thresholds = RULES
) -> list[IncidentChange]:
    detectors, found = MediaDetectors(), list[IncidentChange]()
    for number, each in enumerate(segments):
        detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
        found += detectors.feed(
            each, segment_position(number, SEGMENT_SEC * number, SEGMENT_SEC), rules
        )
    return found


def test_bars_are_one_incident_and_no_freeze() -> None:
    shown = [segment(bars=True, still=1)] * 12
    opened, closed = changes([segment(), *shown, *[segment()] * 3])
    assert isinstance(opened, IncidentOpened)
    assert (opened.kind, opened.reason) == (IncidentKind.TEST_SIGNAL, "bars")
    assert opened.details == {"explains": ["freeze"]}
    assert (closed.kind, closed.started_at) == (opened.kind, opened.started_at)


def test_bars_that_nobody_looks_for_are_a_freeze() -> None:
    off = RULES.model_copy(update={"test_signal_threshold_sec": 0.0})
    shown = [segment(bars=True, still=1)] * 12
    assert [it.kind for it in changes(shown, off)] == [IncidentKind.FREEZE]
    radio = RULES.model_copy(update={"expect": Expect.AUDIO})
    assert changes(shown, radio) == []


def test_a_slate_is_told_by_its_name() -> None:
    shown = [segment(slate=1, still=1)] * 6
    opened, closed = changes([*shown, *[segment()] * 2])
    assert opened.kind is IncidentKind.SLATE
    assert opened.details == {"slate": "sorry", "explains": ["freeze"]}
    assert closed.details == {"slate": "sorry"}


def test_a_dark_slate_is_no_blackout() -> None:
    assert [it.kind for it in changes([segment(slate=0, black=True)] * 8)] == [IncidentKind.SLATE]


def test_slates_that_are_not_known_for_a_moment_end_nothing() -> None:
    unknown = segment().model_copy(update={"slate_names": None})
    shown = [segment(slate=0)] * 6
    (opened,) = changes([*shown, *[unknown] * 5, segment(slate=0)])
    assert isinstance(opened, IncidentOpened)


def test_a_moment_in_which_a_card_is_not_recognised_parts_nothing() -> None:
    torn = segment().model_copy(update={"bars": [Interval(start=0.0, end=1.6)]})
    assert len(changes([*[segment(bars=True)] * 2, torn, *[segment(bars=True)] * 2])) == 1


@pytest.mark.parametrize("shown", [segment(bars=True), segment(slate=0)])
def test_a_card_is_a_warning_before_it_is_an_incident(shown: SegmentMeasurement) -> None:
    detectors = MediaDetectors()
    detectors.feed(shown, segment_position(0, 0, SEGMENT_SEC), RULES)
    assert detectors.health()[0] is Health.WARNING


def test_cards_are_looked_at_closely() -> None:
    detectors = MediaDetectors()
    detectors.feed(segment(bars=True), segment_position(0, 0, SEGMENT_SEC), RULES)
    assert detectors.probe_context(SEGMENT_SEC, Thresholds()).depth.name == "EVERYTHING"
