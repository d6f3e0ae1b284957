from datetime import timedelta
from typing import Any

import pytest

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.incidents import IncidentClosed, IncidentOpened, SegmentInfo
from monitors.measurement import Interval, SegmentMeasurement
from monitors.status import Health, IncidentKind
from tests.monitors.media_timeline import (
    Incident,
    Programme,
    Span,
    every,
    incidents,
    segment_position,
    wall_clock,
    watch,
)

BLACKOUT, SILENCE = IncidentKind.BLACKOUT, IncidentKind.SILENCE
RULES = Thresholds(blackout_threshold_sec=10, silence_threshold_sec=10, recovery_sec=5)


@pytest.mark.parametrize(
    ("faults", "thresholds", "expected"),
    [
        pytest.param([], {}, [], id="good media"),
        pytest.param([(3, 12.9)], {}, [], id="a fault just too short"),
        pytest.param([(3, 13)], {}, [(3, 13, 10)], id="a fault just long enough"),
        pytest.param([(0, 20)], {}, [(0, 20, 20)], id="faulty from the first moment"),
        pytest.param([(30, 60)], {}, [(30, None, None)], id="faulty to the end"),
        pytest.param([(30, 57)], {}, [(30, None, None)], id="too little good media to recover"),
        pytest.param([(3, 8), (8.04, 14)], {}, [(3, 14, 11)], id="a gap of one frame is no gap"),
        pytest.param([(3, 8), (8.04, 13)], {}, [(3, 13, 10)], id="a joint counts as faulty"),
        pytest.param([(3, 12), (12.2, 21)], {}, [], id="a gap of some frames is one"),
        pytest.param([(3, 15), (19, 21)], {}, [(3, 21, 18)], id="a relapse continues the incident"),
        pytest.param([(3, 15), (17, 17.5)], {}, [(3, 15, 12)], id="a blink is no relapse"),
        pytest.param(
            [(3, 15), (17, 17.9), (20.5, 31)],
            {},
            [(3, 15, 12), (20.5, 31, 10.5)],
            id="a blink counts as good media",
        ),
        pytest.param([(3, 15), (21, 33)], {}, [(3, 15, 12), (21, 33, 12)], id="two incidents"),
        pytest.param(
            [(3, 15), (15.2, 26)],
            {"recovery_sec": 0},
            [(3, 15, 12), (15.2, 26, 10.8)],
            id="recovery at the first good moment",
        ),
        pytest.param(
            [(3, 8), (8.03, 14)],
            {"recovery_sec": 0},
            [(3, 14, 11)],
            id="a joint is no first good moment",
        ),
        pytest.param(
            [(3, 50)],
            {"blackout_threshold_sec": 0, "silence_threshold_sec": 0},
            [],
            id="switched off",
        ),
        pytest.param(
            [(3, 3.6), (8, 8.4)],
            {"blackout_threshold_sec": 0.5, "silence_threshold_sec": 0.5, "recovery_sec": 1},
            [(3, 3.6, 0.6)],
            id="a threshold under a second",
        ),
    ],
)
@pytest.mark.parametrize("segment_sec", [0.1, 2.0, 6.0, 60.0])
def test_continuous_faults_are_incidents(
    segment_sec: float,
    faults: list[Span],
    thresholds: dict[str, float],
    expected: list[tuple[float, float | None, float | None]],
) -> None:
    programme = Programme(60, black=faults, silent=faults)
    rules = RULES.model_copy(update=thresholds)
    found = incidents(watch(programme, every(segment_sec, 60), rules))
    assert of_kind(BLACKOUT, found) == [pytest.approx(times) for times in expected]
    assert of_kind(SILENCE, found) == [pytest.approx(times) for times in expected]


def of_kind(
    kind: IncidentKind, found: list[Incident]
) -> list[tuple[float, float | None, float | None]]:
    return [times for found_kind, *rest in found if found_kind is kind for times in [tuple(rest)]]  # type: ignore[misc]


def test_an_opening_tells_where_and_how_long() -> None:
    opened = watch(Programme(12, black=[(1, 12)]), every(4, 12), RULES)
    assert opened == [
        IncidentOpened(
            kind=BLACKOUT,
            started_at=wall_clock(1),
            duration_sec=11,
            threshold_sec=10,
            segment=SegmentInfo(sequence=102, duration=4),
        )
    ]


