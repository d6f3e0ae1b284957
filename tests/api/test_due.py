"""What is due for a destination: groups, silences, reminders, in virtual time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.destinations.due import Rules, Telling, judge
from api.store.delivery_records import Board, NotificationStatus, QueuedRow
from api.store.silences import SilenceRecord
from monitors.status import IncidentKind
from notifications.notification import NotificationState

OPENED, CLOSED = NotificationState.OPENED, NotificationState.CLOSED
REMINDER, EVENT, TEST = NotificationState.REMINDER, NotificationState.EVENT, NotificationState.TEST
PENDING, SENT = NotificationStatus.PENDING, NotificationStatus.SENT
SILENCED = NotificationStatus.SILENCED
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def sec(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def silence(start: float, end: float, **fields: object) -> SilenceRecord:
    known = SilenceRecord("sil-1", None, None, None, NOW + sec(start), NOW + sec(end), None, NOW)
    return replace(known, **fields)  # type: ignore[arg-type]


@dataclass
class Told:
    at: float
    state: NotificationState
    incidents: list[str | None]


@dataclass
class Desk:
    """A destination whose workflow asks whenever something is new or due.

    Attributes:
        told: what it was told, in order.
    """

    rules: Rules = field(default_factory=Rules)
    silences: list[SilenceRecord] = field(default_factory=list)
    now: datetime = NOW
    rows: list[QueuedRow] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    wake_at: datetime | None = None

    def begin(self, incident: str, *, host: str = "a", monitor: str | None = None) -> None:
        self._add(OPENED, incident, host, monitor)

    def end(self, incident: str) -> None:
        opening = self._opening(incident)
        self.rows = [
            replace(row, ended_at=self.now) if row.incident_id == incident else row
            for row in self.rows
        ]
        self._add(CLOSED, incident, opening.origin_host or "a", opening.monitor_id)
        self.rows[-1] = replace(self.rows[-1], ended_at=self.now)

    def happen(self, state: NotificationState, monitor: str | None = None) -> None:
        self._add(state, None, "a", monitor)

    def wait(self, seconds: float) -> None:
        """Let time pass; what becomes due meanwhile is told."""
        until = self.now + sec(seconds)
        self.ask()
        while self.wake_at and self.wake_at <= until:
            self.now = max(self.now, self.wake_at)
            self.ask()
        self.now = until

    def ask(self) -> None:
        """Be told all that is due now."""
        while telling := self._judge():
            self._tell(telling)

    def _add(
        self, state: NotificationState, incident: str | None, host: str, monitor: str | None
    ) -> None:
        self.rows.append(
            QueuedRow(
                delivery_id=len(self.rows) + 1,
                state=state,
                status=PENDING,
                happened_at=self.now,
                created_at=self.now,
                monitor_id=monitor or incident,
                kind=IncidentKind.BLACKOUT if incident else None,
                incident_id=incident,
                origin_host=host,
            )
        )

    def _opening(self, incident: str | None) -> QueuedRow:
        return next(r for r in self.rows if r.incident_id == incident and r.state is OPENED)

    def _judge(self) -> Telling | None:
        current = [
            replace(row, opening=self._opening(row.incident_id)) if row.state is CLOSED else row
            for row in self.rows
        ]
        openings = [r for r in current if r.state is OPENED and not r.ended_at]
        waiting = [r for r in current if r.status is PENDING]
        waiting += [r for r in openings if r.status is SILENCED]
        groups = [r.told_with for r in current if r.state is OPENED and r.told_with]
        board = Board(
            sorted(waiting, key=lambda row: row.delivery_id),
            [r for r in openings if r.status is SENT and r.incident_id not in self.acknowledged],
            open_in_group={
                group: sum(r.told_with == group for r in openings)
                for group in groups
                if groups.count(group) > 1
            },
            silences=self.silences,
        )
        verdict = judge(board, self.rules, self.now)
        self._set(verdict.silenced, status=SILENCED)
        self.wake_at = verdict.wake_at
        return verdict.telling

    def _tell(self, telling: Telling) -> None:
        ids = [row.delivery_id for row in telling.rows]
        incidents = [row.incident_id for row in telling.rows]
        self.told.append(Told((self.now - NOW).total_seconds(), telling.state, incidents))
        if telling.state is REMINDER:
            self._set(ids, told_at=self.now)
        else:
            self._set(ids, status=SENT, told_at=self.now, told_with=min(ids))

    def _set(self, ids: Sequence[int], **values: object) -> None:
        self.rows = [
            replace(row, **values) if row.delivery_id in ids else row  # type: ignore[arg-type]
            for row in self.rows
        ]

    def what(self) -> list[tuple[float, str, list[str | None]]]:
        return [(each.at, each.state.value, each.incidents) for each in self.told]


def test_events_go_at_once_and_in_order() -> None:
    desk = Desk()
    desk.begin("x")
    desk.happen(EVENT, "m")
    desk.end("x")
    desk.ask()
    assert desk.what() == [(0, "opened", ["x"]), (0, "event", [None]), (0, "closed", ["x"])]


def test_a_test_goes_before_all_that_waits() -> None:
    desk = Desk()
    desk.begin("x")
    desk.happen(TEST)
    desk.ask()
    assert [each.state for each in desk.told] == [TEST, OPENED]


def test_what_begins_within_the_window_at_one_host_is_told_once() -> None:
    desk = Desk(Rules(group_window=sec(30)))
    for number in range(1000):
        desk.begin(f"x{number}", host="dead")
        desk.now += sec(0.01)
    desk.begin("other", host="b")
    desk.wait(60)
    assert [(len(each.incidents)) for each in desk.told] == [1000, 1]
    assert desk.told[0].at == 30


def test_unrelated_faults_stay_apart() -> None:
    desk = Desk(Rules(group_window=sec(30)))
    for host in "abc":
        desk.begin(host, host=host)
    desk.wait(60)
    assert desk.what() == [(30, "opened", [host]) for host in "abc"]


def test_the_recovery_of_a_group_is_told_once_all_of_it_is_over() -> None:
    desk = Desk(Rules(group_window=sec(10)))
    desk.begin("x")
    desk.begin("y")
    desk.wait(20)
    desk.end("x")
    desk.wait(20)
    assert len(desk.told) == 1
    desk.end("y")
    desk.wait(20)
    assert desk.what()[1:] == [(40, "closed", ["x", "y"])]


def test_what_a_monitor_does_after_its_beginning_waits_with_it() -> None:
    desk = Desk(Rules(group_window=sec(10)))
    desk.begin("x", monitor="m")
    desk.happen(EVENT, "m")
    desk.happen(EVENT, "n")
    desk.wait(20)
    assert desk.what() == [(0, "event", [None]), (10, "opened", ["x"]), (10, "event", [None])]


def test_what_is_open_at_the_end_of_a_silence_is_told_then() -> None:
    desk = Desk(silences=[silence(-10, 100)])
    desk.begin("x")
    desk.begin("y")
    desk.wait(50)
    desk.end("y")
    desk.wait(60)
    assert desk.what() == [(100, "opened", ["x"])]
    desk.end("x")
    desk.ask()
    assert desk.what()[1:] == [(110, "closed", ["x"])]


def test_a_recovery_goes_to_whoever_was_told_of_the_beginning() -> None:
    desk = Desk(silences=[silence(10, 100)])
    desk.begin("x")
    desk.wait(20)
    desk.end("x")
    desk.wait(200)
    assert desk.what() == [(0, "opened", ["x"]), (20, "closed", ["x"])]


def test_what_began_and_ended_in_a_silence_is_not_told_by_one_who_asks_later() -> None:
    desk = Desk(silences=[silence(0, 100)])
    desk.begin("x")
    desk.now += sec(50)
    desk.end("x")
    desk.now += sec(100)
    desk.ask()
    assert desk.told == []


def test_a_silence_that_is_ended_early_holds_back_nothing_more() -> None:
    desk = Desk(silences=[silence(0, 1000)])
    desk.begin("x")
    desk.wait(10)
    desk.silences = [silence(0, 10)]
    desk.ask()
    assert desk.what() == [(10, "opened", ["x"])]


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        ({"monitor_ids": ["x"]}, False),
        ({"monitor_ids": ["y"]}, True),
        ({"kinds": [IncidentKind.BLACKOUT]}, False),
        ({"kinds": [IncidentKind.FREEZE]}, True),
        ({"labels": {"team": "news"}}, True),
    ],
)
def test_a_silence_is_about_some_monitors_and_kinds(
    fields: dict[str, object], is_told: bool
) -> None:
    desk = Desk(silences=[silence(0, 100, **fields)])
    desk.begin("x")
    desk.ask()
    assert bool(desk.told) == is_told


def test_reminders_come_until_somebody_acknowledges_or_it_is_over() -> None:
    desk = Desk(Rules(remind_every=sec(60)))
    desk.begin("x")
    desk.begin("y")
    desk.wait(130)
    assert [each.at for each in desk.told] == [0, 0, 60, 60, 120, 120]
    desk.acknowledged.add("x")
    desk.wait(60)
    assert desk.what()[6:] == [(180, "reminder", ["y"])]
    desk.end("y")
    desk.wait(600)
    assert [each.state for each in desk.told[7:]] == [CLOSED]


def test_a_silence_holds_back_reminders() -> None:
    desk = Desk(Rules(remind_every=sec(60)), [silence(30, 200)])
    desk.begin("x")
    desk.wait(300)
    assert [each.at for each in desk.told] == [0, 200, 260]


def test_a_reminder_names_all_that_is_open_of_a_group() -> None:
    desk = Desk(Rules(group_window=sec(10), remind_every=sec(60)))
    for name in "xyz":
        desk.begin(name)
    desk.wait(20)
    desk.end("y")
    desk.wait(60)
    assert desk.what()[1:] == [(70, "reminder", ["x", "z"])]


steps = st.lists(
    st.tuples(
        st.sampled_from(["begin", "end", "event", "wait"]),
        st.integers(0, 4),
        st.integers(1, 40),
    ),
    max_size=40,
)
rules = st.builds(
    Rules,
    group_window=st.none() | st.just(sec(15)),
    remind_every=st.none() | st.just(sec(60)),
)
spans = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 100)), max_size=3)


@given(steps, rules, spans)
def test_whatever_happens_each_thing_is_told_once_and_in_its_order(
    what: list[tuple[str, int, int]], given_rules: Rules, silenced: list[tuple[int, int]]
) -> None:
    desk = Desk(given_rules, [silence(start, start + length) for start, length in silenced])
    count, running = 0, dict[int, str]()
    for step, monitor, seconds in what:
        if step == "begin" and monitor not in running:
            running[monitor] = f"{monitor}-{count}"
            desk.begin(running[monitor], monitor=str(monitor))
            count += 1
        elif step == "end" and monitor in running:
            desk.end(running.pop(monitor))
        elif step == "event":
            desk.happen(EVENT, str(monitor))
        elif step == "wait":
            desk.wait(seconds)
            continue
        desk.ask()
    desk.wait(1000)
    for monitor in list(running):
        desk.end(running.pop(monitor))
    desk.wait(1000)
    began = [name for each in desk.told if each.state is OPENED for name in each.incidents]
    ended = [name for each in desk.told if each.state is CLOSED for name in each.incidents]
    assert len(set(began)) == len(began)
    assert sorted(map(str, began)) == sorted(map(str, ended))
    never = [r.incident_id for r in desk.rows if r.state is OPENED and r.incident_id not in began]
    assert all(_is_silenced(desk, name) for name in never)
    told_at: Callable[[NotificationState, str | None], int] = lambda state, name: next(  # noqa: E731
        i for i, each in enumerate(desk.told) if each.state is state and name in each.incidents
    )
    assert all(told_at(OPENED, name) < told_at(CLOSED, name) for name in began)
    assert all(row.status in (SENT, SILENCED) for row in desk.rows)


def _is_silenced(desk: Desk, name: str | None) -> bool:
    opening = desk._opening(name)
    ended_at = opening.ended_at
    assert ended_at
    return any(one.covers(opening.happened_at) for one in desk.silences)


def test_an_early_event_holds_its_monitor_until_the_one_before_it_is_recorded() -> None:
    desk = Desk()
    for monitor in ("m", "m", "n"):
        desk.happen(EVENT, monitor)
    desk.rows[:2] = [replace(row, is_early=True) for row in desk.rows[:2]]
    desk.wait(3)
    assert [row.status for row in desk.rows] == [PENDING, PENDING, SENT]
    desk.rows[:2] = [replace(row, is_early=False) for row in desk.rows[:2]]
    desk.ask()
    assert [each.at for each in desk.told] == [0, 3, 3]


def test_an_early_event_waits_for_a_lost_one_only_so_long() -> None:
    desk = Desk(Rules(group_window=sec(1)))
    desk.begin("x")
    desk.begin("y")
    desk.rows[0] = replace(desk.rows[0], is_early=True)
    desk.wait(60)
    assert desk.what() == [(1, "opened", ["y"]), (10, "opened", ["x"])]


def test_a_clock_that_was_set_back_holds_nothing_back() -> None:
    desk = Desk(Rules(group_window=sec(30)))
    desk.begin("x", monitor="m")
    desk.now -= timedelta(hours=1)
    desk.ask()
    assert [each.incidents for each in desk.told] == [["x"]]
