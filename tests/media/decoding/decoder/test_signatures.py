"""What is shown at each tenth of a second, for loops."""

import numpy as np
import pytest

from media.decoding.decoder.descriptions import describe_frames
from media.decoding.decoder.results import Findings
from tests.media.decoding.decoder.drawn import film, flat


@pytest.mark.parametrize("frames_sec", [10, 12, 20, 24, 25, 30, 50, 60])
def test_no_rounding_of_times_changes_which_pictures_are_looked_at(frames_sec: int) -> None:
    pictures = film(*(flat(number) for number in range(2 * frames_sec)))
    exact = np.arange(2 * frames_sec) / frames_sec
    seen = set[bytes]()
    for early_sec in (-1e-4, 0.0, 1e-4):
        findings = Findings()
        describe_frames(findings, pictures, exact + early_sec, 2.0, with_signatures=True)
        seen.add(findings.signatures or b"")
    assert len(seen) == 1
    assert len(seen.pop()) == 20 * 32
