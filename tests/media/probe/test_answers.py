"""An answer comes from a process that hostile media may have taken over."""

from typing import Any

import pytest
from pydantic import ValidationError

from media.decoder.wire import JobHead
from media.probe.answers import Answer, measurement_of
from monitors.motion import Depth, Motion


def job(depth: Depth, *, with_loudness: bool = False) -> JobHead:
    return JobHead(
        segment_bytes=1000,
        duration_sec=2.0,
        silence_db=-50.0,
        most_pictures=200,
        cpu_sec=10,
        with_loudness=with_loudness,
        depth=depth,
    )


def answered(**findings: Any) -> Answer:
    return Answer(findings=findings, resident_bytes=1)


@pytest.mark.parametrize(
    ("depth", "is_skimmed"),
    [(Depth.KEYFRAMES, True), (Depth.MOVEMENT, True), (Depth.EVERYTHING, False)],
)
def test_nothing_is_skimmed_that_was_to_be_measured(depth: Depth, is_skimmed: bool) -> None:
    found = measurement_of(answered(is_skimmed=True, motion="moves"), job(depth))
    assert found
    assert found.is_skimmed is is_skimmed


def test_nothing_waits_of_what_people_are_shown() -> None:
    found = measurement_of(answered(motion="stands"), job(Depth.EVERYTHING, with_loudness=True))
    assert found
    assert found.motion is Motion.UNCLEAR


@pytest.mark.parametrize("kind", ["black", "still", "silent"])
def test_what_an_answer_holds_is_bounded(kind: str) -> None:
    stretch = {"start": 0.0, "end": 0.1, **({"picture": ""} if kind == "still" else {})}
    measurement_of(answered(**{kind: [stretch] * 10_000}), job(Depth.EVERYTHING))
    with pytest.raises(ValidationError, match="at most 10000"):
        measurement_of(answered(**{kind: [stretch] * 10_001}), job(Depth.EVERYTHING))
