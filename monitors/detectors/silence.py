"""When sound is silence: where it is quiet, and where it is missing.

Sound and picture are cut at different moments. What a segment lacks at its end may come at the
beginning of the next one, before that one's first picture; and a segment of few pictures may hold
the sound of those that follow. So the end of a segment that has no samples counts as what came
before it, and is judged once more with the next segment. An alert does not wait for that: a silence
that ends there is reported though it is shorter than its threshold by as much. A recovery waits
where more is missing than cutting sound into frames explains.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import inf

from pydantic import BaseModel, Field

from monitors.detectors.fault_detector import (
    AUDIO_MISSING,
    JOINT_TOLERANCE_SEC,
    FaultDetector,
    FaultRule,
)
from monitors.detectors.stream_time import (
    Condition,
    Finding,
    SegmentPosition,
    reached,
    split,
    stretches,
)
from monitors.incidents import IncidentChange
from monitors.measurement import AudioMeasurement, Interval
from monitors.sound import LONGEST_HOLE_SEC, LONGEST_LEAD_SEC, SHORT_GAP_SEC

USUAL_TAIL_SEC = 0.1
"""A segment whose end lacks less sound than this may have been cut between two audio frames."""


class SoundClock(BaseModel):
    """Checks by timestamps that sound of a track of its own goes on where it ended.

    When its sound stops, a packager cuts no segments, and later continues without a gap in the
    playlist, or with a wrong one. Only the timestamps of the samples show what is missing.
    """

    # where sound should go on; None before the first, or after a discontinuity
    due_sec: float | None = None

    def placed(
        self, sound: AudioMeasurement, duration_sec: float
    ) -> tuple[AudioMeasurement, float]:
        """Return a segment's sound as its timestamps have it, and the seconds missing before it.

        A segment that declares more than it holds may have its sound at its end.
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
    gaps = _within(_moved(sound.audio_gaps, by_sec), -inf, duration_sec)
    silent = _within(_moved(sound.silent, by_sec), -inf, duration_sec)
    beginning = Interval(start=0.0, end=by_sec)
    return sound.model_copy(update={"audio_gaps": [beginning, *gaps], "silent": silent})


class SilenceDetector(BaseModel):
    """The fault logic for sound."""

    faults: FaultDetector = Field(default_factory=FaultDetector)
    tail_sec: float = 0.0  # of the last segment's end, what it has no samples for
    before_tail: FaultDetector | None = None  # the detector before it judged that; None without any
    # of sound that came in earlier segments and belongs to those that follow
    ahead_sec: float = 0.0
    clock: SoundClock = Field(default_factory=SoundClock)  # of sound that comes apart from pictures

    def follow(
        self,
        sound: AudioMeasurement,
        duration_sec: float,
        position: SegmentPosition,
        rule: FaultRule,
    ) -> list[IncidentChange]:
        sound, missing_sec = self.clock.placed(sound, duration_sec)
        changes: list[IncidentChange] = []
        if missing_sec > 0:
            hole = AudioMeasurement(audio_gaps=[Interval(start=0.0, end=missing_sec)])
            changes += self._follow(hole, missing_sec, _before(position, missing_sec), rule)
        return changes + self._follow(sound, duration_sec, position, rule)

    def _follow(
        self,
        sound: AudioMeasurement,
        duration_sec: float,
        position: SegmentPosition,
        rule: FaultRule,
    ) -> list[IncidentChange]:
        if self.before_tail:
            self.faults.rewind(self.before_tail)
        heard = _Heard(sound, duration_sec, self.tail_sec, self.ahead_sec)
        is_silent = self.faults.fault is not None and self.faults.fault.is_faulty
        found = heard.findings(after_silence=is_silent)
        media = stretches(found, _longer(position, self.tail_sec), heard.duration_sec)
        is_seen_whole = reached(duration_sec, position.duration_sec)
        self.tail_sec = min(heard.tail_sec, LONGEST_LEAD_SEC) if is_seen_whole else 0.0
        self.ahead_sec -= duration_sec
        self.ahead_sec = max(0.0, self.ahead_sec, sound.audio_ahead_sec)
        body, tail = split(media, heard.duration_sec - self.tail_sec)
        changes = self.faults.follow(body, rule)
        self.before_tail = self.faults.model_copy(deep=True) if tail else None
        is_uncertain = self.faults.is_open and self.tail_sec >= USUAL_TAIL_SEC
        if is_uncertain and tail and tail[0].condition is Condition.GOOD:
            return changes
        return changes + self.faults.follow(tail, rule)

    def miss(self, position: SegmentPosition, rule: FaultRule) -> list[IncidentChange]:
        self.tail_sec, self.before_tail, self.ahead_sec = 0.0, None, 0.0
        self.expect_new_timestamps()
        whole = Finding(Interval(start=0.0, end=position.duration_sec))
        return self.faults.follow(stretches([whole], position, position.duration_sec), rule)

    def expect_new_timestamps(self) -> None:
        self.clock = SoundClock()

    def skip(self, duration_sec: float) -> None:
        if duration_sec > 0:
            self.tail_sec, self.before_tail = 0.0, None
            self.expect_new_timestamps()
        self.ahead_sec = max(0.0, self.ahead_sec - duration_sec)
        self.faults.skip(duration_sec)


