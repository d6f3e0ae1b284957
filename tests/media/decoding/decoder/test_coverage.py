"""Where a segment's sound begins, and which part of the segment it fills."""

import pytest

from media.decoding.decoder.results import Findings, Span
from media.decoding.decoder.sound_parts import describe_sound

DURATION_SEC = 4.0
PICTURE_SEC = 100.0


@pytest.mark.parametrize(
    ("filled", "gaps"),
    [
        pytest.param([(100, 104)], [], id="all of it"),
        pytest.param([(100, 101)], [(1, 4)], id="the beginning alone"),
        pytest.param([(103.5, 104)], [(0, 3.5)], id="the end alone"),
        pytest.param([(100, 101), (103, 104)], [(1, 3)], id="both ends"),
        pytest.param([(94, 94.1), (103, 104)], [(0, 3)], id="the end, and sound held back"),
        pytest.param([(5_000, 5_004)], [], id="timestamps of another clock"),
    ],
)
def test_gaps_are_counted_from_the_first_picture(
    filled: list[tuple[float, float]], gaps: list[tuple[float, float]]
) -> None:
    findings = Findings()
    spans = [Span(*each) for each in filled]
    describe_sound(findings, spans, [], DURATION_SEC, PICTURE_SEC)
    assert findings.audio_gaps == gaps
