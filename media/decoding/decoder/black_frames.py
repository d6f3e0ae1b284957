"""Where a segment shows black, and what is lit in it.

Black is dark, without contrast and without colour. A small part of it may be lit. A logo never
changes; candles flicker, lights move, titles change. So the moments of change are reported, too.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.results import Span
from media.decoding.decoder.small_frames import Flags, SmallFrames, edges_of, runs_of, spans_of
from monitors.frames import BLOCK_SIZE, BLOCKS, LIT_DIFFERENCE, LIT_LEVEL, NEUTRAL

BLACK_LEVEL = 26  # luma (of 255) up to which a pixel may be black: 10 %, as in blackdetect
BLACK_CONTRAST = 9  # black has no shapes, even with a trace of the picture or a vignette
BLACK_SHARE_PERCENT = 97  # the brightest 3 % of the picture may be a logo
COLOUR_DIFFERENCE = 24  # U or V this far from neutral is colour: deep blue has the luma of black


class Blackness(NamedTuple):
    """Black stretches, and their lights; see `monitors.measurement.SegmentMeasurement`."""

    spans: list[Span]
    lights_change: list[float]
    lights: bytes | None


def find_black(frames: SmallFrames, times: NDArray[np.float64], end: float) -> Blackness:
    """Return the black stretches, and when lights change in them; see `still_runs`."""
    black = _are_dark(frames)
    if not black.any():
        return Blackness([], [], None)
    black[black] = _are_empty(frames[black])
    edges = edges_of(times, end)
    changes = [
        edges[first + place]
        for first, stop in runs_of(black)
        for place in _changes_of_lights(frames[first:stop])
    ]
    first = frames[black][:1].block_sums()
    is_lit = bool((first > LIT_LEVEL * BLOCK_SIZE**2).any())
    lights = (first // BLOCK_SIZE**2).astype(np.uint8).tobytes() if is_lit else None
    return Blackness(spans_of(black, edges), changes, lights)


def _are_dark(frames: SmallFrames) -> Flags:
    """Fast: most segments have no frame that is dark enough."""
    bright = np.count_nonzero(frames.luma > BLACK_LEVEL, axis=1)
    dark: Flags = bright <= frames.luma.shape[1] - 1 - _ranks(frames.luma)[1]
    return dark


def _are_empty(frames: SmallFrames) -> Flags:
    """Which dark frames have neither contrast nor colour."""
    ranks = _ranks(frames.luma)
    ordered = np.partition(frames.luma, ranks, axis=1)
    contrast = ordered[:, ranks[1]].astype(np.int16) - ordered[:, ranks[0]]
    coloured = np.abs(frames.chroma.astype(np.int16) - NEUTRAL).max(axis=1) > COLOUR_DIFFERENCE
    share = np.count_nonzero(coloured, axis=1) * 100
    empty: Flags = (contrast <= BLACK_CONTRAST) & (share <= (100 - BLACK_SHARE_PERCENT) * BLOCKS)
    return empty


def _ranks(pixels: NDArray[np.uint8]) -> list[int]:
    """Return the ranks of a frame's sorted pixels between which all must be black."""
    last = pixels.shape[1] - 1
    shares = (100 - BLACK_SHARE_PERCENT, BLACK_SHARE_PERCENT)
    return [round(last * share / 100) for share in shares]


def _changes_of_lights(frames: SmallFrames) -> list[int]:
    """In which frames of a dark run the lights are no longer what they were."""
    blocks = frames.block_sums()
    if not (blocks > LIT_LEVEL * BLOCK_SIZE**2).any():
        return []
    places, first = list[int](), 0
    while (first := _end_of_standing(blocks, first)) < len(blocks):
        places.append(first)
    return places


def _end_of_standing(blocks: NDArray[np.int16], first: int) -> int:
    later, before = blocks[first:], blocks[first]
    has_changed = np.abs(later - before) > LIT_DIFFERENCE * BLOCK_SIZE**2
    is_lit = np.maximum(later, before) > LIT_LEVEL * BLOCK_SIZE**2
    changed = (has_changed & is_lit).any(axis=1)
    return first + int(changed.argmax()) if changed.any() else len(blocks)