class _Heard:
    """The sound of a segment and of the tail before it, in seconds from the tail's first moment."""

    def __init__(
        self, sound: AudioMeasurement, duration_sec: float, tail_sec: float, ahead_sec: float
    ) -> None:
        self.duration_sec = tail_sec + duration_sec
        lead_sec = sound.audio_lead_sec
        gaps = [Interval(start=-tail_sec, end=-lead_sec), *sound.audio_gaps]
        gaps_sec = sum(each.end - each.start for each in _within(gaps, 0.0))
        # Samples that are elsewhere: what is missing here may be what is too much there.
        self._outside_sec = sound.audio_sec - (duration_sec - gaps_sec)
        self._behind_sec = self._outside_sec - min(tail_sec, lead_sec)
        self._gaps = _joined(
            _moved(_within(gaps, max(-tail_sec, ahead_sec or -tail_sec)), tail_sec)
        )
        self._came_before = _moved(_within(gaps, 0.0, ahead_sec), tail_sec)
        self._quiet = _moved(sound.silent, tail_sec)
        self._quiet_starts = [each.start for each in self._quiet]
        self._quiet_ends = [each.end for each in self._quiet]

    @property
    def tail_sec(self) -> float:
        last = self._gaps[-1] if self._gaps else None
        return last.end - last.start if last and self._is_last(last) else 0.0

    def findings(self, *, after_silence: bool) -> Sequence[Finding]:
        """Return where it is silent; `after_silence` says whether the sound before was."""
        found = [Finding(each) for each in self._quiet]
        for gap in self._gaps:
            if self._is_missing(gap):
                found.append(Finding(gap, reason=AUDIO_MISSING))
            elif self._is_beside_silence(gap, after_silence):
                found.append(Finding(gap))
        came_before = (it for it in self._came_before if self._is_beside_silence(it, after_silence))
        return [*found, *map(Finding, came_before)]

    def _is_missing(self, gap: Interval) -> bool:
        """Return whether a gap is longer than what may be elsewhere."""
        elsewhere_sec = 0.0
        if gap.start == 0:
            elsewhere_sec = max(elsewhere_sec, self._behind_sec)
        if self._is_last(gap):
            elsewhere_sec = max(elsewhere_sec, self._outside_sec)
        return not reached(SHORT_GAP_SEC + elsewhere_sec, gap.end - gap.start)

    def _is_beside_silence(self, gap: Interval, after_silence: bool) -> bool:
        if gap.start == 0 and after_silence:
            return True
        return _has_near(self._quiet_ends, gap.start) or _has_near(self._quiet_starts, gap.end)

    def _is_last(self, gap: Interval) -> bool:
        return reached(gap.end, self.duration_sec)


def _has_near(moments: Sequence[float], moment: float) -> bool:
    """Return whether one of `moments`, which are in order, is about the same."""
    place = bisect_left(moments, moment - JOINT_TOLERANCE_SEC)
    return place < len(moments) and moments[place] <= moment + JOINT_TOLERANCE_SEC


def _within(found: Iterable[Interval], start: float, end: float = inf) -> list[Interval]:
    clipped = [Interval(start=max(each.start, start), end=min(each.end, end)) for each in found]
    return [each for each in clipped if each.end > each.start]


def _moved(found: Iterable[Interval], by_sec: float) -> list[Interval]:
    return [Interval(start=each.start + by_sec, end=each.end + by_sec) for each in found]


def _joined(found: Iterable[Interval]) -> list[Interval]:
    """Return intervals that are in order; two that touch are one."""
    joined: list[Interval] = []
    for each in found:
        if joined and reached(joined[-1].end, each.start):
            joined[-1] = Interval(start=joined[-1].start, end=each.end)
        else:
            joined.append(each)
    return joined


def _before(position: SegmentPosition, missing_sec: float) -> SegmentPosition:
    """Return where media lies that is missing before a segment."""
    starts_at = position.wall_clock(-missing_sec)
    return position.model_copy(update={"duration_sec": missing_sec, "starts_at": starts_at})


def _longer(position: SegmentPosition, tail_sec: float) -> SegmentPosition:
    """Return where a segment lies together with the tail before it."""
    return position.model_copy(
        update={
            "start_sec": position.start_sec - tail_sec,
            "duration_sec": position.duration_sec + tail_sec,
            "starts_at": position.wall_clock(-tail_sec),
        }
    )
