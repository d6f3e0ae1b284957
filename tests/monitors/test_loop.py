"""A short piece that is shown again and again."""

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.frames import SIGNATURE_BYTES, SIGNATURE_STEP_SEC
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.measurement import SegmentMeasurement
from tests.monitors.media_timeline import AIR_TIME, segment_position

RULES = Thresholds(loop_threshold_sec=20, recovery_sec=4)
SEGMENT_SEC = 2.0

Picture = Callable[[float], bytes]
"""The signature of what is shown at a moment."""


def moving(seed: int, *, calm: bool = False) -> Picture:
    """A picture of blobs that wander about; of a calm one only a corner lives."""
    chance = random.Random(seed)
    cells = [
        [chance.uniform(60, 190) for _ in range(200)] if not calm or cell > 29 else [100.0] * 200
        for cell in range(SIGNATURE_BYTES)
    ]

    def at(moment_sec: float) -> bytes:
        place, rest = divmod(moment_sec % 199, 1.0)
        return bytes(
            round(each[int(place)] * (1 - rest) + each[int(place) + 1] * rest) for each in cells
        )

    return at


def looped(piece: Picture, period_sec: float, start_sec: float, end_sec: float) -> Picture:
    """Show `piece`, and from `start_sec` on the last `period_sec` of it again and again."""

    def at(moment_sec: float) -> bytes:
        if not start_sec <= moment_sec < end_sec:
            return piece(moment_sec)
        return piece(start_sec - period_sec + (moment_sec - start_sec) % period_sec)

    return at


def noisy(picture: Picture) -> Picture:
    chance = random.Random(5)
    return lambda at: bytes(max(0, each + chance.choice((-1, 0, 0, 1))) for each in picture(at))


def changes(
    picture: Picture, duration_sec: float, cuts: list[float] | None = None
) -> list[IncidentChange]:
    borders = cuts or [SEGMENT_SEC * number for number in range(int(duration_sec / 2) + 1)]
    detectors, found = MediaDetectors(), list[IncidentChange]()
    for number, (start, end) in enumerate(pairwise(borders)):
        steps = range(int((end - start) / SIGNATURE_STEP_SEC + 0.999))
        shown = b"".join(picture(start + step * SIGNATURE_STEP_SEC) for step in steps)
        measured = SegmentMeasurement(duration_sec=end - start, signatures=shown)
        detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
        position = segment_position(number, start, end - start)
        found += detectors.feed(measured, position, RULES)
    return found


def sec(change: IncidentChange) -> float:
    return (change.started_at - AIR_TIME).total_seconds()


@pytest.mark.parametrize("period_sec", [3.0, 7.3, 12.04, 30.0, 58.0])
def test_a_loop_is_found_by_its_period(period_sec: float) -> None:
    on_air = noisy(looped(moving(1), period_sec, 70.0, 180.0))
    opened, closed = changes(on_air, 200)
    assert isinstance(opened, IncidentOpened)
    assert isinstance(closed, IncidentClosed)
    assert sec(opened) == pytest.approx(70, abs=SEGMENT_SEC)
    assert opened.duration_sec >= max(20, period_sec) - SEGMENT_SEC
    assert (closed.recovered_at - AIR_TIME).total_seconds() == pytest.approx(180, abs=SEGMENT_SEC)


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(moving(2), id="a programme"),
        pytest.param(noisy(moving(3, calm=True)), id="a calm programme"),
        pytest.param(noisy(lambda at: bytes([90] * SIGNATURE_BYTES)), id="a still picture"),
        pytest.param(
            noisy(lambda at: moving(int(at // 20))(0.0)), id="slides that are held for 20 s"
        ),
        pytest.param(looped(moving(4), 10.0, 60.0, 75.0), id="a piece that is shown once more"),
    ],
)
def test_what_does_not_repeat_itself_is_no_loop(picture: Picture) -> None:
    assert changes(picture, 180) == []


def test_a_loop_is_the_same_however_it_is_cut() -> None:
    on_air = looped(moving(6), 9.7, 61.0, 140.0)
    for length in (1.0, 3.3, 6.0):
        cuts = [length * number for number in range(int(180 / length) + 1)]
        opened, closed = changes(on_air, 180, cuts)
        assert sec(opened) == pytest.approx(61, abs=length)
        assert closed.kind is opened.kind


def test_what_is_remembered_is_small() -> None:
    detectors, picture = MediaDetectors(), moving(7)
    for number in range(120):
        shown = b"".join(picture(2 * number + step / 10) for step in range(20))
        measured = SegmentMeasurement(duration_sec=2.0, signatures=shown)
        detectors.feed(measured, segment_position(number, 2.0 * number, 2.0), RULES)
    assert len(detectors.video.loop.model_dump_json()) < 8192
    detectors.feed(measured, segment_position(121, 242, 2.0), Thresholds())
    assert detectors.video.loop.times_sec == []
