"""What a watch observed and the gateway does not know yet.

It is kept in the time of the media, so that a worker that takes over and measures what the last one
left behind closes the gap. See `monitors.coverage`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from monitors.coverage import MOST_REASON_CHARS, ObservedSpan, join, whole_milliseconds

PAUSE = timedelta(seconds=60)
"""Who looks again later than this did not look in between. A takeover takes less."""


def longest_pause(check_interval_sec: float | None) -> timedelta:
    """Return what `PAUSE` is for a stream that is looked at this rarely."""
    return max(PAUSE, timedelta(seconds=2 * (check_interval_sec or 0.0)))


MOST_UNTOLD = 100
"""While the gateway is away, older spans than the latest of these are lost: nobody looked then."""


class CoverageLog(BaseModel):
    """The spans that a watch observed."""

    pause: timedelta = PAUSE  # see `longest_pause`
    untold: list[ObservedSpan] = []  # what the gateway has not taken yet
    # end of the media that was judged last, by its wall clock
    media_until: AwareDatetime | None = None
    # when the stream was looked at last, by the clock of the watch
    looked_at: AwareDatetime | None = None
    # since when the stream cannot be seen; None while it can
    unseen_since: AwareDatetime | None = None
    unseen_reason: str = ""
    has_missed: bool = False  # whether media was missed since `media_until`
    has_paused: bool = False  # whether nobody looked for a while since `media_until`

    def looked(self, at: datetime) -> None:
        if self.looked_at and at - self.looked_at > self.pause:
            self.has_paused = True
            self.unseen_since = None
        self.looked_at = at

    def observed(self, at: datetime) -> None:
        self.looked(at)
        if self.unseen_since:
            self._add(self.unseen_since, at, self.unseen_reason)
            self.unseen_since = None

    def missed(self) -> None:
        self.has_missed = True

    def judged(self, start: datetime, end: datetime, reason: str | None) -> None:
        """Take the next media of the stream; `reason` says why it could not be measured.

        Without a clock in the playlist `start` is a guess that jumps a little. Time between two
        segments that follow each other belongs to the stream: it stood still, and that was seen.
        """
        if self.media_until is None:
            self.media_until = start
        if start > self.media_until:
            if not self._is_parted(start):
                self._add(self.media_until, start, None)
            self.media_until = start
        self._add(self.media_until, end, reason)
        self.media_until = max(self.media_until, end)
        self.unseen_since = None
        self.has_missed = self.has_paused = False

    def stood_still(self, at: datetime) -> None:
        """Note that there was nothing new until `at`, which is no fault of ours."""
        self.looked(at)
        if self.media_until is None or self.has_paused or self.has_missed:
            self.media_until = at
            self.has_missed = self.has_paused = False
        self._add(self.media_until, at, None)
        self.media_until = max(self.media_until, at)

    def unseen(self, reason: str, at: datetime) -> None:
        """Note that the stream could not be seen until `at`.

        Media from that time which is measured later counts as seen.
        """
        self.looked(at)
        if self.unseen_since is None:
            is_parted = self.has_paused or self.media_until is None
            self.unseen_since = at if is_parted else min(self.media_until or at, at)
        self.unseen_reason = reason
        self._add(self.unseen_since, at, reason)

    def told(self, spans: Sequence[ObservedSpan]) -> None:
        """Forget what the gateway took; a span that has grown meanwhile is told once more."""
        self.untold = [each for each in self.untold if each not in spans]

    def _is_parted(self, start: datetime) -> bool:
        if self.media_until is None or self.has_missed:
            return True
        return self.has_paused and start - self.media_until > self.pause

    def _add(self, start: datetime, end: datetime, reason: str | None) -> None:
        start, end = whole_milliseconds(start), whole_milliseconds(end)
        if start < end:
            reason = None if reason is None else reason[:MOST_REASON_CHARS] or "unknown"
            span = ObservedSpan(start=start, end=end, reason=reason)
            self.untold = join([*self.untold, span])[-MOST_UNTOLD:]
