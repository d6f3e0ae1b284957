from monitors.config import Thresholds
from monitors.detectors.stream_faults import SegmentErrorDetector
from monitors.incidents import IncidentClosed, IncidentOpened
from monitors.status import IncidentKind
from tests.monitors.media_timeline import wall_clock

RULES = Thresholds(segment_error_threshold_sec=60)
OFF = Thresholds(segment_error_threshold_sec=0)


def test_an_error_that_lasts_is_an_incident_until_the_first_success() -> None:
    state = SegmentErrorDetector()
    assert state.failed("HTTP 404", wall_clock(0), RULES) == []
    state = SegmentErrorDetector.model_validate_json(state.model_dump_json())
    assert state.failed("HTTP 404", wall_clock(59.9), RULES) == []
    assert state.failed("HTTP 503", wall_clock(60), RULES) == [
        IncidentOpened(
            kind=IncidentKind.SEGMENT_ERROR,
            started_at=wall_clock(0),
            duration_sec=60,
            threshold_sec=60,
            reason="HTTP 503",
        )
    ]
    assert state.failed("HTTP 503", wall_clock(70), RULES) == []
    state = SegmentErrorDetector.model_validate_json(state.model_dump_json())
    assert state.succeeded(wall_clock(80)) == [
        IncidentClosed(
            kind=IncidentKind.SEGMENT_ERROR,
            started_at=wall_clock(0),
            recovered_at=wall_clock(80),
            total_duration_sec=80,
        )
    ]
    assert state.succeeded(wall_clock(81)) == []


def test_one_success_starts_the_count_anew() -> None:
    state = SegmentErrorDetector()
    for sec in range(0, 300, 30):
        assert state.failed("truncated", wall_clock(sec), RULES) == []
        assert state.succeeded(wall_clock(sec + 1)) == []


def test_a_clock_that_is_set_back_breaks_nothing() -> None:
    state = SegmentErrorDetector()
    assert state.failed("HTTP 404", wall_clock(0), RULES) == []
    assert state.failed("HTTP 404", wall_clock(-3600), RULES) == []
    assert state.failed("HTTP 404", wall_clock(-3541), RULES) == []
    [opened] = state.failed("HTTP 404", wall_clock(-3540), RULES)
    assert isinstance(opened, IncidentOpened)
    assert opened.duration_sec == 60


def test_the_detector_can_be_switched_off() -> None:
    state = SegmentErrorDetector()
    assert state.failed("HTTP 404", wall_clock(0), OFF) == []
    assert state.failed("HTTP 404", wall_clock(1000), OFF) == []


def test_an_open_incident_closes_when_its_detector_is_switched_off() -> None:
    state = SegmentErrorDetector()
    state.failed("HTTP 404", wall_clock(0), RULES)
    state.failed("HTTP 404", wall_clock(60), RULES)
    [closed] = state.failed("HTTP 404", wall_clock(65), OFF)
    assert isinstance(closed, IncidentClosed)
    assert closed.total_duration_sec == 65


def test_time_in_which_nothing_could_be_seen_is_no_failure() -> None:
    state = SegmentErrorDetector()
    assert state.failed("HTTP 403", wall_clock(0), RULES) == []
    state.unobserved(wall_clock(900))
    assert state.failed("HTTP 403", wall_clock(959), RULES) == []
    [opened] = state.failed("HTTP 403", wall_clock(960), RULES)
    assert isinstance(opened, IncidentOpened)
    assert opened.duration_sec == 60
