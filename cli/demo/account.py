"""What arrived, held against what must arrive. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli.demo.script import Expectation

STARTED_TOLERANCE_SEC = 0.1
"""How far `started_at` and `recovered_at` may lie from the script."""


@dataclass(frozen=True)
class Arrival:
    """A webhook that came in.

    Attributes:
        event: its body.
        problem: why it must not be trusted; None when it is genuine.
        at: when it came in.
    """

    event: dict[str, Any]
    problem: str | None
    at: datetime

    @property
    def name(self) -> str:
        """The event type, or what there is instead."""
        return str(self.event.get("event_type", "a body that is no event"))

    def moment(self, name: str) -> datetime | None:
        """Return a moment that the event's data name; None without it."""
        text = self.event.get("data", {}).get(name)
        return datetime.fromisoformat(text) if text else None


@dataclass
class Row:
    """An expected event and what became of it.

    Attributes:
        known_at: when anybody could know at the earliest; None until it has come.
        started_at, recovered_at: what the event must name; None where it names nothing.
    """

    expected: Expectation
    known_at: datetime | None = None
    started_at: datetime | None = None
    recovered_at: datetime | None = None
    arrival: Arrival | None = None

    @property
    def delay_sec(self) -> float | None:
        """From `known_at` to the arrival; None while one of the two is missing."""
        if self.arrival is None or self.known_at is None:
            return None
        return (self.arrival.at - self.known_at).total_seconds()


@dataclass
class Account:
    """The expected events in their order, and all arrivals.

    Attributes:
        arrivals: in the order in which they came; an event that came again counts once.
        superfluous: those that nobody expected, or that must not be trusted.
    """

    rows: list[Row]
    arrivals: list[Arrival] = field(default_factory=list)
    superfluous: list[Arrival] = field(default_factory=list)

    def take(self, arrival: Arrival) -> None:
        """Enter an arrival: it belongs to the first open row of its type."""
        # Delivery is at least once: the same event again is no other event.
        if arrival.problem is None and self._has(arrival):
            return
        self.arrivals.append(arrival)
        row = None if arrival.problem else self._open_row(arrival.name)
        if row is None:
            self.superfluous.append(arrival)
        else:
            row.arrival = arrival

    @property
    def is_complete(self) -> bool:
        """Whether every expected event arrived."""
        return all(row.arrival for row in self.rows)

    @property
    def genuine(self) -> list[Arrival]:
        """The arrivals that can be trusted."""
        return [each for each in self.arrivals if each.problem is None]

    def delays_sec(self) -> list[float]:
        """Return the delays that are known, in the order of the script."""
        return [row.delay_sec for row in self.rows if row.delay_sec is not None]

    def problems(self) -> list[str]:
        """Return, a line each, what is not as the script has it; empty when all is."""
        return [
            *(f"missing: {row.expected.event_type}" for row in self.rows if not row.arrival),
            *map(_superfluous, self.superfluous),
            *self._disorder(),
            *(problem for row in self.rows for problem in _wrong_moments(row)),
        ]

    def _has(self, arrival: Arrival) -> bool:
        identity = arrival.event.get("event_id")
        return any(each.event.get("event_id") == identity for each in self.genuine)

    def _open_row(self, name: str) -> Row | None:
        fitting = (row for row in self.rows if row.expected.event_type == name and not row.arrival)
        return next(fitting, None)

    def _disorder(self) -> list[str]:
        genuine = self.genuine
        sequences = [each.event.get("sequence") for each in genuine]
        problems = []
        if sequences != list(range(1, len(genuine) + 1)):
            problems.append(f"sequence numbers are not 1, 2, 3 ...: {sequences}")
        if not self._follows_script(genuine):
            problems.append(f"wrong order: {', '.join(each.name for each in genuine)}")
        return problems

    def _follows_script(self, genuine: Sequence[Arrival]) -> bool:
        positions = [genuine.index(row.arrival) for row in self.rows if row.arrival]
        return positions == sorted(positions)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of `values` that at least this share (0 to 1) of them do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def _superfluous(arrival: Arrival) -> str:
    if arrival.problem:
        return f"not genuine: {arrival.name} ({arrival.problem})"
    return f"not expected: {arrival.name} (sequence {arrival.event.get('sequence')})"


def _wrong_moments(row: Row) -> list[str]:
    wanted = {"started_at": row.started_at, "recovered_at": row.recovered_at}
    problems = []
    for name, moment in wanted.items():
        if moment is None or row.arrival is None:
            continue
        named = row.arrival.moment(name)
        if named is None:
            problems.append(f"{row.expected.event_type}: {name} is missing")
        elif abs(off_sec := (named - moment).total_seconds()) > STARTED_TOLERANCE_SEC:
            problems.append(f"{row.expected.event_type}: {name} is {off_sec:+.3f} s off")
    return problems
