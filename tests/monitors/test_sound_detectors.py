"""The detectors of how the sound is, fed with figures that are cut in any way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from monitors.config import Expect, Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.sound_detectors import sound_checks
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.measurement import SegmentMeasurement
from monitors.sound import SoundChecks
from monitors.sound_figures import SoundFigures
from monitors.status import Health, IncidentKind
from tests.monitors.media_timeline import AIR_TIME, segment_position

BLOCK_SEC = 0.1
CUTS = [1.0, 2.0, 6.0, 3.7, 0.7]


@dataclass
class Sound:
    """Figures of a programme, by stream time in seconds."""

    duration_sec: float
    left: Callable[[float], float] = lambda _: -20.0
    right: Callable[[float], float] = lambda _: -20.0
    tone: Callable[[float], float | None] = lambda _: None
    loudness: Callable[[float], float] | None = None
    peak: Callable[[float], float] | None = None
    clipped: Callable[[float], bool] = lambda _: False
    correlation: Callable[[float], float | None] | None = None

    def segment(self, begin: float, end: float) -> SegmentMeasurement:
        count = max(1, int((end - begin + 1e-9) / BLOCK_SEC))
        times = [begin + (number + 0.5) * (end - begin) / count for number in range(count)]
        figures = SoundFigures(
            duration_sec=end - begin,
            channels=2,
            sample_rate_hz=48_000,
            left_dbfs=list(map(self.left, times)),
            right_dbfs=list(map(self.right, times)),
            tone_dbfs=list(map(self.tone, times)),
            loudness_lufs=list(map(self.loudness, times)) if self.loudness else [],
            true_peaks_dbtp=list(map(self.peak, times)) if self.peak else [],
            clipped=list(map(self.clipped, times)) if self.peak else [],
            correlations=list(map(self.correlation, times)) if self.correlation else [],
        )
        duration_sec = end - begin
        return SegmentMeasurement(
            duration_sec=duration_sec, has_video=False, audio_sec=duration_sec, figures=figures
        )


def changes_in(
    sound: Sound, segment_sec: float = 2.0, *, restarts: bool = False, **thresholds: object
) -> list[IncidentChange]:
    """Return what is reported; where a watch `restarts`, its state goes through JSON each time."""
    config = Thresholds.model_validate({"expect": "audio", **thresholds})
    detectors, changes = MediaDetectors(), list[IncidentChange]()
    for number in range(round(sound.duration_sec / segment_sec)):
        begin = number * segment_sec
        position = segment_position(number, begin, segment_sec)
        changes += detectors.feed(sound.segment(begin, begin + segment_sec), position, config)
        if restarts:
            detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
    return changes


def told(changes: Sequence[IncidentChange]) -> list[tuple[Any, ...]]:
    """Return kind, reason, beginning and end of each incident, in seconds."""
    found: list[tuple[Any, ...]] = []
    for change in changes:
        started_sec = (change.started_at - AIR_TIME).total_seconds()
        if isinstance(change, IncidentOpened):
            found.append((change.kind, change.reason, started_sec, None))
        else:
            kind, reason, since, _ = found.pop()
            found.append((kind, reason, since, (change.recovered_at - AIR_TIME).total_seconds()))
    return found


def silent_from(begin: float, end: float = 1e9) -> Callable[[float], float]:
    return lambda sec: -90.0 if begin <= sec < end else -20.0


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("segment_sec", CUTS)
def test_a_channel_that_stops_is_lost(segment_sec: float, restarts: bool) -> None:
    sound = Sound(140, left=silent_from(20, 100))
    [incident] = told(changes_in(sound, segment_sec, restarts=restarts))
    assert incident == (
        "channel_loss",
        "left",
        pytest.approx(20, abs=0.2),
        pytest.approx(100, abs=0.2),
    )


def test_the_alert_names_the_channel() -> None:
    [opened] = changes_in(Sound(100, right=silent_from(20)))
    assert isinstance(opened, IncidentOpened)
    assert opened.details == {"channel": "right"}
    assert opened.threshold_sec == 60


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(Sound(200, left=silent_from(0)), id="it was never heard"),
        pytest.param(Sound(200, left=silent_from(20), right=silent_from(20)), id="both are silent"),
        pytest.param(Sound(75, left=silent_from(20)), id="not long enough"),
        pytest.param(
            Sound(200, left=lambda sec: -55.0 if sec > 20 else -20.0), id="a channel that is low"
        ),
        pytest.param(
            Sound(200, left=lambda sec: -90.0 if sec % 20 < 15 else -20.0), id="it comes and goes"
        ),
    ],
)
def test_no_channel_is_lost(sound: Sound) -> None:
    assert told(changes_in(sound, silence_threshold_sec=0)) == []


@pytest.mark.parametrize("segment_sec", CUTS)
def test_pauses_of_who_is_heard_do_not_end_a_loss(segment_sec: float) -> None:
    sound = Sound(
        110, left=silent_from(20), right=lambda sec: -90.0 if sec % 7 < 2 and sec > 20 else -20.0
    )
    [incident] = told(changes_in(sound, segment_sec))
    assert incident == ("channel_loss", "left", pytest.approx(20, abs=1.2), None)


def test_a_loss_that_changes_sides_is_another_one() -> None:
    sound = Sound(250, left=silent_from(20, 100), right=silent_from(100))
    found = told(changes_in(sound))
    assert [(each[0], each[1]) for each in found] == [
        ("channel_loss", "left"),
        ("channel_loss", "right"),
    ]


@pytest.mark.parametrize("segment_sec", CUTS)
def test_a_tone_is_a_test_signal(segment_sec: float) -> None:
    sound = Sound(120, tone=lambda sec: -18.0 if 20 <= sec < 80 else None)
    changes = changes_in(sound, segment_sec)
    [incident] = told(changes)
    assert incident == (
        "test_signal",
        "tone",
        pytest.approx(20, abs=0.2),
        pytest.approx(80, abs=0.2),
    )
    assert changes[0].details == {"tone_dbfs": -18.0}


@pytest.mark.parametrize(
    ("tone", "is_told"),
    [
        pytest.param(lambda sec: -18.0 if sec % 3 > 0.3 else None, True, id="interrupted"),
        pytest.param(lambda sec: -18.0 if sec % 3 > 0.8 else None, False, id="often gone"),
        pytest.param(lambda sec: -18.0 - sec % 5, False, id="of changing level"),
        pytest.param(lambda sec: -18.0 - 0.3 * (sec % 2 > 1), True, id="of about one level"),
    ],
)
def test_a_tone_is_steady(tone: Callable[[float], float | None], is_told: bool) -> None:
    found = told(changes_in(Sound(60, tone=tone)))
    assert bool(found) is is_told


def test_a_tone_ends_where_the_sound_stops() -> None:
    config = Thresholds(expect=Expect.AUDIO)
    detectors, sound = MediaDetectors(), Sound(60, tone=lambda _: -18.0)
    changes: list[IncidentChange] = []
    for number in range(40):
        found = sound.segment(2 * number, 2 * number + 2)
        if number >= 30:
            found = SegmentMeasurement(duration_sec=2, has_video=False)
        changes += detectors.feed(found, segment_position(number, 2 * number, 2), config)
    assert detectors.causes() == []
    assert told(changes)[0] == ("test_signal", "tone", 0, 60)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("segment_sec", CUTS)
def test_loudness_over_the_window_has_a_target(segment_sec: float, restarts: bool) -> None:
    sound = Sound(120, loudness=lambda sec: -23.0 if sec < 40 else -17.0)
    changes = changes_in(
        sound, segment_sec, restarts=restarts, loudness_target_lufs=-23, loudness_window_sec=20
    )
    [incident] = told(changes)
    # A third of the window that is 6 LU louder makes it 3 LU louder.
    assert incident == ("loudness", "too_loud", pytest.approx(27.2, abs=0.5), None)
    details = changes[0].details
    assert details.pop("loudness_lufs") == pytest.approx(-19.9, abs=0.2)
    assert details == {"target_lufs": -23.0, "tolerance_lu": 3.0, "window_sec": 20.0}


def test_loudness_that_comes_back_recovers() -> None:
    sound = Sound(140, loudness=lambda sec: -30.0 if 40 <= sec < 80 else -23.0)
    [incident] = told(changes_in(sound, loudness_target_lufs=-23, loudness_window_sec=20))
    assert incident[:2] == ("loudness", "too_quiet")
    assert incident[3] == pytest.approx(90, abs=5)


def test_a_burst_is_told_before_the_window_is_full() -> None:
    sound = Sound(60, loudness=lambda sec: -23.0 if sec < 20 else -10.0)
    [incident] = told(changes_in(sound, loudness_target_lufs=-23))
    assert incident == ("loudness", "short_term_too_loud", pytest.approx(21.5, abs=1.5), None)


@pytest.mark.parametrize(
    "loudness",
    [
        pytest.param(lambda _: -25.9, id="within the tolerance"),
        pytest.param(lambda sec: -23.0 if sec % 10 < 5 else -90.0, id="pauses are gated"),
        pytest.param(lambda _: -120.0, id="silence has no loudness"),
        pytest.param(lambda sec: -23.0 if sec % 60 < 52 else -14.0, id="short bursts"),
    ],
)
def test_loudness_may_vary(loudness: Callable[[float], float]) -> None:
    changes = changes_in(
        Sound(150, loudness=loudness),
        loudness_target_lufs=-23,
        loudness_window_sec=60,
        loudness_tolerance_lu=4.5,
    )
    assert told(changes) == []


@pytest.mark.parametrize("segment_sec", CUTS)
def test_peaks_that_come_again_and_again_are_clipping(segment_sec: float) -> None:
    sound = Sound(60, peak=lambda sec: 0.3 if 10 <= sec < 30 and sec % 0.8 < 0.2 else -6.0)
    changes = changes_in(sound, segment_sec, true_peak_max_dbtp=-1)
    [incident] = told(changes)
    assert incident == (
        *("clipping", "true_peak"),
        *(pytest.approx(10.4, abs=0.5), pytest.approx(29.8, abs=0.5)),
    )
    assert changes[0].details == {"true_peak_dbtp": 0.3, "max_dbtp": -1.0}


def test_runs_at_full_scale_are_clipping() -> None:
    sound = Sound(60, peak=lambda _: -2.0, clipped=lambda sec: sec > 20)
    [incident] = told(changes_in(sound, true_peak_max_dbtp=-1))
    assert incident[:2] == ("clipping", "full_scale_run")


def test_a_peak_now_and_then_is_no_clipping() -> None:
    sound = Sound(60, peak=lambda sec: 0.3 if sec % 3 < 0.2 else -6.0)
    assert told(changes_in(sound, true_peak_max_dbtp=-1)) == []


@pytest.mark.parametrize("segment_sec", CUTS)
def test_left_and_right_that_cancel_each_other_are_told(segment_sec: float) -> None:
    sound = Sound(60, correlation=lambda sec: -0.97 if 20 <= sec < 40 else 0.6)
    changes = changes_in(sound, segment_sec, phase_threshold_sec=10)
    [incident] = told(changes)
    assert incident == ("phase", None, pytest.approx(20, abs=0.2), pytest.approx(40, abs=0.2))
    assert changes[0].details == {"correlation": -0.97}


@pytest.mark.parametrize("correlation", [-0.49, 0.0, 1.0, None])
def test_wide_stereo_and_mono_are_no_fault(correlation: float | None) -> None:
    sound = Sound(60, correlation=lambda _: correlation)
    assert told(changes_in(sound, phase_threshold_sec=10)) == []


def test_what_is_off_is_not_measured() -> None:
    assert sound_checks(Thresholds()) == SoundChecks(0)
    wanted = Thresholds(loudness_target_lufs=-23, true_peak_max_dbtp=-1, phase_threshold_sec=10)
    assert sound_checks(wanted) == SoundChecks.LOUDNESS | SoundChecks.PEAKS | SoundChecks.PHASE
    assert sound_checks(wanted.model_copy(update={"expect": Expect.VIDEO})) == SoundChecks(0)


def test_what_is_switched_off_while_it_is_open_ends() -> None:
    sound, detectors = Sound(100, left=silent_from(10)), MediaDetectors()
    changes: list[IncidentChange] = []
    for number in range(50):
        threshold_sec = 60 if number < 45 else 0
        config = Thresholds(expect=Expect.AUDIO, channel_loss_threshold_sec=threshold_sec)
        position = segment_position(number, 2 * number, 2)
        changes += detectors.feed(sound.segment(2 * number, 2 * number + 2), position, config)
    assert [type(each) for each in changes] == [IncidentOpened, IncidentClosed]


def test_mono_that_is_checked_for_nothing_has_its_level() -> None:
    figures = SoundFigures(
        duration_sec=2.0, channels=1, sample_rate_hz=24_000, channels_dbfs=[-21.5]
    )
    segment = SegmentMeasurement(duration_sec=2.0, has_video=False, audio_sec=2.0, figures=figures)
    detectors = MediaDetectors()
    detectors.feed(segment, segment_position(0, 0.0, 2.0), Thresholds())
    assert detectors.sound.levels.channels_dbfs == [-21.5]


def test_health_and_levels_are_those_of_the_latest_sound() -> None:
    detectors = MediaDetectors()
    sound = Sound(100, left=silent_from(10), loudness=lambda _: -23.0)
    config = Thresholds(expect=Expect.AUDIO, loudness_target_lufs=-23)
    changes: list[IncidentChange] = []
    for number in range(50):
        position = segment_position(number, 2 * number, 2)
        changes += detectors.feed(sound.segment(2 * number, 2 * number + 2), position, config)
    assert detectors.health() == (Health.UNKNOWN, Health.ERROR)
    assert [each.kind for each in changes] == [IncidentKind.CHANNEL_LOSS]
    assert detectors.sound.levels.short_term_lufs == pytest.approx(-23.0)
    assert detectors.sound.levels.momentary_lufs == pytest.approx(-23.0)


def test_the_state_stays_small() -> None:
    detectors = MediaDetectors()
    config = Thresholds(expect=Expect.AUDIO, loudness_target_lufs=-23)
    sound = Sound(1000, loudness=lambda sec: -23.0 - sec % 7)
    for number in range(110):
        position = segment_position(number, 6 * number, 6)
        detectors.feed(sound.segment(6 * number, 6 * number + 6), position, config)
    assert len(detectors.model_dump_json()) < 8_000
