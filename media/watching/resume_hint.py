"""How the next watch of a stream on the same worker goes on.

`media.watching.state` says what is known of a stream, and goes wherever it is watched. A hint says
how to go on without a request that was made already, stays in memory, and is good for a moment.
"""

from dataclasses import dataclass, field
from datetime import datetime

from media.hls.playlist import MediaPlaylist
from media.hls.reload import PublicationPhase
from media.sources.source import Observation
from monitors.detectors.skimming import Deferred

RESOLVE_AGAIN_SEC = 600.0  # at least so often: a source may name better media than what is followed


@dataclass(frozen=True)
class PlaylistLook:
    """A media playlist as it was loaded last."""

    url: str = field(repr=False)
    playlist: MediaPlaylist
    loaded_at: float  # when the request that brought it began, by the event loop's clock
    started: float  # when the last request for it began; it may have failed
    changed: bool = False  # whether the last request brought something new
    read_sec: float = 0.0  # processor time that reading it took
    is_large: bool = False
    refusals: int = 0  # requests with delivery directives in a row that brought nothing
    phase: PublicationPhase = field(default_factory=PublicationPhase)


class ResumeHint:
    """Where a watch stands: its media, and by track the playlist and what is not judged yet."""

    def __init__(self) -> None:
        self.looks: dict[str, PlaylistLook] = {}
        self.deferred: dict[str, list[Deferred]] = {}
        self._seen: Observation | None = None
        self._resolved_at: datetime | None = None

    def found(self, seen: Observation, at: datetime) -> None:
        """Note what the source said; media that it does not name any more is forgotten."""
        self._seen, self._resolved_at = seen, at

    def lost(self) -> None:
        """Forget all of it: something is no longer where it was."""
        self._seen = None
        self.looks.clear()

    def recall(self, now: datetime) -> Observation | None:
        """What the source said, while its media is good."""
        seen, resolved_at = self._seen, self._resolved_at
        if seen is None or seen.media is None or resolved_at is None:
            return None
        is_old = not 0 <= (now - resolved_at).total_seconds() < RESOLVE_AGAIN_SEC
        expires_at = seen.media.expires_at
        return None if is_old or (expires_at and expires_at <= now) else seen
