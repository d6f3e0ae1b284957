"""The delays of streams that have ended, beside those of looks every 10 s, as text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.delay.scoreboard import (
    POLL_SEC,
    DelayScoreboard,
    Told,
    polled_alerts_sec,
    polled_delays_sec,
)
from benchmarks.delay.script import EVENT_TYPES, Moment, Script
from tests.testkit.findings import percentile

PERCENTS = (50, 95, 99)
WIDTH = 36


@dataclass
class Played:
    """What came of streams that played a script.

    Attributes:
        load: of the machine, over its last minute.
        asked_sec: from the publication of a completing segment to its first request.
        polled_sec: what a look every 10 s adds to each moment.
        polled_alerts_sec: from a fault's first moment to its third bad look.
    """

    script: Script
    streams: int
    load: float
    scoreboard: DelayScoreboard = field(default_factory=DelayScoreboard)
    asked_sec: list[float] = field(default_factory=list)
    polled_sec: list[float] = field(default_factory=list)
    polled_alerts_sec: list[float] = field(default_factory=list)

    def take(
        self,
        truth: Sequence[Moment],
        scoreboard: DelayScoreboard,
        asked_at: Mapping[int | None, float],
        chance: float,
    ) -> None:
        """Add a stream.

        Args:
            truth: what had to be told.
            scoreboard: what was.
            asked_at: when each of its segments was asked for first, unix seconds.
            chance: from 0 to 1, the phase of the looks at it.
        """
        phase_sec = chance * POLL_SEC
        self.scoreboard.add(scoreboard)
        self.asked_sec += [
            asked_at[each.segment] - each.known_at for each in truth if each.segment in asked_at
        ]
        self.polled_sec += polled_delays_sec(truth, phase_sec)
        self.polled_alerts_sec += polled_alerts_sec(truth, phase_sec)

    @property
    def delays_sec(self) -> list[float]:
        """Of all events that came."""
        return [told.delay_sec for told in self.scoreboard.told]

    @property
    def alerts_sec(self) -> list[float]:
        """From a fault's first moment to its alert."""
        return [
            told.moment.known_at + told.delay_sec - told.moment.started_at
            for told in self.scoreboard.told
            if told.moment.opens
        ]

    @property
    def is_good(self) -> bool:
        """Whether all of it was told as it was, within a target duration and a second."""
        in_time = percentile(self.delays_sec, 95) <= self.script.segment_sec + 1.0
        return self.scoreboard.is_right and in_time


def print_played(played: Played) -> None:
    """Print the delays by kind, what is wrong, and the baseline."""
    scoreboard, script = played.scoreboard, played.script
    print(
        f"\nsegments of {script.segment_sec:g} s: {played.streams} streams, "
        f"{played.streams * script.cycles} incidents of each kind, "
        f"{script.length_sec:.0f} s each, load {played.load:.1f} at the end"
    )
    print(_row("delay, s", "events", *(f"p{each}" for each in PERCENTS), "max", "start ±"))
    for name, told in _by_type(scoreboard):
        print(_delays(name, [each.delay_sec for each in told], _start_error(told)))
    print(_delays("all of it", played.delays_sec))
    print(_delays("until the segment was asked for", played.asked_sec))
    print(_delays(f"a look every {POLL_SEC:g} s, alone", played.polled_sec))
    print(f"ratio of p95: {_ratio(played.polled_sec, played.delays_sec):.1f}")
    print(_delays("first moment to alert", played.alerts_sec))
    print(_delays("first moment to the third bad look", played.polled_alerts_sec))
    print(f"ratio of p95: {_ratio(played.polled_alerts_sec, played.alerts_sec):.1f}")
    print(
        f"{len(scoreboard.missed)} missed, {len(scoreboard.doubled)} doubled, "
        f"{len(scoreboard.false)} false, {scoreboard.wrong_starts} with a wrong start"
    )
    for moment in scoreboard.missed:
        print(f"  missed: {moment.event_type} of {moment.known_at:.3f}")
    for event_type in (*scoreboard.doubled, *scoreboard.false):
        print(f"  doubled or false: {event_type}")


def _by_type(scoreboard: DelayScoreboard) -> Iterator[tuple[str, list[Told]]]:
    for kind, types in EVENT_TYPES.items():
        for event_type, what in zip(types, ("", ", its end"), strict=True):
            told = [each for each in scoreboard.told if each.moment.event_type == event_type]
            yield f"{kind}{what}", told


def _start_error(told: Sequence[Told]) -> str:
    return f"{max((abs(each.start_error_sec) for each in told), default=0.0):.2f}"


def _delays(name: str, delays_sec: Sequence[float], *more: str) -> str:
    shares = [f"{percentile(delays_sec, each):.2f}" for each in PERCENTS]
    return _row(name, len(delays_sec), *shares, f"{max(delays_sec, default=0.0):.2f}", *more)


def _ratio(baseline_sec: Sequence[float], ours_sec: Sequence[float]) -> float:
    return percentile(baseline_sec, 95) / max(percentile(ours_sec, 95), 0.001)


def _row(name: str, *columns: object) -> str:
    return f"{name:{WIDTH}}" + "".join(f"{column!s:>9}" for column in columns)
