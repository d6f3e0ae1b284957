"""Where a segment shows the same picture again and again."""

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.results import StillSpan
from media.decoding.decoder.small_frames import Flags, SmallFrames, edges_of, middle_of, runs_of
from monitors.frames import (
    BLOCK_SIZE,
    LOCAL_BASE,
    LOCAL_BLOCKS,
    LOCAL_DIFFERENCE,
    LOCAL_SHARE,
    LUMA_BYTES,
    MOVED_DIFFERENCE,
    SAME_COLOUR_TOLERANCE,
    SAME_FRAME_TOLERANCE,
    STILL_MIN_SEC,
)

UNTOUCHED_DIFFERENCE = 0.06  # mean of luma between two frames where the encoder changed nothing
UNTOUCHED_SHARE = 0.1
"""Share of such pairs in a frozen picture. A camera that shows a calm scene adds noise to each
frame, so that almost none of its pairs is untouched; a frozen one repeats itself."""

PUMPING_LEAST, PUMPING_MOST = 0.5, 16.0  # levels by which a picture's mean changes when it pumps
DARK_LEVEL = 36  # where half is darker, the brightness is that of a lamp or a candle in it
_FIRST_CHUNK, _CHUNK = 4, 64
_PIXELS = BLOCK_SIZE**2  # means of blocks are compared by their sums


def still_runs(frames: SmallFrames, times: NDArray[np.float64], end: float) -> list[StillSpan]:
    """Return the stretches in which every frame shows the same as the first of them.

    Comparing with the first frame, not with the one before, lets a keyframe's fresh compression
    pass and adds a slow movement up until it is seen.

    Args:
        times: when each is first shown, seconds from the segment's first moment.
        end: the segment's duration; the last frame is shown until then.
    """
    blocks, edges = frames.block_sums(), edges_of(times, end)
    runs = _runs(frames, blocks, edges)
    if any(each.end - each.start >= STILL_MIN_SEC for each in runs):
        return runs
    calm = _without_flicker(frames, blocks, edges) or _equally_bright(frames, blocks)
    return _runs(calm, calm.block_sums(), edges) if calm else runs


def _equally_bright(frames: SmallFrames, blocks: NDArray[np.int16]) -> SmallFrames | None:
    """Return the frames at one brightness; None where their differences are no brightness."""
    # The brightness of a frozen picture may pump: an encoder in front, a mixer, a lamp.
    if middle_of(blocks[0]) < DARK_LEVEL * _PIXELS:
        return None
    means = np.maximum(blocks.mean(axis=1), 1.0)
    usual = middle_of(means)
    pumping = float(means.max() - means.min()) / _PIXELS
    if not PUMPING_LEAST <= pumping <= PUMPING_MOST:
        return None
    factors = usual / means
    differing = np.abs(np.diff(blocks * factors[:, None], axis=0)).max(axis=1)
    if np.count_nonzero(differing <= SAME_FRAME_TOLERANCE * _PIXELS) < len(differing) / 2:
        return None
    pixels = frames.pixels.copy()
    scaled = np.rint(frames.luma * factors[:, None].astype(np.float32))
    pixels[:, :LUMA_BYTES] = np.minimum(scaled, 255)
    return SmallFrames(pixels)


