import pytest

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.frames import STILL_GAP_SEC
from monitors.incidents import IncidentOpened
from monitors.status import Health, IncidentKind
from tests.monitors.media_timeline import (
    Programme,
    StillSpan,
    colourless,
    drawing,
    every,
    incidents,
    segment_position,
    shifted,
    wall_clock,
    watch,
    with_coding_noise,
)

FREEZE, BLACKOUT = IncidentKind.FREEZE, IncidentKind.BLACKOUT
A, B = drawing(1), drawing(2)
RULES = Thresholds(blackout_threshold_sec=10, freeze_threshold_sec=20, recovery_sec=5)
CUTS = every(4, 120)


def freezes(programme: Programme, thresholds: Thresholds = RULES) -> list[tuple[float, ...]]:
    found = incidents(watch(programme, CUTS, thresholds))
    return [tuple(time or 0.0 for time in times) for kind, *times in found if kind is FREEZE]


@pytest.mark.parametrize(
    ("still", "expected"),
    [
        pytest.param([(3, 22, A)], [], id="still, but not long enough"),
        pytest.param([(3, 24, A)], [(3, 24, 21)], id="frozen"),
        pytest.param(
            [(3, 14, A), (14 + STILL_GAP_SEC, 30, A)], [(3, 30, 27)], id="a disturbed keyframe"
        ),
        pytest.param(
            [(3, 14, A), (14.2 + STILL_GAP_SEC, 30, A)], [], id="movement between two runs"
        ),
        pytest.param([(3, 14, A), (14, 30, B)], [], id="two pictures without a gap"),
        pytest.param(
            [(3, 30, A), (30, 55, B)], [(3, 55, 52)], id="from one frozen picture to another"
        ),
        pytest.param(
            [(3, 30, A), (32, 36, B)], [(3, 30, 27)], id="moves again, with a calm moment"
        ),
        pytest.param(
            [(3, 30, A), (32, 36, A), (38, 41, A)],
            [(3, 30, 27)],
            id="moves again, and passes by the frozen picture",
        ),
        pytest.param([(3, 30, A), (33, 40, A)], [(3, 40, 37)], id="a relapse"),
        pytest.param(
            [(3, 30, A), *((t, t + 2, B if t % 4 else A) for t in range(30, 60, 2))],
            [(3, 30, 27)],
            id="an animation that goes on after a freeze",
        ),
    ],
)
def test_stillness_becomes_a_freeze(
    still: list[StillSpan], expected: list[tuple[float, ...]]
) -> None:
    assert freezes(Programme(120, still=still)) == [pytest.approx(times) for times in expected]


def test_a_freeze_survives_the_noise_of_keyframes() -> None:
    still = [(t + 0.08, t + 10.0, with_coding_noise(A, t)) for t in range(10, 90, 10)]
    assert freezes(Programme(120, still=still)) == [pytest.approx((10.08, 90, 79.92))]


def flawed(flaws: list[tuple[float, float]]) -> list[StillSpan]:
    """Return a picture that is frozen from 3 to 30 s, but for `flaws` in which another is shown."""
    spans, start = list[StillSpan](), 3.0
    for at, length in flaws:
        spans += [(start, at, A), (at, at + length, B)]
        start = at + length
    return [*spans, (start, 30, A)]


@pytest.mark.parametrize("cuts", [[], every(4, 60), every(2, 60), every(0.5, 60), [11.96]])
@pytest.mark.parametrize(
    ("flaws", "expected"),
    [
        pytest.param([(12.0, 0.08)], [(3, 30, 27)], id="at the border of a segment"),
        pytest.param([(11.96, 0.08)], [(3, 30, 27)], id="across it"),
        pytest.param([(13.2, 0.08)], [(3, 30, 27)], id="in the middle"),
        pytest.param([(12.0, 0.2)], [], id="for too long"),
        pytest.param([(8.0, 0.08), (16.5, 0.08)], [(3, 30, 27)], id="now and then"),
        pytest.param([(4.0 + 5 * n, 0.08) for n in range(5)], [], id="often"),
    ],
)
def test_a_flaw_leaves_a_freeze_whole_wherever_segments_are_cut(
    flaws: list[tuple[float, float]], expected: list[tuple[float, ...]], cuts: list[float]
) -> None:
    found = incidents(watch(Programme(60, still=flawed(flaws)), cuts, RULES))
    assert [times for _, *times in found] == [pytest.approx(each) for each in expected]


