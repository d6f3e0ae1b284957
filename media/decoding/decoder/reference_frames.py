"""Whether a few pictures of a segment show that all is well with all of them.

A landmark is a picture that cannot lie in the same freeze as the landmark before it. No freeze
holds two of them, however little of the segments was looked at; see `monitors.detectors.skimming`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from media.decoding.decoder.frames import BLACK_LEVEL, block_sums, differences
from monitors.detectors.frame_difference import SAME_PICTURE_TOLERANCE, STILL_GAP_SEC
from monitors.frames import BLOCK_SIZE, LANDMARK_BYTES, PICTURE_HEIGHT, PICTURE_WIDTH
from monitors.motion import Motion

MOVED_DIFFERENCE = 4 * SAME_PICTURE_TOLERANCE
"""Two pictures of one freeze differ by no more: each by at most `SAME_PICTURE_TOLERANCE` from the
first of its piece, and that from the first of all."""

DARK_LEVEL = BLACK_LEVEL + 10
DARK_SHARE = 0.9
"""A picture that has so many pixels up to this level may be black for a detector, or be followed
by pictures that are."""

LONGEST_FLAW_SEC = STILL_GAP_SEC + 0.005
"""Of pictures within a freeze that show something else; times are off by the rest at most."""

LOOKED_AT_ONCE = 4
"""Pictures between keyframes are compared in such lots: a lot takes little longer than one."""


class _Differing(NamedTuple):
    """A picture that has differed from the last landmark since it was shown.

    Attributes:
        since_sec: when that was.
        means: of it.
        latest: the last keyframe before it; None where that may be a flaw.
    """

    since_sec: float
    means: NDArray[np.int16]
    latest: NDArray[np.int16] | None


class ReferenceFrames:
    """Looks for landmarks in a segment, from its first keyframe on.

    Where all has moved until now, a keyframe that differs from the landmark before is one. Where
    the picture stood, it has to differ for longer than `LONGEST_FLAW_SEC`: a freeze goes on over
    shorter flaws, and a keyframe may be one. So have the first pictures of a group (GOP) whose
    keyframe does not differ. A landmark that was found in this way is enough for a segment;
    otherwise each group must have its own. Pictures that are dark make no landmark: a freeze goes
    on over black.

    Args:
        before: what is remembered of the last landmark; see `monitors.measurement.Glance`.
        latest: the same of the last keyframe; zeros where that may be a flaw.
        stood: whether the segment before may have no landmark.
        only_keyframes: whether a group whose keyframe does not differ is not looked at further.
        at_once: so many pictures are compared together.

    Attributes:
        groups: that began so far.
        is_dark: whether a picture was, of those that were looked at.
        is_cut: whether a landmark differs as much from the last keyframe before it.
    """

    def __init__(
        self,
        before: bytes,
        latest: bytes,
        *,
        stood: bool = False,
        only_keyframes: bool = False,
        at_once: int = LOOKED_AT_ONCE,
    ) -> None:
        self._before = before
        self._landmark = _recalled(before)
        self._latest = _recalled(latest) if any(latest) else None
        self._stood = stood
        self._only_keyframes = only_keyframes
        self._at_once = at_once
        self._waiting: list[tuple[bytes, float]] = []
        self._differing: _Differing | None = None
        self._is_found = False
        self._is_sure = False
        self._stands = False
        self.groups = 0
        self.is_dark = False
        self.is_cut = False

    @property
    def is_enough(self) -> bool:
        """Whether the latest group needs no further look."""
        is_known_to_stand = self._only_keyframes and self.groups > 0 and self._differing is None
        return self._is_found or is_known_to_stand

    @property
    def is_in_vain(self) -> bool:
        """Whether what was left out has to be looked at after all."""
        return self.is_dark or (self._stands and not self._only_keyframes)

    def add(self, picture: bytes, time_sec: float, *, is_keyframe: bool) -> None:
        """Look at the next picture in the order in which they are shown, if need be."""
        if is_keyframe:
            self._begin_group(picture, time_sec)
        elif self.groups and not self.is_enough:
            self._waiting.append((picture, time_sec))
            if len(self._waiting) >= self._at_once:
                self._look_at_waiting()

    def finish(self) -> Motion:
        """Return what the landmarks of all groups tell."""
        self._end_group()
        if not self.groups or self.is_dark:
            return Motion.UNCLEAR
        return Motion.STANDS if self._stands else Motion.MOVES

    def landmark(self) -> bytes:
        """Return what is remembered of the last landmark, of a segment that moves or before."""
        return self._before if self._stands else _remembered(self._landmark)

    def latest(self) -> bytes:
        """Return what is remembered of the last keyframe, zeros where that may be a flaw."""
        return bytes(LANDMARK_BYTES) if self._latest is None else _remembered(self._latest)

    def _begin_group(self, keyframe: bytes, time_sec: float) -> None:
        self._end_group()
        self.groups += 1
        means = self._means([keyframe])
        self._is_found, self._differing = self._is_sure, None
        if not self._differ(means)[0]:
            self._latest = means[0]
        elif not self._stood and not self._is_sure:
            self._take(means[0], self._latest)
        else:  # it may be a flaw
            self._differing = _Differing(time_sec, means[0], self._latest)
            self._latest = None

    def _end_group(self) -> None:
        if self.groups:
            self._look_at_waiting()
            self._stands |= not self._is_found

    def _look_at_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting or self._is_found:
            return
        means = self._means([picture for picture, _ in waiting])
        for number, differs in enumerate(self._differ(means)):
            time_sec = waiting[number][1]
            if self._differing and time_sec - self._differing.since_sec > LONGEST_FLAW_SEC:
                self._take(self._differing.means, self._differing.latest)
                self._is_sure = True
                return
            if not differs:
                self._differing = None
            elif self._differing is None:
                self._differing = _Differing(time_sec, means[number], self._latest)

    def _take(self, landmark: NDArray[np.int16], latest: NDArray[np.int16] | None) -> None:
        if latest is not None:
            self.is_cut |= bool(differences(landmark[None], latest)[0] > MOVED_DIFFERENCE)
        self._landmark = self._latest = landmark
        self._is_found = True

    def _differ(self, means: NDArray[np.int16]) -> NDArray[np.bool_]:
        differ: NDArray[np.bool_] = differences(means, self._landmark) > MOVED_DIFFERENCE
        return differ

    def _means(self, pictures: Sequence[bytes]) -> NDArray[np.int16]:
        """Return the means of the blocks of each picture, and take note of dark ones."""
        pixels = np.frombuffer(b"".join(pictures), np.uint8)
        seen = pixels.reshape(-1, PICTURE_HEIGHT, PICTURE_WIDTH)
        self.is_dark |= bool(((seen <= DARK_LEVEL).mean(axis=(1, 2)) >= DARK_SHARE).any())
        return block_sums(seen) // BLOCK_SIZE**2


def _recalled(means: bytes) -> NDArray[np.int16]:
    return np.frombuffer(means, np.uint8).astype(np.int16)


def _remembered(means: NDArray[np.int16]) -> bytes:
    return means.astype(np.uint8).tobytes()
