"""Applying steps to the state of a watch."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from media.hls.playlist import MediaPlaylist
from media.watching.replay_journal import Journal
from media.watching.state import WatchState
from media.watching.steps import Step
from monitors.config import MonitorConfig


class StateJudge:
    """Applies the steps of one watch, and records them where there is a journal.

    Args:
        state: of the watch.
        config: thresholds.
        on_change: is called when there is an event.
        journal: takes each step.
    """

    def __init__(
        self,
        state: WatchState,
        config: MonitorConfig,
        *,
        on_change: Callable[[], None] = lambda: None,
        journal: Journal | None = None,
    ) -> None:
        self._state = state
        self._config = config
        self._journal = journal
        self._on_change = on_change

    def apply(self, step: Step, *, found: Sequence[object] = ()) -> None:
        """Apply a step.

        Args:
            step: the step.
            found: what the prober said of the segments that it judges.
        """
        with self.recorded(step, found):
            is_noted = step.apply(self._state, self._config)
        self.changed(is_noted)

    def recorded(self, step: Step, found: Sequence[object] = ()) -> AbstractContextManager[None]:
        """Record a step in the journal; it is applied while the context is open."""
        if self._journal is None:
            return nullcontext()
        return self._journal.recorded(step, self._state, self._config, found)

    def read(self, track: str, playlist: MediaPlaylist, at: datetime) -> None:
        """Take note of a playlist as it was read."""
        if self._journal:
            self._journal.note_playlist(track, playlist, at)

    def changed(self, is_noted: bool) -> None:
        if is_noted:
            self._on_change()