def test_times_are_told_by_the_clock_of_the_segment_they_lie_in() -> None:
    detectors, late = MediaDetectors(), timedelta(minutes=1)
    first, second = segment_position(0, 0, 10), segment_position(1, 10, 10)
    detectors.feed(segment(10, black=[(4, 10)]), first, RULES)
    later = second.model_copy(update={"starts_at": second.starts_at + late})
    _opened, closed = detectors.feed(segment(10, black=[(0, 5)]), later, RULES)
    assert closed == IncidentClosed(
        kind=BLACKOUT,
        started_at=wall_clock(4),
        recovered_at=wall_clock(15) + late,
        total_duration_sec=11,
    )


def segment(duration_sec: float, **found: Any) -> SegmentMeasurement:
    spans = {"black", "silent"} & found.keys()
    intervals = {name: [Interval(start=a, end=b) for a, b in found.pop(name)] for name in spans}
    return SegmentMeasurement(duration_sec=duration_sec, **intervals, **found)


@pytest.mark.parametrize(
    ("measurement", "kind", "reason"),
    [
        pytest.param(segment(12, has_video=False), BLACKOUT, "no_video_track", id="no picture"),
        pytest.param(segment(12, has_audio=False), SILENCE, "no_audio_track", id="no sound"),
        pytest.param(segment(12, silent=[(0, 12)]), SILENCE, "below_threshold", id="silent"),
        pytest.param(segment(12, black=[(0, 12)]), BLACKOUT, None, id="black"),
    ],
)
def test_incidents_name_their_reason(
    measurement: SegmentMeasurement, kind: IncidentKind, reason: str | None
) -> None:
    [opened] = MediaDetectors().feed(measurement, segment_position(0, 0, 12), RULES)
    assert isinstance(opened, IncidentOpened)
    assert (opened.kind, opened.reason) == (kind, reason)


def test_the_reason_is_that_of_the_moment_when_the_threshold_was_reached() -> None:
    detectors = MediaDetectors()
    assert detectors.feed(segment(6, silent=[(0, 6)]), segment_position(0, 0, 6), RULES) == []
    [opened] = detectors.feed(segment(6, has_audio=False), segment_position(1, 6, 6), RULES)
    assert isinstance(opened, IncidentOpened)
    assert opened.reason == "no_audio_track"


@pytest.mark.parametrize("track", ["video", "audio"])
def test_a_track_that_is_not_carried_is_not_missed(track: str) -> None:
    detectors = MediaDetectors(tracks={track})
    measurement = segment(60, has_video=track == "video", has_audio=track == "audio")
    assert detectors.feed(measurement, segment_position(0, 0, 60), RULES) == []
    expected = (Health.OK, Health.UNKNOWN) if track == "video" else (Health.UNKNOWN, Health.OK)
    assert detectors.health() == expected


def test_unknown_media_counts_toward_nothing_but_stream_time_moves_on() -> None:
    detectors = MediaDetectors()
    assert detectors.feed(segment(6, black=[(0, 6)]), segment_position(0, 0, 6), RULES) == []
    detectors.skip(30)
    assert detectors.feed(segment(3, black=[(0, 3)]), segment_position(6, 36, 3), RULES) == []
    [opened] = detectors.feed(segment(3, black=[(0, 1)]), segment_position(7, 39, 3), RULES)
    detectors.skip(30)
    assert detectors.feed(segment(2), segment_position(13, 72, 2), RULES) == []
    [closed] = detectors.feed(segment(1), segment_position(14, 74, 1), RULES)
    assert isinstance(opened, IncidentOpened)
    assert opened.duration_sec == pytest.approx(40)
    assert isinstance(closed, IncidentClosed)
    assert closed.total_duration_sec == pytest.approx(40)
    assert closed.recovered_at == wall_clock(40)


def test_the_first_good_moment_after_unknown_media_is_the_first_that_was_seen() -> None:
    detectors = MediaDetectors()
    detectors.feed(segment(12, black=[(0, 12)]), segment_position(0, 0, 12), RULES)
    [closed] = detectors.feed(segment(6), segment_position(2, 18, 6), RULES)
    assert isinstance(closed, IncidentClosed)
    assert closed.recovered_at == wall_clock(18)
    assert closed.total_duration_sec == pytest.approx(18)


