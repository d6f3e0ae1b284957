"""When which segment is on air: the schedule of one live channel.

Pure: wall time comes in as an argument. A segment is published at the moment its last frame was
captured, as a live packager does it.
"""

from collections.abc import Sequence
from itertools import islice

from simulator.origin.publication import AtEnd, Change, ChangeKind, Published

KEPT_ENTRIES = 20_000  # published segments that are remembered, about 11 hours of 2 s segments


class Timeline:
    """The schedule of a channel. Times are unix seconds unless named otherwise.

    So many segments as `backlog` says are there already when the channel goes on air.
    """

    def __init__(
        self,
        durations_sec: Sequence[float],
        started_at: float,
        *,
        backlog: int = 0,
        at_end: AtEnd = AtEnd.LOOP,
        first_sequence: int = 0,
        changes: Sequence[Change] = (),
    ) -> None:
        self.entries: list[Published] = []
        self.ended_at: float | None = None
        self._durations = list(durations_sec)
        self._at_end = at_end
        self._changes = sorted(changes, key=lambda change: change.at_sec)
        self._ordinal = 0
        self._sequence = first_sequence
        self._generation = 0
        self._run = 0
        self._stream_sec = 0.0
        self._discontinuities = 0
        self._held_until = 0.0
        self._stalled_at: float | None = None
        whole, rest = divmod(backlog, len(self._durations))
        before = whole * sum(self._durations) + sum(self._durations[:rest])
        self._captured_at = started_at - before

    def advance(self, now: float) -> None:
        if self._stalled_at is not None:
            now = min(now, self._stalled_at)
        while self.ended_at is None and self._has_next:
            self._apply_changes()
            if self.ended_at is not None or self._due_at > now:
                break
            self._publish()
        if self.ended_at is None and not self._has_next and self._at_end is AtEnd.END:
            self.ended_at = self.entries[-1].published_at

    def window(self, size: int, now: float) -> list[Published]:
        """Return the last `size` segments published at `now`, all of one numbering."""
        last = len(self.entries)
        while last and self.entries[last - 1].published_at > now:
            last -= 1
        window = self.entries[max(0, last - size) : last]
        return [entry for entry in window if entry.run == window[-1].run]

    def is_ended(self, now: float) -> bool:
        return self.ended_at is not None and self.ended_at <= now

    def position(self, now: float) -> float:
        """Return the stream time that is being captured at `now`, standing still in a stall."""
        if self._stalled_at is not None:
            now = min(now, self._stalled_at)
        return self._stream_sec + max(0.0, now - self._captured_at)

    def find(
        self, sequence: int, generation: int | None = None, *, newest: int = KEPT_ENTRIES
    ) -> Published | None:
        """Return the last published segment of this number, looking at the `newest` only."""
        for entry in islice(reversed(self.entries), newest):
            if entry.sequence == sequence and generation in (None, entry.generation):
                return entry
        return None

    def captured_at(self, stream_sec: float) -> float:
        for entry in reversed(self.entries):
            if entry.stream_sec <= stream_sec:
                if stream_sec >= self._stream_sec:
                    break
                return entry.captured_at + (stream_sec - entry.stream_sec)
        return self._captured_at + (stream_sec - self._stream_sec)

    def stall(self, now: float) -> None:
        self.advance(now)
        if self._stalled_at is None:
            self._stalled_at = now

    def resume(self, now: float, *, catch_up: bool = False) -> None:
        """Go on at `now` after `stall`, later by the length of the stall or catching up at once."""
        if self._stalled_at is None:
            return
        stalled_at, self._stalled_at = self._stalled_at, None
        self._hold(now - stalled_at, now, catch_up=catch_up)
        self.advance(now)

    def restart(self, now: float) -> None:
        """Number from 0 again, with new URIs, from the next segment on."""
        self.advance(now)
        self._restart()

    def jump(self, now: float, by: int) -> None:
        """Move the media sequence by `by` from the next segment on."""
        self.advance(now)
        self._jump(by)

    def end(self, now: float) -> None:
        self.advance(now)
        if self.ended_at is None:
            self.ended_at = now

    @property
    def _has_next(self) -> bool:
        return self._at_end is AtEnd.LOOP or self._ordinal < len(self._durations)

    @property
    def _duration(self) -> float:
        return self._durations[self._ordinal % len(self._durations)]

    @property
    def _due_at(self) -> float:
        return max(self._captured_at + self._duration, self._held_until)

    def _apply_changes(self) -> None:
        while self._changes and self._changes[0].at_sec < self._stream_sec + self._duration:
            change = self._changes.pop(0)
            match change.kind:
                case ChangeKind.STALL:
                    until = self._captured_at + change.for_sec
                    self._hold(change.for_sec, until, catch_up=change.catch_up)
                case ChangeKind.RESTART:
                    self._restart()
                case ChangeKind.JUMP:
                    self._jump(change.by)
                case ChangeKind.END:
                    self.ended_at = self._captured_at

    def _hold(self, sec: float, until: float, *, catch_up: bool) -> None:
        if catch_up:
            self._held_until = until
        else:
            self._captured_at += sec

    def _restart(self) -> None:
        self._generation += 1
        self._run += 1
        self._sequence = 0

    def _jump(self, by: int) -> None:
        self._run += 1
        self._sequence += by

    def _publish(self) -> None:
        index = self._ordinal % len(self._durations)
        again = index == 0 and self._ordinal > 0
        self._discontinuities += again
        entry = Published(
            sequence=self._sequence,
            generation=self._generation,
            run=self._run,
            index=index,
            stream_sec=self._stream_sec,
            duration_sec=self._duration,
            captured_at=self._captured_at,
            published_at=self._due_at,
            discontinuity=again,
            discontinuities=self._discontinuities,
        )
        self.entries.append(entry)
        if len(self.entries) > 2 * KEPT_ENTRIES:
            del self.entries[:KEPT_ENTRIES]
        self._ordinal += 1
        self._sequence += 1
        self._stream_sec += entry.duration_sec
        self._captured_at += entry.duration_sec
