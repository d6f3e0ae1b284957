"""What the frames of a segment show."""

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.black_frames import find_black
from media.decoding.decoder.cards import NONE, are_bars, shown_slates
from media.decoding.decoder.results import Findings, SlateSpan
from media.decoding.decoder.small_frames import SmallFrames, edges_of, spans_of
from media.decoding.decoder.still_frames import still_runs
from monitors.frames import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    SIGNATURE_COLUMNS,
    SIGNATURE_ROWS,
    SIGNATURE_STEP_SEC,
)

_BEHIND_STEP_SEC = 0.03  # frames of any rate begin so far behind a step that rounding moves none


def describe_frames(
    findings: Findings,
    frames: SmallFrames,
    times: NDArray[np.float64],
    end: float,
    slates: bytes = b"",
    with_signatures: bool = False,
) -> None:
    """Write down the stretches of black, of stillness, of colour bars and of slates.

    Args:
        times: when each is first shown, seconds from the segment's first moment.
        slates: that are looked for, see `monitors.measurement.ReferenceSlates`.
    """
    findings.black, findings.lights_change, findings.lights = find_black(frames, times, end)
    findings.still = still_runs(frames, times, end)
    edges = edges_of(times, end)
    findings.bars = spans_of(are_bars(frames), edges)
    findings.slates = _slate_spans(shown_slates(frames, slates), edges) if slates else []
    findings.signatures = _signatures(frames, edges) if with_signatures else None


def _slate_spans(shown: NDArray[np.int16], edges: list[float]) -> list[SlateSpan]:
    found = [
        SlateSpan(*span, int(index))
        for index in set(shown[shown != NONE].tolist())
        for span in spans_of(shown == index, edges)
    ]
    return sorted(found)


def _signatures(frames: SmallFrames, edges: list[float]) -> bytes:
    """Return the signature of what is shown at each step, see `monitors.frames`."""
    steps = np.arange(0.0, edges[-1], SIGNATURE_STEP_SEC) + _BEHIND_STEP_SEC
    shown = np.searchsorted(edges[1:-1], steps, side="right")
    height, width = FRAME_HEIGHT // SIGNATURE_ROWS, FRAME_WIDTH // SIGNATURE_COLUMNS
    cells = frames.luma.reshape(-1, SIGNATURE_ROWS, height, SIGNATURE_COLUMNS, width)
    means = cells.mean(axis=(2, 4)).astype(np.uint8)
    return bytes(means[shown].tobytes())
