"""What was told of what had to be told. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.delay.script import CYCLE_SEGMENTS, Moment
from tests.testkit.receiver import Received

FRAMED_START_SEC = 0.2
"""A start that the media shows may be told by two frames wrong."""

SEEN_START_SEC = 2.0
"""The start of a stall or of failing segments is when it was seen: up to one and a half target
durations late, and so much more for the tries of a segment that is not there."""

ONCE = ("stream.started", "stream.ended")
POLL_SEC = 10.0
BAD_POLLS = 3


@dataclass(frozen=True)
class Told:
    """An event that came.

    Attributes:
        delay_sec: from when it could be known to its webhook.
        start_error_sec: by how much the told beginning of the fault is wrong.
        has_wrong_start: whether that is too much.
    """

    moment: Moment
    delay_sec: float
    start_error_sec: float
    has_wrong_start: bool


@dataclass
class DelayScoreboard:
    """Of one stream or of many.

    Attributes:
        told: the first event of each moment.
        missed: moments without an event.
        doubled: events of moments that had one.
        false: types of events that belong to nothing.
    """

    told: list[Told] = field(default_factory=list)
    missed: list[Moment] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    @property
    def wrong_starts(self) -> int:
        """How many events tell a wrong beginning."""
        return sum(each.has_wrong_start for each in self.told)

    @property
    def is_right(self) -> bool:
        """Whether each moment was told once, with its beginning, and nothing else."""
        return not (self.missed or self.doubled or self.false or self.wrong_starts)

    def add(self, other: "DelayScoreboard") -> None:
        """Take in the scoreboard of another stream."""
        self.told += other.told
        self.missed += other.missed
        self.doubled += other.doubled
        self.false += other.false


def scoreboard_of(
    truth: Sequence[Moment], events: Iterable[Received], segment_sec: float
) -> DelayScoreboard:
    """Compare what a stream's receiver got with what had to be told.

    An event belongs to the moment of its type whose fault began nearest to what it says.
    """
    scoreboard, found, frames = DelayScoreboard(), dict[Moment, Told](), Counter[str]()
    for event in events:
        if event.event_type in ONCE:
            frames[event.event_type] += 1
            continue
        moment = _meant(truth, event, segment_sec)
        if moment is None:
            scoreboard.false.append(event.event_type)
        elif moment in found:
            scoreboard.doubled.append(event.event_type)
        else:
            found[moment] = _told(moment, event, segment_sec)
    scoreboard.doubled += (frames - Counter(ONCE)).elements()
    scoreboard.told = list(found.values())
    scoreboard.missed = [moment for moment in truth if moment not in found]
    return scoreboard


def polled_delays_sec(moments: Iterable[Moment], phase_sec: float) -> list[float]:
    """Return what a look every 10 s adds to each moment: the wait for the next look."""
    return [_next_poll(moment.known_at, phase_sec) - moment.known_at for moment in moments]


def polled_alerts_sec(moments: Iterable[Moment], phase_sec: float) -> list[float]:
    """Return how long after a fault's first moment the third bad look is."""
    more_sec = (BAD_POLLS - 1) * POLL_SEC
    return [
        _next_poll(moment.shown_at, phase_sec) + more_sec - moment.started_at
        for moment in moments
        if moment.opens
    ]


def _next_poll(at: float, phase_sec: float) -> float:
    return at + (phase_sec - at) % POLL_SEC


def _meant(truth: Sequence[Moment], event: Received, segment_sec: float) -> Moment | None:
    same = [moment for moment in truth if moment.event_type == event.event_type]
    if not same:
        return None
    start = _told_start(event.event)
    nearest = min(same, key=lambda moment: abs(moment.started_at - start))
    is_near = abs(nearest.started_at - start) < CYCLE_SEGMENTS / 2 * segment_sec
    return nearest if is_near else None


def _told(moment: Moment, event: Received, segment_sec: float) -> Told:
    error_sec = _told_start(event.event) - moment.started_at
    seen_sec = 1.5 * segment_sec + SEEN_START_SEC
    most_sec = FRAMED_START_SEC if moment.is_of_media else seen_sec
    is_wrong = abs(error_sec) > most_sec
    return Told(moment, event.at - moment.known_at, error_sec, is_wrong)


def _told_start(event: dict[str, Any]) -> float:
    """Return when the fault began, as an event tells it, unix seconds."""
    data = event["data"]
    return datetime.fromisoformat(data.get("started_at") or event["timestamp"]).timestamp()
