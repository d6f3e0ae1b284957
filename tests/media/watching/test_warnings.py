"""A warning says which faults are seen; an incident speaks for itself."""

from media.watching.state import WatchState
from monitors.config import Thresholds
from monitors.measurement import Interval, SegmentMeasurement
from monitors.status import Health, IncidentKind
from tests.monitors.media_timeline import segment_position

WHOLE = [Interval(start=0.0, end=4.0)]
RULES = Thresholds(blackout_threshold_sec=8, silence_threshold_sec=16, recovery_sec=2)
BLACK, SILENT = "black or missing picture", "silent or missing sound"


def test_a_warning_names_the_faults_until_they_are_incidents_or_gone() -> None:
    state = WatchState()
    state.carry({"main": frozenset({"video", "audio"})})
    faulty = SegmentMeasurement(duration_sec=4.0, black=WHOLE, silent=WHOLE)
    seen = []
    for number, media in enumerate([faulty, faulty, SegmentMeasurement(duration_sec=4.0)]):
        position = segment_position(number, 4.0 * number, 4.0)
        changes = state.tracks["main"].detectors.feed(media, position, RULES)
        state.note(changes, position.starts_at, RULES, media_until=position.wall_clock(4.0))
        health = state.health()
        seen.append((health.video, health.audio, health.reason))
    assert seen == [
        (Health.WARNING, Health.WARNING, f"{BLACK}, {SILENT}"),
        (Health.ERROR, Health.WARNING, SILENT),
        (Health.OK, Health.OK, None),
    ]
    assert state.statistics.blackout_events == 1


def test_a_missing_report_of_one_kind_hides_no_other() -> None:
    state = WatchState()
    state.carry({"main": frozenset({"video", "audio"})})
    bars = SegmentMeasurement(duration_sec=4.0, bars=WHOLE, silent=WHOLE)
    state.tracks["main"].detectors.feed(bars, segment_position(0, 0.0, 4.0), RULES)
    assert state.health().reason == f"test signal, {SILENT}"
    assert IncidentKind.TEST_SIGNAL not in state.open_incidents()
