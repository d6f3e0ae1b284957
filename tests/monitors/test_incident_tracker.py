"""What is told of incidents: causes before what they hide, and flapping faults as one."""

from collections import Counter
from collections.abc import Iterator
from itertools import cycle, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.config import Thresholds
from monitors.coverage import MOST_QUIET_SPANS, QuietSpan
from monitors.coverage_log import PAUSE, longest_pause
from monitors.detectors.incident_tracker import IncidentTracker
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind
from tests.monitors.media_timeline import wall_clock

FREEZE, SILENCE = IncidentKind.FREEZE, IncidentKind.SILENCE
HOUR_SEC = 3600.0


def opened(kind: IncidentKind, at_sec: float, **details: str) -> IncidentOpened:
    return IncidentOpened(
        kind=kind,
        started_at=wall_clock(at_sec),
        duration_sec=1.0,
        threshold_sec=1.0,
        details=dict(details),
    )


def closed(kind: IncidentKind, since_sec: float, at_sec: float, **details: str) -> IncidentClosed:
    return IncidentClosed(
        kind=kind,
        started_at=wall_clock(since_sec),
        recovered_at=wall_clock(at_sec),
        total_duration_sec=at_sec - since_sec,
        details=dict(details),
    )


def signal(reason: str) -> IncidentOpened:
    return opened(IncidentKind.TEST_SIGNAL, 0).model_copy(update={"reason": reason})


class Stream:
    """A stream that is looked at again and again, by a worker that is lost each time."""

    def __init__(self, thresholds: Thresholds | None = None, *, step_sec: float = 2) -> None:
        self.thresholds = thresholds or Thresholds()
        self.step_sec = step_sec
        self.pause = PAUSE
        self.tracker = IncidentTracker()
        self.told: list[tuple[float, IncidentChange]] = []
        self.quiet_spans: list[QuietSpan] = []
        self.is_gateway_away = False

    def judge(self, until_sec: float, *changes: IncidentChange) -> None:
        until = wall_clock(until_sec)
        told = self.tracker.told(
            changes, until, self.thresholds, media_until=until, pause=self.pause
        )
        self.told += [(until_sec, each) for each in told]
        if not self.is_gateway_away:
            self.quiet_spans += self.tracker.quiet_spans
            self.tracker.forget_quiet(self.tracker.quiet_spans)
        kept = self.tracker.model_dump_json()
        self.tracker = IncidentTracker.model_validate_json(kept)

    def fault(self, kind: IncidentKind, since_sec: float, until_sec: float) -> None:
        self.judge(since_sec + 1, opened(kind, since_sec))
        self.judge(until_sec + 5, closed(kind, since_sec, until_sec))

    def quiet(self, since_sec: float, until_sec: float) -> None:
        at = since_sec
        while at < until_sec:
            at = min(at + self.step_sec, until_sec)
            self.judge(at)

    def words(self) -> list[str]:
        return [f"{change.kind} {change.change}" for _, change in self.told]


def test_an_ordinary_incident_is_told_as_it_was_found() -> None:
    stream = Stream()
    begin, end = opened(FREEZE, 0), closed(FREEZE, 0, 40)
    stream.judge(30, begin)
    assert stream.tracker.open_incidents() == {FREEZE: wall_clock(0)}
    stream.judge(45, end)
    assert [change for _, change in stream.told] == [begin, end]
    assert stream.tracker.open_incidents() == {}


HIDING = [IncidentKind.SUSPENDED, IncidentKind.SEGMENT_ERROR]


@pytest.mark.parametrize("cause", HIDING)
def test_a_fault_that_comes_and_goes_behind_its_cause_is_not_told(cause: IncidentKind) -> None:
    stream = Stream()
    stream.judge(10, opened(cause, 0))
    stream.judge(50, opened(SILENCE, 20))
    stream.judge(60, closed(SILENCE, 20, 55))
    stream.judge(70, closed(cause, 0, 65))
    assert stream.words() == [f"{cause} opened", f"{cause} closed"]


@pytest.mark.parametrize("cause", HIDING)
def test_a_fault_that_is_still_there_after_its_cause_is_told_then(cause: IncidentKind) -> None:
    stream = Stream()
    stream.judge(10, opened(cause, 0))
    stream.judge(50, opened(SILENCE, 20))
    assert stream.tracker.open_incidents().keys() == {cause}
    stream.judge(70, closed(cause, 0, 65))
    assert stream.words() == [f"{cause} opened", f"{cause} closed", "silence opened"]
    assert stream.tracker.open_incidents() == {SILENCE: wall_clock(20)}


@pytest.mark.parametrize("cause", HIDING)
def test_a_fault_that_ends_behind_another_one_closes_after_it(cause: IncidentKind) -> None:
    stream = Stream()
    end = closed(SILENCE, 0, 55)
    stream.judge(30, opened(SILENCE, 0))
    stream.judge(40, opened(cause, 35))
    stream.judge(60, end)
    assert len(stream.told) == 2
    stream.judge(70, closed(cause, 35, 65))
    assert [change for _, change in stream.told][2:] == [closed(cause, 35, 65), end]


