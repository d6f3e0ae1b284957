"""What was seen of a stream: each moment of a monitor's life has one condition.

Three sources are laid over each other: when the stream was live, what a watch observed
(`ObservedSpan`), and the incidents. Observations join in any order and any number of times to the
same result, so a report that comes twice, late or out of order does no harm.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Annotated, NamedTuple, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from monitors.incidents import IncidentRef
from monitors.status import IncidentKind

T = TypeVar("T")

EDGE = timedelta(seconds=30)
"""Media is seen some seconds after it was on air: what was observed last before the end of a live
period holds until that end, if it is this near. Likewise at its beginning."""

MOST_REASON_CHARS = 64
MOST_SPANS = 200  # a report tells no more at once
MOST_QUIET_SPANS = 100  # likewise; while the gateway is away, older ones count as faulty

MILLISECOND = timedelta(milliseconds=1)


class CoverageCondition(StrEnum):
    """What is known of a moment.

    `FAULTY`: an incident was open, and its fault was there. `UNKNOWN`: the stream could not be
    seen. `UNWATCHED`: nobody looked. `NOT_LIVE`: before the stream was seen live, or after its end.
    """

    OK = "ok"
    FAULTY = "faulty"
    UNKNOWN = "unknown"
    UNWATCHED = "unwatched"
    NOT_LIVE = "not_live"


_OK, _FAULTY = CoverageCondition.OK, CoverageCondition.FAULTY
_UNKNOWN, _UNWATCHED = CoverageCondition.UNKNOWN, CoverageCondition.UNWATCHED
_NOT_LIVE = CoverageCondition.NOT_LIVE

Stretch = tuple[datetime, datetime, CoverageCondition, tuple[IncidentKind, ...], str | None]
"""As `CoverageInterval`, without its names: reports go through hundreds of thousands."""


def whole_milliseconds(moment: datetime) -> datetime:
    rest = moment.microsecond % 1000
    return moment.replace(microsecond=moment.microsecond - rest) if rest else moment


Moment = Annotated[AwareDatetime, AfterValidator(whole_milliseconds)]


class _Span(BaseModel, frozen=True):
    """A stretch of time; `end` is exclusive, both are milliseconds."""

    start: Moment
    end: Moment

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start >= self.end:
            raise ValueError("start must be before end")
        return self


class ObservedSpan(_Span):
    """Time in which somebody looked; `reason` says why the stream could not be seen then."""

    reason: Annotated[str, Field(min_length=1, max_length=MOST_REASON_CHARS)] | None = None


class QuietSpan(_Span):
    """Good time between two faults of one incident."""

    incident: IncidentRef


class Observation(NamedTuple):
    """An `ObservedSpan` as it is read back."""

    start: datetime
    end: datetime
    reason: str | None


class LivePeriod(NamedTuple):
    """When a stream was live; `until` is None while it goes on."""

    since: datetime
    until: datetime | None = None


class IncidentSpan(NamedTuple):
    """How long an incident was open; `end` is None while it is."""

    kind: IncidentKind
    start: datetime
    end: datetime | None = None

    def without(self, quiet: Iterable[tuple[datetime, datetime]]) -> "list[IncidentSpan]":
        """Return what is left without the good time between its faults, which is in order."""
        parts, start = [], self.start
        for good, faulty in quiet:
            parts.append(IncidentSpan(self.kind, start, good))
            start = faulty
        return [*parts, IncidentSpan(self.kind, start, self.end)]


class CoverageInterval(NamedTuple):
    """A stretch of the timeline; `end` is exclusive."""

    start: datetime
    end: datetime
    condition: CoverageCondition
    kinds: tuple[IncidentKind, ...] = ()  # of the incidents that were open
    # why the stream could not be seen, also while an incident was open; that may be over by then
    reason: str | None = None

    @property
    def milliseconds(self) -> int:
        return (self.end - self.start) // MILLISECOND


def join(spans: Iterable[ObservedSpan]) -> list[ObservedSpan]:
    """Return what all `spans` tell together, in order, disjoint, as few as can be.

    What was seen once is seen, whatever else is told of it.
    """
    joined: list[ObservedSpan] = []
    for start, end, active in _sweep((each.start, each.end, each.reason) for each in spans):
        if not active:
            continue
        reason = None if None in active else min(filter(None, active))
        last = joined[-1] if joined else None
        if last and last.end == start and last.reason == reason:
            joined[-1] = last.model_copy(update={"end": end})
        else:
            joined.append(ObservedSpan(start=start, end=end, reason=reason))
    return joined


def stretches(
    since: datetime,
    until: datetime,
    *,
    live: LivePeriod | None,
    observed: Sequence[Observation],
    incidents: Iterable[IncidentSpan],
) -> Iterator[Stretch]:
    """Yield the timeline between two moments, without gap or overlap; `until` is left out.

    Some are empty, and some go on in the next one: `merged` makes them as few as can be. `live` is
    None where the stream was never live. `observed` is in order.
    """
    since, until = whole_milliseconds(since), whole_milliseconds(until)
    if live is None:
        yield since, until, _NOT_LIVE, (), None
        return
    ended = whole_milliseconds(live.until) if live.until else until
    begin = min(max(whole_milliseconds(live.since), since), until)
    end = min(max(ended, begin), until)
    seen = _filled(begin, end, _to_edges(observed, live))
    yield since, begin, _NOT_LIVE, (), None
    yield from _overlaid(seen, _faults(begin, end, incidents))
    yield end, until, _NOT_LIVE, (), None


def _to_edges(observed: Sequence[Observation], live: LivePeriod) -> list[Observation]:
    """Stretch what was observed first and last to the edges of the live period, if it is near."""
    spans = list(observed)
    if not spans:
        return spans
    since = whole_milliseconds(live.since)
    if timedelta() < spans[0].start - since <= EDGE:
        spans[0] = spans[0]._replace(start=since)
    until = whole_milliseconds(live.until) if live.until else None
    if until and timedelta() < until - spans[-1].end <= EDGE:
        spans[-1] = spans[-1]._replace(end=until)
    return spans


def _filled(begin: datetime, end: datetime, observed: Iterable[Observation]) -> Iterator[Stretch]:
    reached = begin
    for span_start, span_end, reason in observed:
        start, stop = max(span_start, reached), min(span_end, end)
        if start >= stop:
            continue
        if start > reached:
            yield reached, start, _UNWATCHED, (), None
        yield start, stop, _UNKNOWN if reason else _OK, (), reason
        reached = stop
    yield reached, end, _UNWATCHED, (), None


def _faults(begin: datetime, end: datetime, incidents: Iterable[IncidentSpan]) -> Iterator[Stretch]:
    spans = (
        (
            max(begin, whole_milliseconds(each.start)),
            min(end, whole_milliseconds(each.end)) if each.end else end,
            each.kind,
        )
        for each in incidents
    )
    for start, stop, kinds in _sweep(span for span in spans if span[0] < span[1]):
        if kinds:
            yield start, stop, _FAULTY, tuple(sorted(kinds)), None


def _overlaid(seen: Iterable[Stretch], faults: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield `seen` with `faults` in front of it; both are in order and disjoint."""
    # Of a fault that nobody saw going on, the reason says why.
    ahead = iter(faults)
    fault = next(ahead, None)
    for start, end, condition, kinds, reason in seen:
        unseen = _UNWATCHED if condition is _UNWATCHED else reason
        while fault and fault[0] < end:
            if fault[0] > start:
                yield start, fault[0], condition, kinds, reason
                start = fault[0]
            stop = min(fault[1], end)
            yield start, stop, _FAULTY, fault[3], unseen
            start = stop
            if fault[1] > end:
                break
            fault = next(ahead, None)
        yield start, end, condition, kinds, reason


def merged(parts: Iterable[Stretch]) -> list[CoverageInterval]:
    """Return the intervals that are not empty, joined where nothing changes."""
    joined: list[CoverageInterval] = []
    for each in parts:
        if each[0] >= each[1]:
            continue
        if joined and joined[-1][2:] == each[2:]:
            joined[-1] = joined[-1]._replace(end=each[1])
        else:
            joined.append(CoverageInterval(*each))
    return joined


def _sweep(
    layers: Iterable[tuple[datetime, datetime, T]],
) -> Iterator[tuple[datetime, datetime, tuple[T, ...]]]:
    """Yield each stretch between two borders with the values that hold in it, in order."""
    borders: list[tuple[datetime, int, T]] = []
    for start, end, value in layers:
        borders += ((start, 1, value), (end, -1, value))
    borders.sort(key=itemgetter(0))
    held: dict[T, int] = {}
    reached = borders[0][0] if borders else None
    for at, change, value in borders:
        if reached is not None and at > reached:
            yield reached, at, tuple(held)
            reached = at
        held[value] = held.get(value, 0) + change
        if not held[value]:
            del held[value]
