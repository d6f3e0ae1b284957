"""Which rendition of a stream is watched, and whether the preferred one had to be replaced."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel

from monitors.detectors.stream_faults import Elapsed
from monitors.incidents import IncidentChange, IncidentClosed, IncidentOpened
from monitors.status import IncidentKind

FAILING_SEC = 10.0
"""A rendition that cannot be loaded, fetched or decoded this long is to be replaced."""

LOST_AGAIN_SEC = 60.0  # a playlist that is gone twice within this time is not only somewhere else

RETRY_SEC = (60.0, 120.0, 300.0, 900.0)
"""How long a rendition that failed for the first, second, ... time in a row is left alone."""

WELL_SEC = 1800.0  # a rendition that was watched this long fails for the first time again

GONE = frozenset({"http_404", "http_410"})
MOST_AVOIDED = 64


class Avoided(BaseModel):
    """A rendition that failed; `reason` is a stable word (`http_404`, `stands_still`, ...)."""

    since: AwareDatetime
    reason: str


class RenditionDetector(BaseModel):
    """The detector of a preferred rendition that cannot be watched."""

    preferred: str = ""  # identifies the one that would be watched if all were well
    preferred_name: str = ""
    used: str = ""  # identifies the one that is watched
    used_name: str = ""
    used_since: AwareDatetime | None = None
    avoided: dict[str, Avoided] = {}  # renditions that failed, by what identifies them
    # time since the first failure of the used one that no success followed
    failing: Elapsed | None = None
    failure: str = ""  # stable word for the last failure
    lost_at: AwareDatetime | None = None  # when the used one's playlist was gone last
    # the failure of the preferred one that is an incident; None where none is open
    opened: Avoided | None = None
    retries: int = 0  # how often in a row the preferred one failed
    retry_at: AwareDatetime | None = None  # when it is to be looked at again

    def use(self, name: str, ladder: Mapping[str, str], at: datetime) -> bool:
        """Watch a rendition from now on; return whether it was another one before.

        `ladder` are all of them with their names for people, the preferred first; empty where they
        are not known.
        """
        if ladder:
            self.preferred, self.preferred_name = next(iter(ladder.items()))
            self.avoided = {it: why for it, why in self.avoided.items() if it in ladder}
        elif not self.preferred:
            self.preferred = name
        self.used_name = ladder.get(name, self.used_name if name == self.used else "")
        if name == self.used:
            return False
        had_another = self.used_since is not None
        self.used, self.used_since = name, at
        self.failing, self.lost_at = None, None
        return had_another

    def choose(self, ladder: Iterable[str]) -> str | None:
        """Return the first rendition that has not failed; None where all have."""
        return next((it for it in ladder if it not in self.avoided), None)

    def avoid(self, name: str, reason: str, at: datetime) -> None:
        if name in self.avoided:
            return
        failing = self.failing if name == self.used else None
        since = failing.started_at if failing else at
        known = {**self.avoided, name: Avoided(since=since, reason=reason)}
        self.avoided = dict(list(known.items())[-MOST_AVOIDED:])
        if name == self.preferred:
            was_well = (
                self.used == name
                and self.used_since is not None
                and (at - self.used_since).total_seconds() >= WELL_SEC
            )
            self.retries = 0 if was_well else self.retries
            self.postpone(at)

    def forgive(self, name: str) -> None:
        self.avoided.pop(name, None)

    def postpone(self, at: datetime) -> None:
        """Leave the preferred rendition alone for a time, longer each time."""
        wait_sec = RETRY_SEC[min(self.retries, len(RETRY_SEC) - 1)]
        self.retries += 1
        self.retry_at = at + timedelta(seconds=wait_sec)

    def is_retry_due(self, at: datetime) -> bool:
        return self.used != self.preferred and (self.retry_at is None or at >= self.retry_at)

    def failed(self, failure: str, at: datetime) -> None:
        """Note that a playlist or segment could not be loaded, fetched or decoded."""
        self.failing = self.failing or Elapsed.since(at)
        self.failing.until(at)
        self.failure = failure

    @property
    def is_failing(self) -> bool:
        """Whether the used one has failed for `FAILING_SEC`: it is to be replaced."""
        return self.failing is not None and self.failing.duration_sec >= FAILING_SEC

    def lost(self, reason: str, at: datetime) -> None:
        """Note that the used one's playlist is gone; for the second time soon, it failed.

        URLs that are refused have mostly run out, and those of all renditions with them.
        """
        if reason not in GONE:
            return
        if self.lost_at and (at - self.lost_at).total_seconds() < LOST_AGAIN_SEC:
            self.avoid(self.used, reason, at)
        self.lost_at = at

    def played(self, at: datetime, *, unmeasurable: str | None = None) -> list[IncidentChange]:
        """Judge a segment of the used one; `unmeasurable` says why a track cannot be measured."""
        if unmeasurable:
            self.failed(unmeasurable, at)
        else:
            self.failing, self.failure = None, ""
            self.forgive(self.used)
        if self.used == self.preferred:
            return [] if unmeasurable else self._close(at)
        return self._open(at) if self.opened is None else []

    def _open(self, at: datetime) -> list[IncidentChange]:
        why = self.avoided.get(self.preferred) or Avoided(since=at, reason="unavailable")
        self.opened = why
        return [
            IncidentOpened(
                kind=IncidentKind.RENDITION,
                started_at=why.since,
                duration_sec=max(0.0, (at - why.since).total_seconds()),
                threshold_sec=0.0,
                reason=why.reason,
                details={"from": self.preferred_name, "to": self.used_name},
            )
        ]

    def _close(self, at: datetime) -> list[IncidentChange]:
        opened, self.opened = self.opened, None
        if opened is None:
            return []
        return [
            IncidentClosed(
                kind=IncidentKind.RENDITION,
                started_at=opened.since,
                recovered_at=max(at, opened.since),
                total_duration_sec=max(0.0, (at - opened.since).total_seconds()),
                details={"to": self.used_name},
            )
        ]
