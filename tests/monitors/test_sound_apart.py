"""Sound that comes apart from pictures, whose timestamps tell what its playlist does not."""

from collections.abc import Iterable
from typing import NamedTuple

import pytest

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.incidents import IncidentChange, IncidentClosed
from monitors.measurement import Interval, SegmentMeasurement, nothing_of
from tests.monitors.media_timeline import segment_position

RULES = Thresholds(silence_threshold_sec=3, recovery_sec=1)


class Segment(NamedTuple):
    """What a segment of sound declares, and where its samples are by their timestamps."""

    duration_sec: float
    begins_sec: float
    length_sec: float


def measured(segment: Segment) -> SegmentMeasurement:
    """Return what a decoder finds, which knows of no other segment."""
    duration_sec, begins_sec, length_sec = segment
    if length_sec == 0:
        return nothing_of(("audio",), duration_sec)
    gap = Interval(start=length_sec, end=duration_sec)
    return SegmentMeasurement(
        duration_sec=duration_sec,
        has_video=False,
        audio_gaps=[gap] if gap.end > gap.start else [],
        audio_sec=length_sec,
        audio_ahead_sec=max(0.0, length_sec - duration_sec),
        audio_begins_sec=begins_sec,
    )


def heard(segments: Iterable[Segment], *, discontinuity_at: int = -1) -> list[IncidentChange]:
    detectors = MediaDetectors(tracks=frozenset({"audio"}))
    changes, at_sec = list[IncidentChange](), 0.0
    for number, segment in enumerate(segments):
        detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
        if number == discontinuity_at:
            detectors.expect_new_timestamps()
        position = segment_position(number, at_sec, segment.duration_sec)
        changes += detectors.feed(measured(segment), position, RULES)
        at_sec += segment.duration_sec
    return changes


def whole(first_sec: float, count: int) -> list[Segment]:
    return [Segment(2.0, first_sec + 2 * number, 2.0) for number in range(count)]


@pytest.mark.parametrize(
    "around",
    [
        pytest.param([Segment(0.4, 104, 0.4), Segment(1.6, 110.4, 1.6)], id="no segment at all"),
        pytest.param(
            [Segment(2, 104, 0.4), *2 * [Segment(2, 0, 0)], Segment(2, 110.4, 1.6)],
            id="empty segments by the clock",
        ),
        pytest.param(
            [Segment(2, 104, 0.4), Segment(2, 110.4, 1.6)], id="segments of the declared length"
        ),
        pytest.param([Segment(2, 104, 0.4), Segment(1.6, 110.4, 1.6)], id="a tail, then a hole"),
    ],
)
def test_sound_that_stops_between_two_segments_is_missing(around: list[Segment]) -> None:
    changes = heard([*whole(100, 2), *around, *whole(112, 3)])
    assert [change.kind for change in changes] == ["silence", "silence"]
    closed = changes[-1]
    assert isinstance(closed, IncidentClosed)
    assert closed.total_duration_sec == pytest.approx(6.0, abs=0.001)


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([Segment(2, 0, 2)] * 8, id="timestamps that begin anew in each segment"),
        pytest.param([Segment(2, 2.4 * n, 2.4) for n in range(8)], id="durations that are too low"),
        pytest.param([Segment(2, 1.8 * n, 1.8) for n in range(8)], id="and too high"),
        pytest.param([*whole(0, 4), *whole(500, 4)], id="a jump that is too long for a hole"),
        pytest.param([*whole(95_440, 4), *whole(0, 4)], id="timestamps that wrap"),
    ],
)
def test_timestamps_of_another_clock_are_no_missing_sound(segments: list[Segment]) -> None:
    assert heard(segments) == []


def test_a_discontinuity_begins_new_timestamps() -> None:
    segments = [*whole(0, 4), *whole(20, 4)]
    assert heard(segments)
    assert heard(segments, discontinuity_at=4) == []
