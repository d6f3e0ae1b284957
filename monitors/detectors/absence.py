"""Whether one track of a stream stops alone, in a playlist of its own."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from monitors.config import Thresholds
from monitors.detectors.stall import suspend_threshold_sec
from monitors.detectors.stopwatch import Elapsed
from monitors.detectors.stream_time import reached


class AbsenceDetector(BaseModel):
    """How much media the other tracks have had since this one had any.

    It counts as missing once it has lasted as long as makes a stream suspended. While all tracks
    stand still, none is missing: the stream is suspended.

    Attributes:
        idle: time since its last new media, until the others' last; None before the first.
        others_at: when the others had that last media.
        judged_sec: how much of that time was judged as missing.
    """

    idle: Elapsed | None = None
    others_at: AwareDatetime | None = None
    judged_sec: float = 0.0

    def missing_sec(
        self,
        others_at: datetime,
        *,
        new_sec: float,
        target_duration_sec: float,
        thresholds: Thresholds,
    ) -> float:
        """Return how much more is missing, now that the track's playlist was loaded.

        Args:
            others_at: when any track had new media last.
            new_sec: of media that the playlist brings and that was not measured yet.
            target_duration_sec: of the playlist.
            thresholds: a user's patience with a suspended stream may be shorter than usual.
        """
        if self.idle is None:
            self.idle = Elapsed.since(others_at)
        if others_at != self.others_at:
            self.idle.until(others_at)
            self.others_at = others_at
        idle_sec = self.idle.duration_sec
        limits = (
            suspend_threshold_sec(target_duration_sec, it) for it in (thresholds, Thresholds())
        )
        is_missing = self.judged_sec > 0 or (new_sec == 0 and reached(idle_sec, min(limits)))
        # Media that comes late was missing too, except for what is published just now.
        due_sec = min(new_sec, target_duration_sec)
        return max(0.0, idle_sec - due_sec - self.judged_sec) if is_missing else 0.0

    def moved(self, at: datetime) -> None:
        self.idle, self.judged_sec = Elapsed.since(at), 0.0

    def unobserved(self, at: datetime) -> None:
        """Nothing was observed until `at`: that time does not count."""
        if self.idle:
            self.idle.leave_out(at)
