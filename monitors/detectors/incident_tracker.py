"""Which incidents are told: what detectors found, without what would be told twice.

- While the stream is suspended, or its segments fail, faults of the media neither open nor close:
  they are told afterwards, if they are still there.
- A fault that keeps coming and going is one flapping incident. A receiver gets at most 20 events an
  hour of one kind, at any rhythm of the faults: in an hour, up to 5 incidents are ordinary, less if
  they come quickly, and each flapping one but the first asks for 10 quiet minutes before it closes.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from monitors.config import Thresholds
from monitors.coverage import MOST_QUIET_SPANS, QuietSpan, whole_milliseconds
from monitors.coverage_log import PAUSE
from monitors.detectors.explanations import BARS, TONE
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.measurement import Track
from monitors.status import SOUND_KINDS, STREAM_KINDS, IncidentKind

QUICKLY = timedelta(minutes=10)
MANY_QUICKLY = 3  # so many incidents of a kind in that time make the next one a flapping one

REMEMBERED = timedelta(hours=1)
MANY_SLOWLY = 5  # the same within an hour
LONG_QUIET_SEC = 600.0

HIDING = frozenset({IncidentKind.SUSPENDED, IncidentKind.SEGMENT_ERROR})

_PICTURE, _SOUND = frozenset[Track]({"video"}), frozenset[Track]({"audio"})
_BOTH = _PICTURE | _SOUND
_TRACKS_OF_SIGNALS: dict[str | None, frozenset[Track]] = {BARS: _PICTURE, TONE: _SOUND}


class Quiet(BaseModel):
    """The end of a fault whose incident is open, and the good time since."""

    closed: IncidentClosed
    seen_until: AwareDatetime
    seen_sec: float = 0.0

    def go_on(self, until: datetime, pause: timedelta) -> None:
        """Count the time to `until`, unless the step is longer than `pause`: nobody looked then."""
        step = until - self.seen_until
        if step > timedelta():
            self.seen_sec += step.total_seconds() if step <= pause else 0.0
            self.seen_until = until


class TrackedKind(BaseModel):
    """The incidents of one kind and one audio track."""

    opened: IncidentOpened | None = None  # the incident that is open; None where none is
    is_told: bool = False
    quiet: Quiet | None = None  # set when its fault is over
    quiet_asked_sec: float = 0.0  # how long it stays open then
    beginnings: list[AwareDatetime] = []  # of those that were told within an hour

    @property
    def is_there(self) -> bool:
        """Whether its fault is there now, told or not."""
        return self.opened is not None and self.quiet is None

    def began_as(self, closed: IncidentClosed) -> bool:
        return self.opened is not None and (
            (self.opened.kind, self.opened.started_at) == (closed.kind, closed.started_at)
        )

    def quiet_until(self, change: IncidentChange) -> QuietSpan | None:
        """Return the good time that ends where the fault of this incident comes back."""
        if self.opened is None or self.quiet is None or isinstance(change, IncidentClosed):
            return None
        start = whole_milliseconds(self.quiet.closed.recovered_at)
        end = whole_milliseconds(change.started_at)
        return QuietSpan(incident=self.opened.ref, start=start, end=end) if start < end else None

    def apply(self, change: IncidentChange) -> None:
        if isinstance(change, IncidentOpened):
            self.opened = self.opened or change
            self.quiet = None
        elif self.is_told:
            self.quiet = Quiet(closed=change, seen_until=change.recovered_at)
        else:
            self.opened = None

    def open_as(self, thresholds: Thresholds) -> IncidentOpened | None:
        """Return the incident as it is told now; None where it is told, or none is there."""
        if self.opened is None or self.is_told:
            return None
        started_at = self.opened.started_at
        self.beginnings = _recent(self.beginnings, started_at)
        asked_sec = _quiet_asked_sec(started_at, self.beginnings, thresholds)
        self.beginnings.append(started_at)
        self.quiet_asked_sec = asked_sec or 0.0
        self.opened = self.opened.model_copy(update={"is_flapping": asked_sec is not None})
        self.is_told = True
        return self.opened

    def close_as(self) -> IncidentClosed | None:
        """Return the end of the incident as it is told now; None where it is not over."""
        opened, quiet = self.opened, self.quiet
        if opened is None or quiet is None or quiet.seen_sec < self.quiet_asked_sec:
            return None
        self.opened, self.quiet, self.is_told = None, None, False
        closed = quiet.closed
        named = {name: it for name, it in closed.details.items() if name != "track"}
        if track := opened.ref.track:  # its identity, whatever the track is called by now
            named["track"] = track
        before_sec = (closed.started_at - opened.started_at).total_seconds()
        return closed.model_copy(
            update={
                "started_at": opened.started_at,
                "total_duration_sec": max(0.0, before_sec + closed.total_duration_sec),
                "details": named,
                "is_flapping": opened.is_flapping,
            }
        )


def _quiet_asked_sec(
    started_at: datetime, before: Sequence[datetime], thresholds: Thresholds
) -> float | None:
    """Return how long an incident stays open after its fault; None if it is not flapping."""
    # `before` are the beginnings of those of its kind before.
    if thresholds.flapping_recovery_factor == 0:
        return None
    lately = _recent(before, started_at)
    quickly = [each for each in lately if each > started_at - QUICKLY]
    if len(quickly) < MANY_QUICKLY and len(lately) < MANY_SLOWLY:
        return None
    short_sec = thresholds.recovery_sec * thresholds.flapping_recovery_factor
    return short_sec if len(lately) == MANY_QUICKLY else max(short_sec, LONG_QUIET_SEC)


def _recent(beginnings: Sequence[datetime], at: datetime) -> list[datetime]:
    """Return what counts for an incident that begins `at`."""
    return [each for each in beginnings if each > at - REMEMBERED]


class IncidentTracker(BaseModel):
    """What was told of a stream's incidents."""

    kinds: dict[str, TrackedKind] = {}  # by kind and audio track
    # good time between the faults of an incident, which the gateway does not know
    quiet_spans: list[QuietSpan] = []

    def told(
        self,
        changes: Iterable[IncidentChange],
        at: datetime,
        thresholds: Thresholds,
        *,
        media_until: datetime | None = None,
        pause: timedelta = PAUSE,
    ) -> list[IncidentChange]:
        """Return what is to be told now; media was judged just now up to `media_until`."""
        told = []
        for change in changes:
            tracked = self._of(change)
            if span := tracked.quiet_until(change):
                self.quiet_spans = [*self.quiet_spans, span][-MOST_QUIET_SPANS:]
            tracked.apply(change)
            told += self._due(thresholds)
        for key, tracked in self.kinds.items():
            until = at if _is_of_stream(key) else media_until
            if tracked.quiet and until:
                tracked.quiet.go_on(until, pause)
        return told + self._due(thresholds)

    def forget_quiet(self, known: Collection[QuietSpan]) -> None:
        """Forget what the gateway has taken."""
        self.quiet_spans = [each for each in self.quiet_spans if each not in known]

    def open_incidents(self) -> dict[IncidentKind, datetime]:
        """Return the kinds that are told as open, and since when."""
        known: dict[IncidentKind, datetime] = {}
        for opened in self.told_open():
            known[opened.kind] = min(opened.started_at, known.get(opened.kind, opened.started_at))
        return known

    def told_open(self) -> list[IncidentOpened]:
        return [each.opened for each in self.kinds.values() if each.opened and each.is_told]

    def open_tracks(self) -> set[Track]:
        """Return of what the incidents are that are told as open: of pictures, of sound."""
        return {track for incident in self.told_open() for track in _tracks_of(incident)}

    def _of(self, change: IncidentChange) -> TrackedKind:
        # A track may have another name by the end of its incident.
        same = (
            tracked
            for tracked in self.kinds.values()
            if isinstance(change, IncidentClosed) and tracked.began_as(change)
        )
        key = f"{change.kind}/{change.ref.track}"
        return next(same, None) or self.kinds.setdefault(key, TrackedKind())

    def _due(self, thresholds: Thresholds) -> list[IncidentChange]:
        ends = [each.close_as() for each in self._shown()]
        begins = [each.open_as(thresholds) for each in self._shown()]
        return [each for each in (*ends, *begins) if each]

    def _shown(self) -> list[TrackedKind]:
        """Return those of which something may be told: causes first."""
        causes = [each for key, each in self.kinds.items() if _is_of_stream(key)]
        hidden = [each for key, each in self.kinds.items() if not _is_of_stream(key)]
        hides = any(each.is_there for key, each in self.kinds.items() if _kind(key) in HIDING)
        return causes if hides else causes + hidden


def _tracks_of(opened: IncidentOpened) -> frozenset[Track]:
    if opened.kind is IncidentKind.TEST_SIGNAL:
        return _TRACKS_OF_SIGNALS.get(opened.reason, _BOTH)
    if opened.kind in STREAM_KINDS:
        return frozenset()
    return _SOUND if opened.kind in SOUND_KINDS else _PICTURE


def _kind(key: str) -> str:
    return key.partition("/")[0]


def _is_of_stream(key: str) -> bool:
    return _kind(key) in STREAM_KINDS
