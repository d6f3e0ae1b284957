"""One broadcast of a live video: which segments are on air, and what they show."""

import math
from dataclasses import dataclass

from simulator.origin.programme import Programme


class BroadcastError(ValueError):
    """The broadcast cannot be made as described."""


@dataclass(frozen=True)
class OnAir:
    """A published segment."""

    sequence: int
    captured_at: float  # wall clock of its first frame, unix seconds
    duration_sec: float
    programme: Programme
    index: int  # which segment of the programme it shows
    is_cut: bool  # nothing leads from the segment before to this one (EXT-X-DISCONTINUITY)
    cuts: int  # how many of these there were up to and with this one


class Broadcast:
    """The segments of `ID.number`, published the moment their last frame was captured.

    Times are unix seconds. Each method that takes `now` first publishes what was due. The
    programme, of whole segments, is shown again and again, with a discontinuity where it starts
    anew; so many segments as `backlog` says are there at once, behind that many `cuts`.
    """

    def __init__(
        self,
        number: int,
        programme: Programme,
        started_at: float,
        *,
        first_sequence: int = 0,
        backlog: int = 0,
        cuts: int = 0,
    ) -> None:
        self.number = number
        self.segments: list[OnAir] = []
        self.is_over = False
        self._first_sequence = first_sequence
        self._duration_sec = programme.encoding.segment_sec
        self._captured_at = started_at - backlog * self._duration_sec
        self._cuts = cuts
        self._is_running = True
        self._show(programme)

    @property
    def segment_sec(self) -> float:
        return self._duration_sec

    def advance(self, now: float) -> None:
        while self._is_running and self._captured_at + self._duration_sec <= now:
            self._publish()

    def show(self, programme: Programme, now: float) -> None:
        """Change to another programme, of equally long segments, from the next segment on."""
        self.advance(now)
        if programme.encoding.segment_sec != self._duration_sec:
            raise BroadcastError("all programmes of a broadcast need segments of one length")
        self._show(programme)
        self._is_cut = True

    def cut(self, now: float) -> None:
        """Put a discontinuity before the next segment; nothing else changes."""
        self.advance(now)
        self._is_cut = True

    def stall(self, now: float) -> None:
        """Publish nothing more: the encoder is gone. The segment in the making is lost."""
        self.advance(now)
        self._is_running = False

    def resume(self, now: float) -> None:
        if not self._is_running and not self.is_over:
            self._is_running = True
            self._captured_at = now
            self._is_cut = bool(self.segments)

    def end(self, now: float) -> None:
        """Publish nothing more, for good."""
        self.stall(now)
        self.is_over = True

    def window(self, sec: float) -> list[OnAir]:
        """Return the newest segments that make up `sec` seconds; fewer at the start."""
        return self.segments[-max(1, math.ceil(sec / self._duration_sec)) :]

    def find(self, sequence: int | None) -> OnAir | None:
        index = -1 if sequence is None else sequence - self._first_sequence
        return self.segments[index] if 0 <= index < len(self.segments) else None

    def _show(self, programme: Programme) -> None:
        count = programme.duration_sec / self._duration_sec
        if count < 1 or count != int(count):
            raise BroadcastError("a programme must be of whole segments")
        self.programme = programme
        self._count = int(count)
        self._index = 0
        self._is_cut = False

    def _publish(self) -> None:
        self._cuts += self._is_cut
        segment = OnAir(
            sequence=self._first_sequence + len(self.segments),
            captured_at=self._captured_at,
            duration_sec=self._duration_sec,
            programme=self.programme,
            index=self._index,
            is_cut=self._is_cut,
            cuts=self._cuts,
        )
        self.segments.append(segment)
        self._captured_at += self._duration_sec
        self._index = (self._index + 1) % self._count
        self._is_cut = self._index == 0


def without_gap(before: OnAir, after: OnAir) -> bool:
    """Tell whether the first frame of a segment follows the last one of the segment before."""
    end = before.captured_at + before.duration_sec
    return not after.is_cut and math.isclose(end, after.captured_at, abs_tol=0.001)
