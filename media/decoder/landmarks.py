"""Whether a few pictures of a segment show that all is well with all of them.

A landmark is a picture that cannot lie in the same freeze as the landmark before it. No freeze
holds two of them, however little of the segments was looked at; see `monitors.detectors.skimming`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from media.decoder.pictures import BLACK_LEVEL, Pictures, block_sums, differences
from monitors.detectors.pictures import SAME_PICTURE_TOLERANCE, STILL_GAP_SEC
from monitors.motion import Motion
from monitors.pictures import BLOCK_SIZE, PICTURE_HEIGHT, PICTURE_WIDTH

MOVED_DIFFERENCE = 4 * SAME_PICTURE_TOLERANCE
"""Two pictures of one freeze differ by no more: each by at most `SAME_PICTURE_TOLERANCE` from the
first of its piece, and that from the first of all."""

DARK_LEVEL = BLACK_LEVEL + 10
DARK_SHARE = 0.9
"""A keyframe that has so many pixels up to this level may be black for a detector, or be followed
by pictures that are."""

LONGEST_FLAW_SEC = STILL_GAP_SEC + 0.005
"""Of pictures within a freeze that show something else; times are off by the rest at most."""

LOOKED_AT_ONCE = 4
"""Pictures between keyframes are compared in such lots: a lot takes little longer than one."""


class Landmarks:
    """Looks for landmarks in a segment, from its first keyframe on.

    Where all has moved until now, a keyframe that differs from the landmark before is one. Where
    the picture stood, it has to differ for longer than `LONGEST_FLAW_SEC`: a freeze goes on over
    shorter flaws, and a keyframe may be one. So have the first pictures of a group (GOP) whose
    keyframe does not differ. A landmark that was found in this way is enough for a segment;
    otherwise each group must have its own.

    Args:
        before: what is remembered of the last landmark; see `monitors.measurement.Glance`.
        stood: whether the segment before had none.
        only_keyframes: whether a group whose keyframe does not differ is not looked at further.
        at_once: so many pictures are compared together.

    Attributes:
        groups: that began so far.
        is_dark: whether a keyframe was.
    """

    def __init__(
        self,
        before: bytes,
        *,
        stood: bool = False,
        only_keyframes: bool = False,
        at_once: int = LOOKED_AT_ONCE,
    ) -> None:
        self._before = before
        self._landmark = np.frombuffer(before, np.uint8).astype(np.int16)
        self._stood = stood
        self._only_keyframes = only_keyframes
        self._at_once = at_once
        self._waiting: list[tuple[bytes, float]] = []
        self._differing: tuple[float, NDArray[np.int16]] | None = None
        self._is_found = False
        self._is_sure = False
        self._stands = False
        self.groups = 0
        self.is_dark = False

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

    def remembered(self) -> bytes:
        """Return what is remembered of the last landmark, of a segment that moves or before."""
        return self._before if self._stands else self._landmark.astype(np.uint8).tobytes()

    def _begin_group(self, keyframe: bytes, time_sec: float) -> None:
        self._end_group()
        self.groups += 1
        pictures = _stacked([keyframe])
        means = _means(pictures)
        self.is_dark |= bool((pictures <= DARK_LEVEL).mean() >= DARK_SHARE)
        differs = bool(self._differ(means)[0])
        self._differing = (time_sec, means[0]) if differs and self._stood else None
        self._is_found = self._is_sure or (differs and not self._stood)
        if differs and self._is_found:
            self._landmark = means[0]

    def _end_group(self) -> None:
        if self.groups:
            self._look_at_waiting()
            self._stands |= not self._is_found

    def _look_at_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting or self._is_found:
            return
        means = _means(_stacked([picture for picture, _ in waiting]))
        for number, differs in enumerate(self._differ(means)):
            time_sec = waiting[number][1]
            if self._differing and time_sec - self._differing[0] > LONGEST_FLAW_SEC:
                self._landmark = self._differing[1]
                self._is_sure = self._is_found = True
                return
            if not differs:
                self._differing = None
            elif self._differing is None:
                self._differing = (time_sec, means[number])

    def _differ(self, means: NDArray[np.int16]) -> NDArray[np.bool_]:
        differ: NDArray[np.bool_] = differences(means, self._landmark) > MOVED_DIFFERENCE
        return differ


def _stacked(pictures: Sequence[bytes]) -> Pictures:
    pixels = np.frombuffer(b"".join(pictures), np.uint8)
    return pixels.reshape(-1, PICTURE_HEIGHT, PICTURE_WIDTH)


def _means(pictures: Pictures) -> NDArray[np.int16]:
    return block_sums(pictures) // BLOCK_SIZE**2
