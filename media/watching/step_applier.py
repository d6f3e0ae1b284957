"""Applying steps to the state of a watch."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta

from media.hls.playlist import MediaPlaylist
from media.watching.replay_journal import Journal
from media.watching.state import WatchState
from media.watching.steps import Step
from monitors.config import MonitorConfig


class StepApplier:
    """Applies the steps of one watch, and records them where there is a journal."""

    def __init__(
        self,
        state: WatchState,
        config: MonitorConfig,
        *,
        clock: Callable[[], datetime] | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.state = state
        self.config = config
        self.has_event = asyncio.Event()
        self.clock = clock or SteadyClock()
        self._journal = journal

    def now(self) -> datetime:
        self.state.clock_at = at = self.clock()
        return at

    def apply(self, step: Step, *, found: Sequence[object] = ()) -> None:
        """Apply a step; `found` is what the prober said of the segments that it judges."""
        with self.recorded(step, found):
            is_noted = step.apply(self.state, self.config)
        self.changed(is_noted)

    def recorded(self, step: Step, found: Sequence[object] = ()) -> AbstractContextManager[None]:
        """Record a step in the journal; it is applied while the context is open."""
        if self._journal is None:
            return nullcontext()
        return self._journal.recorded(step, self.state, self.config, found)

    def read(self, track: str, playlist: MediaPlaylist, at: datetime) -> None:
        if self._journal:
            self._journal.note_playlist(track, playlist, at)

    def changed(self, is_noted: bool) -> None:
        if is_noted:
            self.has_event.set()


class SteadyClock:
    """A clock that starts at the wall clock's time and then advances monotonically.

    If somebody changes the wall clock while a stream is watched, no stall is reported and no wait
    gets longer. The next watch starts from the wall clock again.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._began = wall()
        self._steady = steady
        self._began_sec = steady()

    def __call__(self) -> datetime:
        return self._began + timedelta(seconds=self._steady() - self._began_sec)
