"""Whether what was told of a programme is what a viewer sees and hears."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from benchmarks.truth.programme import Fault, Programme

WRONG_SEC = 0.5
"""A beginning or an end that is further off is told wrongly."""


class Verdict(StrEnum):
    """Of all that was told of a programme."""

    RIGHT = "right"
    FALSE_ALARM = "false alarm"
    MISS = "miss"
    WRONG_TIME = "wrong time"


class Told(NamedTuple):
    """An incident, in seconds of the programme; `end_sec` is the programme's where it stays."""

    kind: str
    start_sec: float
    end_sec: float


@dataclass(frozen=True)
class Judgement:
    """What became of one programme.

    Attributes:
        missed: incidents that were not told.
        false: told, and there is nothing.
        off_sec: by kind, by how much beginnings and ends are off; by itself where they are blurred.
    """

    programme: Programme
    told: Sequence[Told]
    missed: Sequence[Told] = ()
    false: Sequence[Told] = ()
    off_sec: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """A programme has one: the worst."""
        if self.missed:
            return Verdict.MISS
        if self.false:
            return Verdict.FALSE_ALARM
        off = (abs(each) for both in self.off_sec.values() for each in both)
        return Verdict.WRONG_TIME if any(each > WRONG_SEC for each in off) else Verdict.RIGHT


def incidents(
    faults: Iterable[Told], threshold_sec: Mapping[str, float], recovery_sec: float
) -> list[Told]:
    """Return what is to be told of faults: those that last, joined where little is between them."""
    found: dict[str, list[Told]] = {}
    for fault in sorted(faults, key=lambda it: it.start_sec):
        of_kind, least_sec = found.setdefault(fault.kind, []), threshold_sec.get(fault.kind, 0.0)
        if of_kind and fault.start_sec - of_kind[-1].end_sec < recovery_sec:
            of_kind[-1] = of_kind[-1]._replace(end_sec=max(of_kind[-1].end_sec, fault.end_sec))
        elif 0 < least_sec <= fault.end_sec - fault.start_sec:
            of_kind.append(fault)
    return [each for of_kind in found.values() for each in of_kind]


def judged(
    programme: Programme,
    told: Sequence[Told],
    threshold_sec: Mapping[str, float],
    recovery_sec: float,
) -> Judgement:
    """Compare what was told with what a viewer says of the programme."""
    certain = [Told(*_of(it)) for it in programme.faults if it.is_certain]
    unsure = [Told(*_of(it)) for it in programme.faults if not it.is_certain]
    blurred = [Told(*_of(it)) for it in programme.faults if not it.is_sharp]
    expected = incidents(certain, threshold_sec, recovery_sec)
    missed, off_sec, matched = list[Told](), dict[str, list[float]](), set[int]()
    for each in expected:
        places = [n for n, it in enumerate(told) if _overlap(each, it)]
        matched |= set(places)
        if not places:
            missed.append(each)
            continue
        if any(_overlap(each, it) for it in unsure):
            continue
        first, last = told[places[0]], told[places[-1]]
        name = f"{each.kind}, blurred" if any(_overlap(each, it) for it in blurred) else each.kind
        off_sec.setdefault(name, []).extend(
            (first.start_sec - each.start_sec, last.end_sec - each.end_sec)
        )
        if len(places) > 1:
            off_sec[name].append(max(it.end_sec for it in told) - first.end_sec)
    rest = [it for n, it in enumerate(told) if n not in matched]
    false = [it for it in rest if not any(_overlap(it, other) for other in unsure)]
    return Judgement(programme, told, missed, false, off_sec)


def _of(fault: Fault) -> tuple[str, float, float]:
    return fault.kind, fault.start_sec, fault.end_sec


def _overlap(one: Told, other: Told) -> bool:
    return (
        one.kind == other.kind and one.start_sec < other.end_sec and other.start_sec < one.end_sec
    )