def test_a_fault_that_comes_back_behind_another_one_goes_on() -> None:
    stream = Stream()
    stream.judge(30, opened(SILENCE, 0))
    stream.judge(40, opened(IncidentKind.SUSPENDED, 35))
    stream.judge(60, closed(SILENCE, 0, 55))
    stream.judge(65, opened(SILENCE, 60))
    stream.judge(70, closed(IncidentKind.SUSPENDED, 35, 66))
    stream.judge(90, closed(SILENCE, 60, 80))
    last = stream.told[-1][1]
    assert isinstance(last, IncidentClosed)
    assert (last.kind, last.started_at) == (SILENCE, wall_clock(0))
    assert last.total_duration_sec == 80
    assert stream.words().count("silence opened") == 1


def test_one_cause_of_two_goes_on_hiding() -> None:
    stream = Stream()
    for cause in HIDING:
        stream.judge(10, opened(cause, 0))
    stream.judge(50, opened(SILENCE, 20))
    stream.judge(70, closed(HIDING[0], 0, 65))
    assert "silence opened" not in stream.words()
    stream.judge(80, closed(HIDING[1], 0, 75))
    assert stream.words()[-1] == "silence opened"


def test_an_incident_keeps_its_identity_when_its_track_gets_a_name() -> None:
    stream = Stream()
    stream.judge(30, opened(SILENCE, 0))
    stream.judge(60, closed(SILENCE, 0, 55, track="audio 1", language="de"))
    begin, end = (change for _, change in stream.told)
    assert begin.ref == end.ref
    assert end.details == {"language": "de"}


def test_the_fourth_incident_in_ten_minutes_stays_open_for_four_recoveries() -> None:
    stream = Stream(Thresholds(recovery_sec=5))
    for number in range(4):
        stream.fault(FREEZE, number * 100, number * 100 + 50)
    assert stream.words() == ["freeze opened", "freeze closed"] * 3 + ["freeze opened"]
    stream.quiet(355, 369)
    assert stream.tracker.open_incidents() == {FREEZE: wall_clock(300)}
    stream.quiet(369, 372)
    *ordinary, begin, end = (change for _, change in stream.told)
    assert not any(each.is_flapping for each in ordinary)
    assert (begin.is_flapping, end.is_flapping) == (True, True)
    assert begin.ref == end.ref
    assert isinstance(end, IncidentClosed)
    assert (end.recovered_at, end.total_duration_sec) == (wall_clock(350), 50)


def test_what_comes_back_within_the_quiet_is_the_same_incident() -> None:
    stream = Stream(Thresholds(recovery_sec=5))
    for number in range(20):
        stream.fault(FREEZE, number * 25, number * 25 + 15)
    assert len(stream.told) == 7
    stream.quiet(20 * 25, 20 * 25 + 30)
    end = stream.told[-1][1]
    assert isinstance(end, IncidentClosed)
    assert end.started_at == wall_clock(75)
    assert end.recovered_at == wall_clock(19 * 25 + 15)
    assert end.total_duration_sec == 19 * 25 + 15 - 75


def test_the_good_time_between_its_faults_is_told() -> None:
    stream = Stream(Thresholds(recovery_sec=5))
    for number in range(6):
        stream.fault(FREEZE, number * 25, number * 25 + 15)
    flapping = stream.told[-1][1].ref
    assert stream.quiet_spans == [
        QuietSpan(incident=flapping, start=wall_clock(start), end=wall_clock(start + 10))
        for start in (90, 115)
    ]


def test_what_is_kept_for_a_gateway_that_is_away_is_bounded() -> None:
    stream = Stream(Thresholds(recovery_sec=5))
    stream.is_gateway_away = True
    for number in range(MOST_QUIET_SPANS + 10):
        stream.fault(FREEZE, number * 25, number * 25 + 15)
    assert len(stream.tracker.quiet_spans) == MOST_QUIET_SPANS


def test_the_fifth_asks_for_ten_quiet_minutes() -> None:
    stream = Stream(Thresholds(recovery_sec=1))
    for number in range(4):
        stream.fault(FREEZE, number * 10, number * 10 + 2)
    assert len(stream.told) == 8
    stream.fault(FREEZE, 50, 60)
    stream.quiet(65, 659)
    assert len(stream.told) == 9
    stream.quiet(659, 661)
    assert len(stream.told) == 10


def test_time_that_nobody_saw_is_no_quiet() -> None:
    stream = Stream(Thresholds(recovery_sec=5))
    for number in range(4):
        stream.fault(FREEZE, number * 100, number * 100 + 50)
    stream.judge(1000)
    assert len(stream.told) == 7
    stream.quiet(1000, 1016)
    assert len(stream.told) == 8


def test_a_stream_that_is_looked_at_rarely_is_quiet_between_two_looks() -> None:
    stream = Stream(Thresholds(recovery_sec=5), step_sec=120)
    stream.pause = longest_pause(120)
    for number in range(4):
        stream.fault(FREEZE, number * 100, number * 100 + 50)
    assert stream.tracker.open_incidents()
    stream.quiet(360, 600)
    assert not stream.tracker.open_incidents()


