"""Silence of sound tracks beside the first."""

import pytest

from monitors.config import AudioTracks, Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.incidents import IncidentChange
from monitors.measurement import AdditionalAudio, Interval, SegmentMeasurement, Unmeasurable
from monitors.status import Health, IncidentKind
from tests.monitors.media_timeline import segment_position

ALL = Thresholds(silence_threshold_sec=6, recovery_sec=2, audio_tracks=AudioTracks.ALL)
FIRST = ALL.model_copy(update={"audio_tracks": AudioTracks.FIRST})
WHOLE = [Interval(start=0.0, end=2.0)]


def segment(**second: object) -> SegmentMeasurement:
    more = AdditionalAudio.model_validate({"index": 2, "audio_language": "deu", **second})
    return SegmentMeasurement(duration_sec=2.0, additional_audio=[more])


LOUD, QUIET, EMPTY = segment(), segment(silent=WHOLE), segment(audio_gaps=WHOLE)
GONE = SegmentMeasurement(duration_sec=2.0)
UNKNOWN = segment(unmeasurable=Unmeasurable(codec="ac-4", reason="unsupported_codec"))


def fed(
    detectors: MediaDetectors,
    segments: list[SegmentMeasurement],
    thresholds: Thresholds = ALL,
    first: int = 0,
) -> list[IncidentChange]:
    changes: list[IncidentChange] = []
    for number, each in enumerate(segments, first):
        position = segment_position(number, 2.0 * number, 2.0)
        changes += detectors.feed(each, position, thresholds)
    return changes


@pytest.mark.parametrize(
    ("segment", "reason"),
    [(QUIET, "below_threshold"), (EMPTY, "audio_missing"), (GONE, "no_audio_track")],
)
def test_a_silence_names_its_track(segment: SegmentMeasurement, reason: str) -> None:
    detectors = MediaDetectors()
    opened, closed = fed(detectors, [LOUD, *[segment] * 4, LOUD, LOUD])
    assert (opened.kind, opened.change, closed.change) == (IncidentKind.SILENCE, "opened", "closed")
    assert opened.details["track"] == closed.details["track"] == "audio 2"
    assert getattr(opened, "reason", None) == reason


def test_two_tracks_are_silent_at_the_same_time() -> None:
    both = QUIET.model_copy(update={"silent": WHOLE})
    detectors = MediaDetectors()
    opened = fed(detectors, [both] * 4)
    assert [change.details["track"] for change in opened] == ["audio 1", "audio 2"]
    assert detectors.health()[1] is Health.ERROR
    restored = MediaDetectors.model_validate_json(detectors.model_dump_json())
    closed = fed(restored, [LOUD], first=4)
    assert [change.details["track"] for change in closed] == ["audio 1", "audio 2"]


def test_a_track_that_cannot_be_measured_is_no_fault() -> None:
    assert fed(MediaDetectors(), [UNKNOWN] * 9) == []


def test_an_incident_ends_when_its_track_is_measured_no_more() -> None:
    detectors = MediaDetectors()
    fed(detectors, [QUIET] * 4)
    (closed,) = fed(detectors, [GONE], FIRST, first=4)
    assert (closed.change, closed.details["track"]) == ("closed", "audio 2")
    assert detectors.additional == {}


@pytest.mark.parametrize(("before", "is_missed"), [(29, True), (30, False)])
def test_an_additional_audio_track_is_missed_that_was_there_in_the_first_minute(
    before: int, is_missed: bool
) -> None:
    changes = fed(MediaDetectors(), [*[GONE] * before, LOUD, *[GONE] * 4])
    assert [change.change for change in changes] == (["opened"] if is_missed else [])
