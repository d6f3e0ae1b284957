"""Checks by timestamps that sound of a track of its own goes on where it ended.

When its sound stops, a packager cuts no segments, and later continues without a gap in the
playlist, or with a wrong one. Only the timestamps of the samples show what is missing.
"""

from collections.abc import Iterable

from pydantic import BaseModel

from monitors.measurement import AudioMeasurement, Interval
from monitors.sound import LONGEST_HOLE_SEC, SHORT_GAP_SEC


class SoundClock(BaseModel):
    """Timestamps of one sequence of segments.

    Attributes:
        due_sec: where sound should go on; None before the first, or after a discontinuity.
    """

    due_sec: float | None = None

    def placed(
        self, sound: AudioMeasurement, duration_sec: float
    ) -> tuple[AudioMeasurement, float]:
        """Return the sound of a segment as its timestamps have it.

        A segment that declares more than it holds may have its sound at its end.

        Returns:
            And how much is missing before the segment, in seconds.
        """
        due_sec, begins_sec = self.due_sec, sound.audio_begins_sec
        if begins_sec is None:
            is_known = due_sec is not None and sound.audio_sec == 0 and not sound.audio_error
            self.due_sec = (due_sec or 0.0) + duration_sec if is_known else None
            return sound, 0.0
        late_sec = 0.0 if due_sec is None else begins_sec - due_sec
        if not SHORT_GAP_SEC < late_sec <= LONGEST_HOLE_SEC:
            late_sec = 0.0
        within_sec = min(late_sec, max(0.0, duration_sec - sound.audio_sec))
        self.due_sec = begins_sec - within_sec + duration_sec + sound.audio_ahead_sec
        return _later(sound, within_sec, duration_sec), late_sec - within_sec


def _later(sound: AudioMeasurement, by_sec: float, duration_sec: float) -> AudioMeasurement:
    """Return what is heard of a segment whose sound begins that much later than it."""
    if by_sec <= 0:
        return sound
    gaps = _moved(sound.audio_gaps, by_sec, duration_sec)
    silent = _moved(sound.silent, by_sec, duration_sec)
    beginning = Interval(start=0.0, end=by_sec)
    return sound.model_copy(update={"audio_gaps": [beginning, *gaps], "silent": silent})


def _moved(found: Iterable[Interval], by_sec: float, end_sec: float) -> list[Interval]:
    moved = ((each.start + by_sec, each.end + by_sec) for each in found)
    return [Interval(start=a, end=min(b, end_sec)) for a, b in moved if a < end_sec]
