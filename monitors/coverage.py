"""What was seen of a stream: each moment of a monitor's life has one condition.

Three sources are laid over each other: when the stream was live, what a watch observed
(`ObservedSpan`), and the incidents. Observations join in any order and any number of times to the
same result, so a report that comes twice, late or out of order does no harm.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from monitors.status import IncidentKind

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


@dataclass(frozen=True)
class LivePeriod:
    """When a stream was live; `until` is None while it goes on."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class IncidentSpan:
    """How long an incident was open; `end` is None while it is."""

    kind: IncidentKind
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True)
class CoverageInterval:
    """A stretch of the timeline; `end` is exclusive.

    Attributes:
        kinds: of the incidents that were open.
        reason: why the stream was unknown.
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


def timeline(
    since: datetime,
    until: datetime,
    *,
    live: LivePeriod | None,
    observed: Sequence[ObservedSpan],
    incidents: Iterable[IncidentSpan],
) -> list[CoverageInterval]:
    """Return the intervals between two moments, without gap or overlap."""
    since, until = whole_milliseconds(since), whole_milliseconds(until)
    layers: list[tuple[datetime, datetime, Any]] = [(since, until, _NOBODY)]
    layers += [(start, end, _NOT_LIVE) for start, end in _not_live(since, until, live)]
    layers += [(span.start, span.end, _Seen(span.reason)) for span in _to_edges(observed, live)]
    layers += [
        (whole_milliseconds(each.start), whole_milliseconds(each.end or until), each.kind)
        for each in incidents
    ]
    clipped = ((max(since, start), min(until, end), value) for start, end, value in layers)
    return _merged(
        CoverageInterval(start, end, *_judged(active)) for start, end, active in _sweep(clipped)
    )


@dataclass(frozen=True)
class _Seen:
    reason: str | None


_NOBODY = object()
_NOT_LIVE = object()


def _judged(
    active: set[Any],
) -> tuple[CoverageCondition, tuple[IncidentKind, ...], str | None]:
    if _NOT_LIVE in active:
        return CoverageCondition.NOT_LIVE, (), None
    kinds = tuple(sorted(each for each in active if isinstance(each, IncidentKind)))
    if kinds:
        return CoverageCondition.FAULTY, kinds, None
    seen = next((each for each in active if isinstance(each, _Seen)), None)
    if seen is None:
        return CoverageCondition.UNWATCHED, (), None
    return CoverageCondition.UNKNOWN if seen.reason else CoverageCondition.OK, (), seen.reason


def _not_live(
    since: datetime, until: datetime, live: LivePeriod | None
) -> list[tuple[datetime, datetime]]:
    if live is None:
        return [(since, until)]
    after = [(whole_milliseconds(live.until), until)] if live.until else []
    return [(since, whole_milliseconds(live.since)), *after]


def _to_edges(observed: Sequence[ObservedSpan], live: LivePeriod | None) -> list[ObservedSpan]:
    """Stretch what was observed first and last to the edges of the live period, if it is near."""
    spans = list(observed)
    if not spans or live is None:
        return spans
    since = whole_milliseconds(live.since)
    if timedelta() < spans[0].start - since <= EDGE:
        spans[0] = spans[0].model_copy(update={"start": since})
    until = whole_milliseconds(live.until) if live.until else None
    if until and timedelta() < until - spans[-1].end <= EDGE:
        spans[-1] = spans[-1].model_copy(update={"end": until})
    return spans


def _merged(intervals: Iterable[CoverageInterval]) -> list[CoverageInterval]:
    merged: list[CoverageInterval] = []
    for each in intervals:
        if merged and _is_same(merged[-1], each):
            merged[-1] = replace(merged[-1], end=each.end)
        else:
            merged.append(each)
    return merged


def _is_same(one: CoverageInterval, other: CoverageInterval) -> bool:
    told = (one.condition, one.kinds, one.reason)
    return told == (other.condition, other.kinds, other.reason)


def _sweep(
    layers: Iterable[tuple[datetime, datetime, Any]],
) -> Iterator[tuple[datetime, datetime, set[Any]]]:
    """Yield each stretch between two borders with the values that hold in it, in order."""
    borders: list[tuple[datetime, int, Any]] = []
    for start, end, value in layers:
        if start < end:
            borders += [(start, 1, value), (end, -1, value)]
    borders.sort(key=lambda border: border[0])
    held: dict[Any, int] = {}
    reached = borders[0][0] if borders else None
    for at, change, value in borders:
        if reached is not None and at > reached:
            yield reached, at, {each for each, count in held.items() if count}
            reached = at
        held[value] = held.get(value, 0) + change
