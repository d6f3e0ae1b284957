"""Which tracks a stream is meant to have, and what a missing one is then."""

import pytest

from monitors.config import Expect, Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.incidents import IncidentChange
from monitors.measurement import Interval, SegmentMeasurement, Track, Unmeasurable
from monitors.status import Health, IncidentKind
from tests.monitors.media_timeline import segment_position

RULES = Thresholds(
    blackout_threshold_sec=6, silence_threshold_sec=6, freeze_threshold_sec=10, recovery_sec=2
)
WHOLE = [Interval(start=0.0, end=2.0)]
BOTH = SegmentMeasurement(duration_sec=2.0)
SOUND = SegmentMeasurement(duration_sec=2.0, has_video=False)
PICTURE = SegmentMeasurement(duration_sec=2.0, has_audio=False)
DARK = SegmentMeasurement(duration_sec=2.0, black=WHOLE)
QUIET = SegmentMeasurement(duration_sec=2.0, silent=WHOLE)
BLACKOUT, SILENCE = IncidentKind.BLACKOUT, IncidentKind.SILENCE
UNKNOWN, OK, ERROR = Health.UNKNOWN, Health.OK, Health.ERROR


def detectors_of(*declared: Track) -> MediaDetectors:
    return MediaDetectors(known=frozenset(declared))


def fed(
    detectors: MediaDetectors,
    segments: list[SegmentMeasurement],
    expect: Expect = Expect.AUTO,
    first: int = 0,
) -> list[IncidentChange]:
    rules, changes = RULES.model_copy(update={"expect": expect}), list[IncidentChange]()
    for number, measurement in enumerate(segments, first):
        changes += detectors.feed(measurement, segment_position(number, 2.0 * number, 2.0), rules)
    return changes


@pytest.mark.parametrize(
    ("segments", "declared", "expect", "opened", "health"),
    [
        pytest.param([SOUND] * 9, [], "auto", [], (UNKNOWN, OK), id="a radio"),
        pytest.param([PICTURE] * 9, [], "auto", [], (OK, UNKNOWN), id="a camera"),
        pytest.param(
            [PICTURE] * 9, ["audio"], "auto", [SILENCE], (OK, ERROR), id="sound is declared"
        ),
        pytest.param(
            [SOUND] * 9, ["video"], "auto", [BLACKOUT], (ERROR, OK), id="a picture is declared"
        ),
        pytest.param(
            [BOTH, *[PICTURE] * 9], [], "auto", [SILENCE], (OK, ERROR), id="sound vanishes"
        ),
        pytest.param(
            [PICTURE, BOTH, *[SOUND] * 9], [], "auto", [BLACKOUT], (ERROR, OK), id="came later"
        ),
        pytest.param([PICTURE] * 9, [], "av", [SILENCE], (OK, ERROR), id="both are wanted"),
        pytest.param([SOUND] * 9, [], "av", [BLACKOUT], (ERROR, OK), id="both, and there is one"),
        pytest.param([SOUND] * 9, ["video"], "audio", [], (UNKNOWN, OK), id="sound is wanted"),
        pytest.param([PICTURE] * 9, [], "audio", [SILENCE], (UNKNOWN, ERROR), id="no sound"),
        pytest.param([DARK] * 9, [], "audio", [], (UNKNOWN, OK), id="nobody looks"),
        pytest.param([QUIET] * 9, [], "video", [], (OK, UNKNOWN), id="nobody listens"),
        pytest.param([SOUND] * 9, [], "video", [BLACKOUT], (ERROR, UNKNOWN), id="no picture"),
    ],
)
def test_a_track_is_missed_where_it_is_expected(
    segments: list[SegmentMeasurement],
    declared: list[Track],
    expect: str,
    opened: list[IncidentKind],
    health: tuple[Health, Health],
) -> None:
    detectors = detectors_of(*declared)
    changes = fed(detectors, segments, Expect(expect))
    assert [change.kind for change in changes] == opened
    assert detectors.health() == health


def test_an_incident_ends_when_its_track_is_no_longer_wanted() -> None:
    detectors = detectors_of("audio", "video")
    fed(detectors, [QUIET] * 4)
    (closed,) = fed(detectors, [QUIET], Expect.VIDEO, first=4)
    assert (closed.kind, closed.change) == (SILENCE, "closed")


@pytest.mark.parametrize("track", ["video", "audio"])
def test_what_cannot_be_measured_is_unknown_and_no_fault(track: Track) -> None:
    why = Unmeasurable(codec="vvc1", reason="unsupported_codec")
    found = SegmentMeasurement(duration_sec=2.0, unmeasurable={track: why})
    detectors = detectors_of("audio", "video")
    assert fed(detectors, [BOTH, *[found] * 20]) == []
    expected = (UNKNOWN, OK) if track == "video" else (OK, UNKNOWN)
    assert detectors.health() == expected
    assert fed(detectors, [BOTH], first=21) == []
    assert detectors.health() == (OK, OK)


MINUTE = 30
"""Segments in it."""


@pytest.mark.parametrize(
    ("usual", "other", "kind"),
    [
        pytest.param(SOUND, BOTH, BLACKOUT, id="a radio shows a picture"),
        pytest.param(PICTURE, BOTH, SILENCE, id="a camera makes a sound"),
    ],
)
@pytest.mark.parametrize(("at", "is_missed"), [(MINUTE - 1, True), (MINUTE, False)])
def test_a_track_is_expected_that_was_there_in_the_first_minute(
    usual: SegmentMeasurement,
    other: SegmentMeasurement,
    kind: IncidentKind,
    at: int,
    is_missed: bool,
) -> None:
    detectors = detectors_of()
    changes = fed(detectors, [usual] * at)
    detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
    changes += fed(detectors, [other, *[usual] * 9], first=at)
    assert [change.kind for change in changes] == ([kind] if is_missed else [])


def test_what_is_declared_is_expected_though_it_was_never_there() -> None:
    detectors = detectors_of("video")
    (opened,) = fed(detectors, [SOUND] * 2 * MINUTE)
    assert opened.kind == BLACKOUT


@pytest.mark.parametrize(
    ("usual", "faulty", "kind"), [(SOUND, DARK, BLACKOUT), (PICTURE, QUIET, SILENCE)]
)
def test_an_incident_ends_with_a_track_that_nobody_misses(
    usual: SegmentMeasurement, faulty: SegmentMeasurement, kind: IncidentKind
) -> None:
    detectors = detectors_of()
    opened, closed = fed(detectors, [*[usual] * MINUTE, *[faulty] * 4, usual])
    assert (opened.kind, closed.kind, closed.change) == (kind, kind, "closed")


def test_an_incident_of_a_missing_track_ends_when_it_is_no_longer_wanted() -> None:
    detectors = detectors_of("audio", "video")
    fed(detectors, [SOUND] * 4)
    (closed,) = fed(detectors, [SOUND], Expect.AUDIO, first=4)
    assert (closed.kind, closed.change) == (BLACKOUT, "closed")