def _without_flicker(
    frames: SmallFrames, blocks: NDArray[np.int16], edges: list[float]
) -> SmallFrames | None:
    """Return the mean of each frame and the next; None where their differences are no flicker."""
    # A deinterlacer that makes a frame of each field has the lines of a frozen picture jump up and
    # down: each frame is like the next but one.
    if len(frames) < 4:
        return None
    next_one = np.abs(blocks[1:] - blocks[:-1]).max(axis=1)[:-1]
    next_but_one = np.abs(blocks[2:] - blocks[:-2]).max(axis=1)
    flickers = (next_one > 2 * next_but_one) & (next_one <= MOVED_DIFFERENCE * _PIXELS)
    if all(edges[stop] - edges[first] < STILL_MIN_SEC for first, stop in runs_of(flickers)):
        return None
    one, other = frames.pixels[:-1].astype(np.uint16), frames.pixels[1:]
    means = ((one + other) // 2).astype(np.uint8)
    return SmallFrames(np.concatenate([means, means[-1:]]))


def _runs(frames: SmallFrames, blocks: NDArray[np.int16], edges: list[float]) -> list[StillSpan]:
    goes_on = _are_same(blocks[1:], blocks[:-1], frames[1:], frames[:-1])
    parted = [*(np.flatnonzero(~goes_on) + 1).tolist(), len(frames)]
    runs: list[StillSpan] = []
    first = place = 0
    while first < len(frames):
        while parted[place] <= first:
            place += 1
        # From one frame to the next an encoder changes little: what moves is seen more clearly.
        moved = parted[place]
        stop = moved if moved == first + 1 else _end_of_run(blocks, frames, first, moved + 1)
        moves, stop = stop > moved, min(stop, moved)
        at_border = first == 0 or stop == len(frames)
        long_enough = edges[stop] - edges[first] >= STILL_MIN_SEC
        is_shown = long_enough or (at_border and edges[stop] > edges[first])
        if is_shown and _repeats_itself(frames[first:stop]):
            runs.append(StillSpan(edges[first], edges[stop], frames.pixels[first].tobytes()))
        first = stop + 1 if moves else stop  # that frame moves, though it may go on
    return runs


def _are_same(
    some: NDArray[np.int16], others: NDArray[np.int16], frames: SmallFrames, before: SmallFrames
) -> Flags:
    """Return which frames are the same as others; see `monitors.frames.same_frame`."""
    differing = np.abs(some - others)
    largest = differing.max(axis=1, initial=0)
    same: Flags = largest <= SAME_FRAME_TOLERANCE * _PIXELS
    unclear = same & (largest > LOCAL_DIFFERENCE * _PIXELS)
    if unclear.any():
        same[unclear] = ~_are_local(differing[unclear], largest[unclear])
    if same.any():
        same[same] = _have_same_colours(frames[same], before[same] if len(before) > 1 else before)
    return same


def _are_local(differing: NDArray[np.int16], largest: NDArray[np.int16]) -> Flags:
    """Return in which frames few blocks come near to the one that differs most."""
    least = np.ceil(largest / LOCAL_SHARE - LOCAL_BASE * _PIXELS).astype(np.int16)
    near = np.count_nonzero(differing >= least[:, None], axis=1)
    local: Flags = near <= LOCAL_BLOCKS
    return local


def _have_same_colours(frames: SmallFrames, others: SmallFrames) -> Flags:
    higher = np.maximum(frames.colours, others.colours)
    lower = np.minimum(frames.colours, others.colours)
    same: Flags = (higher - lower).max(axis=1, initial=0) <= SAME_COLOUR_TOLERANCE
    return same


def _end_of_run(blocks: NDArray[np.int16], frames: SmallFrames, first: int, limit: int) -> int:
    """Return which frame is the first one that differs from `first`; at most `limit`."""
    reference = frames[first : first + 1]
    start, size, limit = first + 1, _FIRST_CHUNK, min(limit, len(blocks))
    while start < limit:
        chunk = slice(start, min(start + size, limit))
        same = _are_same(blocks[chunk], blocks[first], frames[chunk], reference)
        if not same.all():
            return start + int(same.argmin())
        start, size = start + size, min(2 * size, _CHUNK)
    return limit


def _repeats_itself(frames: SmallFrames) -> bool:
    """Return whether enough of the frames repeat an earlier one."""
    # That is the one just before, in which nothing was changed; or any other, exactly: frames that
    # build on later ones (B-frames) change within a group of pictures, but each group repeats the
    # one before. Noise never comes again.
    if len(frames) < 2:
        return True
    least = UNTOUCHED_SHARE * (len(frames) - 1)
    if _untouched(frames) >= least:
        return True
    return len(frames) - len({each.tobytes() for each in frames.luma}) >= least


def _untouched(frames: SmallFrames) -> int:
    luma = frames.luma
    higher, lower = np.maximum(luma[1:], luma[:-1]), np.minimum(luma[1:], luma[:-1])
    steps = (higher - lower).sum(axis=1, dtype=np.uint32)
    return int(np.count_nonzero(steps < UNTOUCHED_DIFFERENCE * luma.shape[1]))
