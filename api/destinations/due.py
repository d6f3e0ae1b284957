"""What a destination is told next, and when: groups, silences, reminders. Pure.

The rules, for one destination:

- Events go in their order. A beginning that waits for its group holds back what its monitor does
  after it; what a silence holds back holds back nothing.
- An event that is recorded before an earlier one of its monitor waits for that, with what follows,
  for `LOST_AFTER` at most: then the earlier one is taken as lost.
- A recovery goes to whoever was told of the beginning, silence or not, and to nobody else.
- Of a group the recovery is told once, when its last incident has ended.
- A silence holds back what began in one. What is open at the end of its silences is told then. What
  began and ended in silences is not.
- A reminder is due a while after an incident was told last, unless it is acknowledged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.store.delivery_records import LOST_AFTER, Board, NotificationStatus, QueuedRow
from notifications.notification import NotificationState

MAX_GROUP: Final = 2000


@dataclass(frozen=True)
class Rules:
    """How a destination wants to be told; None: no groups, no reminders."""

    group_window: timedelta | None = None
    remind_every: timedelta | None = None


@dataclass(frozen=True)
class Telling:
    """The rows that the next notification tells; of a reminder these are openings."""

    state: NotificationState
    rows: Sequence[QueuedRow]


@dataclass(frozen=True)
class Verdict:
    """What is to be done now.

    Attributes:
        silenced: rows that a silence holds back from now on.
        telling: None: nothing is due.
        wake_at: when something will be due if nothing new happens; None: never.
    """

    silenced: Sequence[int]
    telling: Telling | None
    wake_at: datetime | None


def judge(board: Board, rules: Rules, now: datetime) -> Verdict:
    return _Judge(board, rules, now).verdict()


class _Judge:
    """Each check also notes when to look again, and what waits or is silenced."""

    def __init__(self, board: Board, rules: Rules, now: datetime) -> None:
        self._board = board
        self._rules = rules
        self._now = now
        self._silenced: set[int] = set()
        self._moments: list[datetime] = []
        self._held_monitors: set[str | None] = set()

    def verdict(self) -> Verdict:
        telling = self._first_telling() or self._reminder()
        wake_at = None if telling else min(self._moments, default=None)
        return Verdict(sorted(self._silenced), telling, wake_at)

    def _first_telling(self) -> Telling | None:
        def tests_first(row: QueuedRow) -> tuple[bool, int]:
            return row.state is not NotificationState.TEST, row.delivery_id

        for row in sorted(self._board.waiting, key=tests_first):
            if (rows := self._due_with(row)) is not None:
                return Telling(rows[0].state, rows)
        return None

    def _due_with(self, row: QueuedRow) -> Sequence[QueuedRow] | None:
        """Return what is told together with a row; None when it is not to be told now."""
        if self._awaits_earlier(row):
            return None
        if row.state in (NotificationState.TEST, NotificationState.EVENT):
            return None if row.monitor_id in self._held_monitors else [row]
        if row.state is NotificationState.OPENED:
            return self._opening(row)
        return self._after_opening(row)

    def _awaits_earlier(self, row: QueuedRow) -> bool:
        return row.is_early and self._hold_until_old_enough(row, LOST_AFTER)

    def _hold_until_old_enough(self, row: QueuedRow, for_time: timedelta) -> bool:
        """Return whether a row is younger than that; then its monitor's later rows wait for it."""
        # One from the future is of a clock that was set back since then, if only by a little.
        if abs(self._now - row.created_at) >= for_time:
            return False
        self._moments.append(row.created_at + for_time)
        self._held_monitors.add(row.monitor_id)
        return True

    def _opening(self, row: QueuedRow) -> Sequence[QueuedRow] | None:
        if self._hold_if_silenced(row):
            return None
        window = self._rules.group_window
        if window is None:
            return [row]
        if self._hold_until_old_enough(row, window):
            return None
        waiting = self._board.waiting
        return [each for each in waiting if self._is_in_group(each, row, window)][:MAX_GROUP]

    def _is_in_group(self, row: QueuedRow, first: QueuedRow, window: timedelta) -> bool:
        if row is first:
            return True
        return (
            row.state is NotificationState.OPENED
            and first.origin_host is not None
            and row.origin_host == first.origin_host
            and abs(row.happened_at - first.happened_at) <= window
            and not self._awaits_earlier(row)
            and not self._hold_if_silenced(row)
        )

    def _hold_if_silenced(self, opening: QueuedRow) -> bool:
        """Return whether a silence holds back an opening that began in one; note until when."""
        if opening.delivery_id in self._silenced:
            return True
        if opening.silenced_until(self._board.silences, opening.happened_at) is None:
            return False
        until = self._silenced_until(opening)
        if until is None and not self._was_in_silences_only(opening):
            return False
        if opening.status is NotificationStatus.PENDING:
            self._silenced.add(opening.delivery_id)
        if until is not None and opening.ended_at is None:
            self._moments.append(until)
        return True

    def _after_opening(self, row: QueuedRow) -> Sequence[QueuedRow] | None:
        opening = row.opening
        if opening is None:
            return [row]
        if opening.status is NotificationStatus.SILENCED or opening.delivery_id in self._silenced:
            return self._after_silenced(row, opening)
        if opening.told_with is None or row.monitor_id in self._held_monitors:
            return None
        return self._of_group(row, opening.told_with)

    def _after_silenced(self, row: QueuedRow, opening: QueuedRow) -> Sequence[QueuedRow] | None:
        """A silenced incident that went on past its silence is told, late as it is."""
        if opening.ended_at is None or self._hold_if_silenced(opening):
            self._silenced.add(row.delivery_id)
            return None
        return [opening]

    def _of_group(self, row: QueuedRow, group: int) -> Sequence[QueuedRow] | None:
        if row.state is not NotificationState.CLOSED or group not in self._board.open_in_group:
            return [row]
        if self._board.open_in_group[group]:
            return None
        return [
            each
            for each in self._board.waiting
            if each.state is row.state and each.opening and each.opening.told_with == group
        ]

    def _reminder(self) -> Telling | None:
        told, every = self._board.told, self._rules.remind_every
        if every is None:
            return None
        for row in sorted(told, key=_told_at):
            if self._check_reminder(row, every):
                together = [each for each in told if each.told_with == row.told_with]
                rows = [each for each in together if self._silenced_until(each) is None]
                return Telling(NotificationState.REMINDER, rows)
        return None

    def _check_reminder(self, row: QueuedRow, every: timedelta) -> bool:
        due = max(filter(None, [_told_at(row) + every, self._silenced_until(row)]))
        if due > self._now:
            self._moments.append(due)
        return due <= self._now

    # Silences

    def _silenced_until(self, row: QueuedRow) -> datetime | None:
        return row.silenced_until(self._board.silences, self._now)

    def _was_in_silences_only(self, opening: QueuedRow) -> bool:
        """Return whether an incident began and ended in silences while nobody asked."""
        if opening.ended_at is None:
            return False
        return all(
            opening.silenced_until(self._board.silences, at)
            for at in (opening.happened_at, opening.ended_at)
        )


def _told_at(row: QueuedRow) -> datetime:
    return row.told_at or row.created_at