def test_an_animation_that_holds_its_drawings_is_not_frozen() -> None:
    still = [(t, t + 2, B if t % 4 else A) for t in range(0, 120, 2)]
    assert freezes(Programme(120, still=still)) == []


def test_a_slow_pan_is_not_frozen() -> None:
    still = [(t, t + 4, shifted(smooth_picture(), t // 8)) for t in range(0, 120, 4)]
    assert freezes(Programme(120, still=still)) == []


def smooth_picture() -> bytes:
    """Soft slopes, so that a pan by one pixel changes each pixel by few levels only."""
    return colourless(
        bytes(
            60 + 8 * min(column % 32, 32 - column % 32) for _ in range(36) for column in range(64)
        )
    )


@pytest.mark.parametrize(
    ("black", "still", "expected"),
    [
        pytest.param([(0, 120)], [(0, 120, A)], [], id="black is not frozen"),
        pytest.param([(3, 60)], [(3.02, 60.04, A)], [], id="black by other frames than still"),
        pytest.param(
            [(30, 60)],
            [(3, 30, A), (60, 90, A)],
            [(3, 90, 87)],
            id="the frozen picture comes back after black",
        ),
        pytest.param([(30, 60)], [(3, 30, A)], [(3, 60, 57)], id="moves after black, not before"),
        pytest.param(
            [(30, 60)],
            [(3, 30, A), (60, 64, B)],
            [(3, 60, 57)],
            id="another picture after black",
        ),
        pytest.param(
            [(15, 60)],
            [(3, 18, A), (60, 66, A)],
            [],
            id="black is not counted as stillness",
        ),
    ],
)
def test_black_suspends_the_freeze_detector(
    black: list[tuple[float, float]],
    still: list[StillSpan],
    expected: list[tuple[float, ...]],
) -> None:
    programme = Programme(120, black=black, still=still)
    assert freezes(programme) == [pytest.approx(times) for times in expected]
    blind = RULES.model_copy(update={"blackout_threshold_sec": 0})
    assert freezes(programme, blind) == [pytest.approx(times) for times in expected]


def test_a_border_right_after_black_takes_nothing_from_a_freeze() -> None:
    programme = Programme(30, black=[(0, 1.27)], still=[(0, 21.27, A)])
    [(kind, *times)] = incidents(watch(programme, [1.3], RULES))
    assert kind is FREEZE
    assert times == pytest.approx([1.27, 21.27, 20])


def test_a_missing_picture_is_a_blackout_and_no_freeze() -> None:
    detectors = MediaDetectors()
    [(measurement, position)] = Programme(60, still=[(0, 60, A)]).segments([])
    blind = measurement.model_copy(update={"has_video": False})
    assert [change.kind for change in detectors.feed(blind, position, RULES)] == [BLACKOUT]


def test_a_freeze_goes_on_after_a_missed_segment() -> None:
    detectors = MediaDetectors()
    [(measurement, _)] = Programme(12, still=[(0, 12, A)]).segments([])
    assert detectors.feed(measurement, segment_position(0, 0, 12), RULES) == []
    [opened] = detectors.feed(measurement, segment_position(2, 24, 12), RULES)
    assert isinstance(opened, IncidentOpened)
    assert opened.started_at == wall_clock(0)
    assert opened.duration_sec == pytest.approx(36)


def test_calm_pictures_give_no_warning_before_some_seconds() -> None:
    detectors, seen = MediaDetectors(), []
    for measurement, position in Programme(24, still=[(0, 24, A)]).segments(every(4, 24)):
        detectors.feed(measurement, position, RULES)
        seen.append(detectors.health()[0])
    assert seen == [Health.OK, *[Health.WARNING] * 3, Health.ERROR, Health.ERROR]


def test_the_state_of_a_freeze_stays_small() -> None:
    detectors = MediaDetectors()
    for measurement, position in Programme(60, still=[(0, 60, A)]).segments(every(4, 60)):
        detectors.feed(measurement, position, RULES)
    assert len(detectors.model_dump_json()) < 8192
    moving = next(iter(Programme(12).segments([])))[0]
    detectors.feed(moving, segment_position(15, 60, 12), RULES)
    assert detectors.video.freeze.picture is None
