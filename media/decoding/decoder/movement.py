"""Whether a few frames of a segment show that it moves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.black_frames import BLACK_LEVEL
from media.decoding.decoder.small_frames import SmallFrames
from monitors.frames import BLOCK_SIZE, LUMA_BYTES, MOVED_DIFFERENCE, STILL_GAP_SEC

DARK_LEVEL = BLACK_LEVEL + 10
DARK_SHARE = 0.9
"""A frame with this share of pixels up to this level may be black for a detector, or be followed by
frames that are."""

LONGEST_FLAW_SEC = STILL_GAP_SEC + 0.005  # a freeze goes on over it; the rest is off timestamps


class Movement:
    """Looks for frames that no freeze goes on over.

    They differ for longer than `LONGEST_FLAW_SEC` from the segment's keyframe and from that of the
    segment before: one of the two may be a flaw within a freeze. Keyframes are told by their block
    means.
    """

    def __init__(self, reference: bytes) -> None:
        self._references = [np.frombuffer(reference, np.uint8).astype(np.int16)]
        self._differing_since: float | None = None
        self.keyframe: bytes | None = None
        self.is_dark = False
        self.is_proven = False

    def begin(self, keyframe: bytes) -> None:
        means = self._means([keyframe])[0]
        self._references.append(means)
        self.keyframe = means.astype(np.uint8).tobytes()

    def look_at(self, frames: Sequence[bytes], times_sec: Sequence[float]) -> None:
        """In the order in which they are shown."""
        means = self._means(frames)
        differ = [np.abs(means - each).max(axis=1) > MOVED_DIFFERENCE for each in self._references]
        for time_sec, has_moved in zip(times_sec, np.all(differ, axis=0), strict=True):
            if not has_moved:
                self._differing_since = None
            elif self._differing_since is None:
                self._differing_since = time_sec
            elif time_sec - self._differing_since > LONGEST_FLAW_SEC:
                self.is_proven = self.keyframe is not None and not self.is_dark

    def _means(self, frames: Sequence[bytes]) -> NDArray[np.int16]:
        small = SmallFrames.of(frames)
        dark = np.count_nonzero(small.luma <= DARK_LEVEL, axis=1)
        self.is_dark |= bool((dark >= DARK_SHARE * LUMA_BYTES).any())
        return small.block_sums() // BLOCK_SIZE**2
