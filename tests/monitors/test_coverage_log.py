"""What watches tell of a stream is the truth, whoever is killed and whatever is told late."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.coverage import ObservedSpan, join
from monitors.coverage_log import MOST_UNTOLD, CoverageLog, longest_pause

START = datetime(2026, 1, 1, tzinfo=UTC)
SEGMENT_SEC = 6
WINDOW = 4
"""Segments that the playlist lists: 24 s. What is away for longer leaves the window unseen."""


def at(sec: float) -> datetime:
    return START + timedelta(seconds=sec)


def spans(log: CoverageLog) -> list[tuple[float, float, str | None]]:
    return [(_sec(each.start), _sec(each.end), each.reason) for each in log.untold]


def _sec(moment: datetime) -> float:
    return (moment - START).total_seconds()


@dataclass
class Broadcast:
    """A stream, its watch and its gateway, a segment a step.

    Attributes:
        heartbeat: the log and the next segment, from which the next worker goes on.
        good, bad: segments that were measured by anybody; those that cannot be decoded.
        known: segments that the watch knows: none that died with a worker before its heartbeat.
        told: all that ever reached the gateway, in any order.
    """

    chance: Random
    log: CoverageLog = field(default_factory=CoverageLog)
    next: int = 0
    now: int = 0
    heartbeat: tuple[str, int] = (CoverageLog().model_dump_json(), 0)
    good: set[int] = field(default_factory=set)
    bad: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)
    told: list[ObservedSpan] = field(default_factory=list)

    def step(self, action: str, *, is_gateway_up: bool = True, is_broken: bool = False) -> None:
        self.now += 1
        if is_broken:
            self.bad.add(self.now - 1)
        if action == "watch":
            self._watch()
        elif action == "blind":
            self.log.unseen("bot_check", at(self.now * SEGMENT_SEC))
        elif action == "kill":
            state, self.next = self.heartbeat
            self.log = CoverageLog.model_validate_json(state)
            self.known = {each for each in self.known if each < self.next}
        if action in ("watch", "blind"):
            if is_gateway_up:
                self._report()
            if self.chance.random() < 0.7:
                self.heartbeat = (self.log.model_dump_json(), self.next)

    def _watch(self) -> None:
        self.log.observed(at(self.now * SEGMENT_SEC))
        first = max(self.next, self.now - WINDOW)
        if first > self.next:
            self.log.missed()
        for number in range(first, self.now):
            reason = "undecodable" if number in self.bad else None
            begin = number * SEGMENT_SEC
            self.log.judged(at(begin), at(begin + SEGMENT_SEC), reason)
            self.known.add(number)
            if reason is None:
                self.good.add(number)
        self.next = self.now

    def _report(self) -> None:
        report = list(self.log.untold)
        is_answered = self.chance.random() < 0.8
        self.told += report * self.chance.choice((1, 1, 2))
        if is_answered:
            self.log.told(report)


actions = st.lists(
    st.tuples(
        st.sampled_from(["watch"] * 6 + ["blind", "kill", "idle"]), st.booleans(), st.booleans()
    ),
    max_size=60,
)


@settings(deadline=None)
@given(actions, st.integers(0, 2**32))
def test_coverage_contains_the_truth(played: list[tuple[str, bool, bool]], seed: int) -> None:
    broadcast = Broadcast(Random(seed))
    for action, is_up, is_broken in played:
        broadcast.step(action, is_gateway_up=is_up, is_broken=is_broken)
    while broadcast.log.untold or broadcast.next < broadcast.now:
        broadcast.step("watch")
    told = list(broadcast.told)
    broadcast.chance.shuffle(told)
    for number in range(broadcast.now):
        middle = at((number + 0.5) * SEGMENT_SEC)
        found = [each.reason for each in join(told) if each.start <= middle < each.end]
        if number not in broadcast.good:
            assert found != [None], f"segment {number} was never seen"
        elif number in broadcast.known:
            assert found == [None], f"segment {number} was seen"


def test_a_healthy_stream_is_one_span_even_after_a_kill() -> None:
    broadcast = Broadcast(Random(1))
    for action in ["watch"] * 20 + ["kill", "idle"] + ["watch"] * 20:
        broadcast.step(action, is_gateway_up=False)
    assert spans(broadcast.log) == [(0, 42 * SEGMENT_SEC, None)]


def test_what_left_the_window_unseen_is_a_gap() -> None:
    broadcast = Broadcast(Random(1))
    for action in ["watch"] * 2 + ["idle"] * 8 + ["watch"]:
        broadcast.step(action, is_gateway_up=False)
    assert spans(broadcast.log) == [(0, 12, None), (42, 66, None)]


def test_time_that_a_guessed_clock_skips_belongs_to_the_stream() -> None:
    log = CoverageLog()
    for start, end in ((0, 6), (5.2, 11.2), (13.5, 19.5), (19.1, 25.1)):
        log.judged(at(start), at(end), None)
    assert spans(log) == [(0, 25.1, None)]


def test_a_stream_that_stands_still_is_seen() -> None:
    log = CoverageLog()
    log.judged(at(0), at(6), None)
    for sec in (20, 40, 60):
        log.stood_still(at(sec))
    log.judged(at(66), at(72), None)
    assert spans(log) == [(0, 72, None)]


def test_nobody_looked_in_a_long_pause_of_a_stream_that_stands_still() -> None:
    log = CoverageLog()
    log.judged(at(0), at(6), None)
    log.stood_still(at(20))
    log.stood_still(at(200))
    log.stood_still(at(210))
    assert spans(log) == [(0, 20, None), (200, 210, None)]


def test_a_stream_that_is_looked_at_rarely_is_looked_at_all_the_same() -> None:
    log = CoverageLog(pause=longest_pause(300))
    log.judged(at(0), at(6), None)
    for minute in range(5, 65, 5):
        log.unseen("http_404", at(60 * minute))
    assert spans(log) == [(0, 6, None), (6, 3600, "http_404")]


def test_what_could_not_be_seen_is_unknown_until_its_media_is_measured() -> None:
    log = CoverageLog()
    log.judged(at(0), at(6), None)
    for sec in (10, 20, 30):
        log.unseen("bot_check", at(sec))
    log.observed(at(34))
    assert spans(log) == [(0, 6, None), (6, 34, "bot_check")]
    log.missed()
    log.judged(at(12), at(18), None)
    assert spans(log) == [(0, 6, None), (6, 12, "bot_check"), (12, 18, None), (18, 34, "bot_check")]


@pytest.mark.parametrize("reason", ["", "x" * 1000])
def test_a_reason_is_never_refused(reason: str) -> None:
    log = CoverageLog()
    log.judged(at(0), at(6), reason)
    (only,) = log.untold
    assert only.reason
    assert len(only.reason) <= 64


def test_a_span_that_grew_while_it_was_told_is_told_again() -> None:
    log = CoverageLog()
    log.judged(at(0), at(6), None)
    told = list(log.untold)
    log.judged(at(6), at(12), None)
    log.told(told)
    assert spans(log) == [(0, 12, None)]
    log.told(list(log.untold))
    assert spans(log) == []
    log.judged(at(12), at(18), None)
    assert spans(log) == [(12, 18, None)]


def test_what_is_kept_for_a_gateway_that_is_away_is_bounded() -> None:
    log = CoverageLog()
    for number in range(3 * MOST_UNTOLD):
        log.judged(at(number), at(number + 1), "timeout" if number % 2 else None)
    assert len(log.untold) == MOST_UNTOLD
    assert spans(log)[-1][1] == 3 * MOST_UNTOLD
