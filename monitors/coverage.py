"""What was seen of a stream: each moment of a monitor's life has one condition.

Three sources are laid over each other: when the stream was live, what a watch observed
(`ObservedSpan`), and the incidents. Observations join in any order and any number of times to the
same result, so a report that comes twice, late or out of order does no harm.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Annotated, NamedTuple, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from monitors.status import IncidentKind

T = TypeVar("T")

EDGE = timedelta(seconds=30)
"""Media is seen some seconds after it was on air: what was observed last before the end of a live
period holds until that end, if it is this near. Likewise at its beginning."""

MOST_REASON_CHARS = 64
MOST_SPANS = 200
"""A report tells no more at once."""

MILLISECOND = timedelta(milliseconds=1)


class CoverageCondition(StrEnum):
    """What is known of a moment.

    `FAULTY`: an incident was open. `UNKNOWN`: the stream could not be seen. `UNWATCHED`:
    nobody looked. `NOT_LIVE`: before the stream was seen live, or after its end.
    """

    OK = "ok"
    FAULTY = "faulty"
    UNKNOWN = "unknown"
    UNWATCHED = "unwatched"
    NOT_LIVE = "not_live"


_UNWATCHED = CoverageCondition.UNWATCHED


def whole_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Moment = Annotated[AwareDatetime, AfterValidator(whole_milliseconds)]


class ObservedSpan(BaseModel):
    """A stretch of time in which somebody looked; `end` is exclusive, both are milliseconds.

    Attributes:
        reason: why the stream could not be seen; None where it could.
    """

    model_config = ConfigDict(frozen=True)

    start: Moment
    end: Moment
    reason: Annotated[str, Field(min_length=1, max_length=MOST_REASON_CHARS)] | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start >= self.end:
            raise ValueError("start must be before end")
        return self


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


class CoverageInterval(NamedTuple):
    """A stretch of the timeline; `end` is exclusive.

    Attributes:
        kinds: of the incidents that were open.
        reason: why the stream could not be seen, also while an incident was open; that may be over
            by then.
    """

    start: datetime
    end: datetime
    condition: CoverageCondition
    kinds: tuple[IncidentKind, ...] = ()
    reason: str | None = None

    @property
    def milliseconds(self) -> int:
        return (self.end - self.start) // MILLISECOND


def join(spans: Iterable[ObservedSpan]) -> list[ObservedSpan]:
    """Return what all `spans` tell together, in order, disjoint, as few as can be.

    What was seen once is seen, whatever else is told of it.
    """
    joined: list[ObservedSpan] = []
    for start, end, active in _sweep([(each.start, each.end, each.reason) for each in spans]):
        if not active:
            continue
        reason = None if None in active else min(filter(None, active))
        last = joined[-1] if joined else None
        if last and last.end == start and last.reason == reason:
            joined[-1] = last.model_copy(update={"end": end})
        else:
            joined.append(ObservedSpan(start=start, end=end, reason=reason))
    return joined


def timeline(
    since: datetime,
    until: datetime,
    *,
    live: LivePeriod | None,
    observed: Sequence[Observation],
    incidents: Iterable[IncidentSpan],
) -> list[CoverageInterval]:
    """Return the intervals between two moments, without gap or overlap.

    Args:
        since: the first moment.
        until: the first one that is left out.
        live: None: the stream was never live.
        observed: in order.
        incidents: in any order.
    """
    since, until = whole_milliseconds(since), whole_milliseconds(until)
    if live is None:
        return [CoverageInterval(since, until, CoverageCondition.NOT_LIVE)]
    ended = whole_milliseconds(live.until) if live.until else until
    begin = min(max(whole_milliseconds(live.since), since), until)
    end = min(max(ended, begin), until)
    seen = _filled(begin, end, _to_edges(observed, live))
    return _merged(
        [
            CoverageInterval(since, begin, CoverageCondition.NOT_LIVE),
            *_overlaid(seen, _faults(begin, end, incidents)),
            CoverageInterval(end, until, CoverageCondition.NOT_LIVE),
        ]
    )


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


def _filled(
    begin: datetime, end: datetime, observed: Iterable[Observation]
) -> Iterator[CoverageInterval]:
    reached = begin
    for span in observed:
        start, stop = max(span.start, reached), min(span.end, end)
        if start >= stop:
            continue
        if start > reached:
            yield CoverageInterval(reached, start, CoverageCondition.UNWATCHED)
        condition = CoverageCondition.UNKNOWN if span.reason else CoverageCondition.OK
        yield CoverageInterval(start, stop, condition, (), span.reason)
        reached = stop
    yield CoverageInterval(reached, end, CoverageCondition.UNWATCHED)


def _faults(
    begin: datetime, end: datetime, incidents: Iterable[IncidentSpan]
) -> Iterator[CoverageInterval]:
    for cluster in _clusters(
        (
            max(begin, whole_milliseconds(each.start)),
            min(end, whole_milliseconds(each.end)) if each.end else end,
            each.kind,
        )
        for each in incidents
    ):
        for start, stop, kinds in _sweep(cluster):
            yield CoverageInterval(start, stop, CoverageCondition.FAULTY, tuple(sorted(kinds)))


def _clusters(
    spans: Iterable[tuple[datetime, datetime, T]],
) -> Iterator[list[tuple[datetime, datetime, T]]]:
    """Yield spans that overlap or border each other together, in order."""
    cluster: list[tuple[datetime, datetime, T]] = []
    reached = None
    for span in sorted(spans, key=itemgetter(0)):
        if span[0] >= span[1]:
            continue
        if reached is not None and span[0] > reached:
            yield cluster
            cluster, reached = [], None
        cluster.append(span)
        reached = span[1] if reached is None else max(reached, span[1])
    if cluster:
        yield cluster


def _overlaid(
    seen: Iterable[CoverageInterval], faults: Iterable[CoverageInterval]
) -> Iterator[CoverageInterval]:
    """Yield `seen` with `faults` in front of it; both are in order and disjoint.

    Of a fault that nobody saw going on, the reason says why.
    """
    ahead = iter(faults)
    fault = next(ahead, None)
    for each in seen:
        start = each.start
        while fault and fault.start < each.end:
            if fault.start > start:
                yield CoverageInterval(start, fault.start, *each[2:])
            stop = min(fault.end, each.end)
            reason = _why_unseen(each)
            if fault.start >= start and stop == fault.end and reason is None:
                yield fault
            else:
                begin = max(start, fault.start)
                yield CoverageInterval(begin, stop, fault.condition, fault.kinds, reason)
            start = stop
            if fault.end > each.end:
                break
            fault = next(ahead, None)
        yield each if start == each.start else CoverageInterval(start, *each[1:])


def _why_unseen(interval: CoverageInterval) -> str | None:
    return _UNWATCHED if interval.condition is _UNWATCHED else interval.reason


def _merged(intervals: Iterable[CoverageInterval]) -> list[CoverageInterval]:
    """Return the intervals that are not empty, joined where nothing changes."""
    merged: list[CoverageInterval] = []
    for each in intervals:
        if each.start >= each.end:
            continue
        if merged and merged[-1][2:] == each[2:]:
            merged[-1] = merged[-1]._replace(end=each.end)
        else:
            merged.append(each)
    return merged


def _sweep(
    layers: Sequence[tuple[datetime, datetime, T]],
) -> Iterator[tuple[datetime, datetime, tuple[T, ...]]]:
    """Yield each stretch between two borders with the values that hold in it, in order."""
    if len(layers) == 1:
        start, end, value = layers[0]
        yield start, end, (value,)
        return
    borders: list[tuple[datetime, int, T]] = []
    for start, end, value in layers:
        borders += ((start, 1, value), (end, -1, value))
    borders.sort(key=itemgetter(0))
    held: Counter[T] = Counter()
    reached = borders[0][0] if borders else None
    for at, change, value in borders:
        if reached is not None and at > reached:
            yield reached, at, tuple(held)
            reached = at
        held[value] += change
        if not held[value]:
            del held[value]
