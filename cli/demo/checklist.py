"""The expected events, ticked off as webhooks arrive. Pure."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cli.demo.script import Expectation

MOMENT_TOLERANCE_SEC = 0.1  # how far `started_at` and `recovered_at` may lie from the script


@dataclass(frozen=True)
class Arrival:
    """A webhook that came in; `problem` says why it must not be trusted."""

    event: dict[str, Any]
    problem: str | None
    at: datetime

    @property
    def event_type(self) -> str:
        return str(self.event.get("event_type", "a body that is no event"))

    @property
    def incident_id(self) -> str | None:
        found: str | None = self.event.get("data", {}).get("incident_id")
        return found

    def moment(self, name: str) -> datetime | None:
        text = self.event.get("data", {}).get(name)
        return datetime.fromisoformat(text) if text else None


@dataclass
class Row:
    """An expected event and its arrival.

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
        if self.arrival is None or self.known_at is None:
            return None
        return (self.arrival.at - self.known_at).total_seconds()


@dataclass
class Checklist:
    """The expected events in order, and all arrivals in order, without duplicates.

    What is `unexpected` nobody expected, or must not be trusted.
    """

    rows: list[Row]
    arrivals: list[Arrival] = field(default_factory=list)
    unexpected: list[Arrival] = field(default_factory=list)

    def add(self, arrival: Arrival) -> None:
        # Delivery is at least once: the same event again is no other event.
        if arrival.problem is None and arrival.event.get("event_id") in self._ids():
            return
        self.arrivals.append(arrival)
        row = None if arrival.problem else self._open_row(arrival.event_type)
        if row is None:
            self.unexpected.append(arrival)
        else:
            row.arrival = arrival

    @property
    def is_complete(self) -> bool:
        return all(row.arrival for row in self.rows)

    @property
    def verified(self) -> list[Arrival]:
        return [each for each in self.arrivals if each.problem is None]

    def delays_sec(self) -> list[float]:
        return [row.delay_sec for row in self.rows if row.delay_sec is not None]

    def problems(self) -> list[str]:
        return [
            *(f"missing: {row.expected.event_type}" for row in self.rows if not row.arrival),
            *map(_unexpected, self.unexpected),
            *self._disorder(),
            *self._split_incidents(),
            *(problem for row in self.rows for problem in _wrong_moments(row)),
        ]

    def audit_problems(self, events: Sequence[dict[str, Any]]) -> list[str]:
        """Return, a line each, where the gateway's audit differs from what arrived."""
        arrived, audited = self._ids(), {event["event_id"] for event in events}
        return [
            *(
                f"sent by the audit, but not arrived: {event['event_type']}"
                for event in events
                if event["webhook_status"] == "sent" and event["event_id"] not in arrived
            ),
            *(
                f"{event['webhook_status']} by the audit: {event['event_type']}"
                for event in events
                if event["webhook_status"] != "sent"
            ),
            *(
                f"arrived, but not in the audit: {each.event_type}"
                for each in self.verified
                if each.event.get("event_id") not in audited
            ),
        ]

    def _ids(self) -> set[str | None]:
        return {each.event.get("event_id") for each in self.verified}

    def _open_row(self, event_type: str) -> Row | None:
        fitting = (row for row in self.rows if row.expected.event_type == event_type)
        return next((row for row in fitting if not row.arrival), None)

    def _split_incidents(self) -> list[str]:
        """Return the incidents that are not told by just two events, an alert and its recovery."""
        if not self.is_complete:
            return []  # what is missing is named already
        ids = [row.arrival.incident_id for row in self.rows if row.arrival]
        told = Counter(filter(None, ids))
        return [f"{count} expected events of {each}" for each, count in told.items() if count != 2]

    def _disorder(self) -> list[str]:
        verified = self.verified
        sequences = [each.event.get("sequence") for each in verified]
        positions = [verified.index(row.arrival) for row in self.rows if row.arrival]
        problems = []
        if sequences != list(range(1, len(verified) + 1)):
            problems.append(f"sequence numbers are not 1, 2, 3 ...: {sequences}")
        if positions != sorted(positions):
            problems.append(f"wrong order: {', '.join(each.event_type for each in verified)}")
        return problems


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of `values` that at least this share (0 to 1) of them do not exceed."""
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def _unexpected(arrival: Arrival) -> str:
    if arrival.problem:
        return f"not verified: {arrival.event_type} ({arrival.problem})"
    return f"not expected: {arrival.event_type} (sequence {arrival.event.get('sequence')})"


def _wrong_moments(row: Row) -> list[str]:
    wanted = {"started_at": row.started_at, "recovered_at": row.recovered_at}
    problems = []
    for name, moment in wanted.items():
        if moment is None or row.arrival is None:
            continue
        named = row.arrival.moment(name)
        if named is None:
            problems.append(f"{row.expected.event_type}: {name} is missing")
        elif abs(off_sec := (named - moment).total_seconds()) > MOMENT_TOLERANCE_SEC:
            problems.append(f"{row.expected.event_type}: {name} is {off_sec:+.3f} s off")
    return problems