def test_the_factor_is_settable() -> None:
    stream = Stream(Thresholds(recovery_sec=5, flapping_recovery_factor=1))
    for number in range(4):
        stream.fault(FREEZE, number * 100, number * 100 + 50)
    assert len(stream.told) == 8


def test_flapping_can_be_switched_off() -> None:
    stream = Stream(Thresholds(flapping_recovery_factor=0))
    for number in range(20):
        stream.fault(FREEZE, number * 25, number * 25 + 15)
    assert len(stream.told) == 40


def test_one_track_does_not_flap_for_another() -> None:
    stream = Stream()
    tracks = [f"audio {number}" for number in range(1, 7)]
    stream.judge(30, *(opened(SILENCE, 0, track=track) for track in tracks))
    stream.judge(60, *(closed(SILENCE, 0, 50, track=track) for track in tracks))
    assert len({change.ref for _, change in stream.told}) == 6
    assert not any(change.is_flapping for _, change in stream.told)


def test_an_hour_later_all_is_ordinary_again() -> None:
    stream = Stream()
    for number in range(4):
        stream.fault(FREEZE, number * 100, number * 100 + 50)
    stream.quiet(400, 400 + HOUR_SEC)
    stream.fault(FREEZE, 400 + HOUR_SEC, 440 + HOUR_SEC)
    assert not stream.told[-1][1].is_flapping
    assert len(stream.told) == 10


rhythms = st.lists(st.tuples(st.floats(1, 400), st.floats(1, 900)), min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(rhythms, st.sampled_from(IncidentKind), st.sampled_from([0.0, 1.0, 5.0, 60.0]))
def test_a_stream_that_flaps_for_an_hour_makes_at_most_twenty_notifications(
    rhythm: list[tuple[float, float]], kind: IncidentKind, recovery_sec: float
) -> None:
    stream = Stream(Thresholds(recovery_sec=recovery_sec), step_sec=30)
    for since_sec, until_sec, next_sec in _faults(rhythm):
        stream.judge(since_sec, opened(kind, since_sec))
        stream.judge(until_sec, closed(kind, since_sec, until_sec))
        stream.quiet(until_sec, min(next_sec, HOUR_SEC))
    assert len(stream.told) <= 20
    assert all(
        (one.change, other.change) in {("opened", "closed"), ("closed", "opened")}
        for (_, one), (_, other) in pairwise(stream.told)
    )
    ids = Counter(change.ref.id_in("mon-1") for _, change in stream.told)
    assert max(ids.values(), default=0) <= 2


def _faults(rhythm: list[tuple[float, float]]) -> Iterator[tuple[float, float, float]]:
    at_sec = 0.0
    for fault_sec, good_sec in cycle(rhythm):
        if at_sec + fault_sec > HOUR_SEC:
            return
        yield at_sec, at_sec + fault_sec, at_sec + fault_sec + good_sec
        at_sec += fault_sec + good_sec


@pytest.mark.parametrize("period_sec", [1, 5, 19, 21, 100, 199, 201, 299, 301, 599, 601, 605])
def test_no_even_rhythm_makes_more_either(period_sec: float) -> None:
    stream = Stream(Thresholds(recovery_sec=0), step_sec=30)
    at_sec = 0.0
    while at_sec < HOUR_SEC:
        stream.judge(at_sec, opened(FREEZE, at_sec))
        stream.judge(at_sec + 0.1, closed(FREEZE, at_sec, at_sec + 0.1))
        stream.quiet(at_sec + 0.1, at_sec + period_sec)
        at_sec += period_sec
    assert len(stream.told) <= 20


def _greedy(stream: Stream) -> None:
    """Fail again as soon as the last incident is closed: no rhythm is worse."""
    at_sec = 0.0
    while at_sec < HOUR_SEC:
        stream.judge(at_sec, opened(FREEZE, at_sec))
        stream.judge(at_sec + 0.1, closed(FREEZE, at_sec, at_sec + 0.1))
        at_sec += 0.1
        while stream.tracker.open_incidents() and at_sec < HOUR_SEC:
            stream.judge(at_sec := at_sec + 1.0)


@pytest.mark.parametrize("recovery_sec", [0, 1, 5, 60])
def test_the_worst_rhythm_makes_no_more(recovery_sec: float) -> None:
    stream = Stream(Thresholds(recovery_sec=recovery_sec))
    _greedy(stream)
    assert 14 <= len(stream.told) <= 20


@pytest.mark.parametrize(
    ("incident", "tracks"),
    [
        (opened(FREEZE, 0), {"video"}),
        (opened(IncidentKind.LOUDNESS, 0), {"audio"}),
        (opened(IncidentKind.SUSPENDED, 0), set()),
        (signal("bars"), {"video"}),
        (signal("tone"), {"audio"}),
        (signal("bars_and_tone"), {"audio", "video"}),
    ],
)
def test_incidents_are_of_pictures_or_of_sound(incident: IncidentOpened, tracks: set[str]) -> None:
    stream = Stream()
    stream.judge(1, incident)
    assert stream.tracker.open_tracks() == tracks