def test_stream_time_that_starts_anew_does_not_disturb_a_fault() -> None:
    detectors = MediaDetectors()
    assert detectors.feed(segment(6, black=[(0, 6)]), segment_position(0, 500, 6), RULES) == []
    [opened] = detectors.feed(segment(6, black=[(0, 6)]), segment_position(0, 0, 6), RULES)
    assert isinstance(opened, IncidentOpened)
    assert opened.duration_sec == pytest.approx(12)


def test_media_that_the_playlist_promised_and_nobody_saw_parts_no_fault() -> None:
    detectors = MediaDetectors()
    for number in range(2):
        at = segment_position(number, number * 6, 6)
        assert detectors.feed(segment(4.8, black=[(0, 4.8)]), at, RULES) == []
    [opened] = detectors.feed(segment(6, black=[(0, 6)]), segment_position(2, 12, 6), RULES)
    assert isinstance(opened, IncidentOpened)
    assert opened.started_at == wall_clock(0)


def test_thresholds_may_change_while_a_fault_grows() -> None:
    detectors = MediaDetectors()
    assert detectors.feed(segment(8, black=[(0, 8)]), segment_position(0, 0, 8), RULES) == []
    lower = RULES.model_copy(update={"blackout_threshold_sec": 5})
    [opened] = detectors.feed(segment(1, black=[(0, 1)]), segment_position(1, 8, 1), lower)
    assert isinstance(opened, IncidentOpened)
    assert opened.threshold_sec == 5
    higher = RULES.model_copy(update={"blackout_threshold_sec": 500})
    [closed] = detectors.feed(segment(8, black=[(0, 1)]), segment_position(2, 9, 8), higher)
    assert isinstance(closed, IncidentClosed)
    assert closed.total_duration_sec == pytest.approx(10)


def test_an_open_incident_closes_when_its_detector_is_switched_off() -> None:
    detectors = MediaDetectors()
    detectors.feed(segment(12, black=[(0, 12)]), segment_position(0, 0, 12), RULES)
    off = RULES.model_copy(update={"blackout_threshold_sec": 0})
    [closed] = detectors.feed(segment(6, black=[(0, 6)]), segment_position(1, 12, 6), off)
    assert isinstance(closed, IncidentClosed)
    assert closed.recovered_at == wall_clock(12)
    assert closed.total_duration_sec == pytest.approx(12)


def test_sums_of_tenths_reach_the_threshold() -> None:
    programme = Programme(10, black=[(0, 10)])
    [opened] = watch(programme, [sum([0.1] * count) for count in range(1, 100)], RULES)
    assert isinstance(opened, IncidentOpened)


def test_health_follows_the_faults() -> None:
    detectors = MediaDetectors()
    assert detectors.health() == (Health.UNKNOWN, Health.UNKNOWN)
    seen = []
    media = [[], [(5.5, 6)], [(0, 6)], [(0, 6)], [(0, 1)], []]
    for number, black in enumerate(media):
        at = segment_position(number, number * 6, 6)
        detectors.feed(segment(6, black=black), at, RULES)
        seen.append(detectors.health())
    video = [Health.OK, Health.OK, Health.WARNING, Health.ERROR, Health.OK, Health.OK]
    assert seen == [(health, Health.OK) for health in video]


@pytest.mark.parametrize(("error", "kind"), [("video_error", SILENCE), ("audio_error", BLACKOUT)])
def test_a_track_that_cannot_be_decoded_is_passed_over_and_the_other_judged(
    error: str, kind: IncidentKind
) -> None:
    detectors = MediaDetectors()
    found = segment(12, silent=[(0, 12)], black=[(0, 12)], **{error: "broken"})
    changes = detectors.feed(found, segment_position(0, 0, 12), RULES)
    assert [change.kind for change in changes] == [kind]
    assert detectors.error_of(found) == "broken"


def test_nobody_minds_a_broken_track_that_others_judge() -> None:
    detectors = MediaDetectors(tracks=frozenset({"audio"}))
    assert detectors.error_of(segment(2, video_error="broken")) == ""
