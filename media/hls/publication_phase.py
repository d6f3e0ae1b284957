"""How long after a segment's publication a playlist is asked for, and how to bring that down.

A client that asks once a target duration, as RFC 8216 6.3.4 allows, does so always equally long
after a publication: anywhere between nothing and a whole segment, as it happened to begin. Nobody
says when segments are published, but each answer tells something: a request that comes later than
usual finds one new segment or two. So a few later requests halve what is not known, until the
next one can be made just after a publication. None is ever earlier than the RFC allows, and there
are fewer of them.
"""

from dataclasses import dataclass, replace
from typing import Self

from media.hls.playlist import MediaPlaylist

MARGIN_SEC = 0.1
"""Between a publication and the request after it: packagers are not exactly regular."""

UNSURE_MARGINS = 3.0
"""A request that may come this many margins after a publication is worth a correction."""

DRIFT_SEC = 0.0005
"""What clocks and rounded durations may add from request to request."""

CALM_LOOKS = 100
"""After this many requests without a surprise, half of the margin is tried again."""

EQUAL_SHARE = 0.01
REGULAR_SEGMENTS = 3
"""This many of the latest segments must last equally long, and as long as the usual interval."""

LEAST_WINDOW = 3
"""A later request finds two or three new segments."""


@dataclass(frozen=True)
class PublicationPhase:
    """Where between two publications the last request fell, as far as it is known.

    Attributes:
        least_sec, most_sec: since the publication of the newest segment it found.
        margin_sec: that is kept; it doubles after each surprise.
        looks: requests since the last surprise.
    """

    least_sec: float = 0.0
    most_sec: float = float("inf")
    margin_sec: float = MARGIN_SEC
    looks: int = 0

    def after(self, waited_sec: float, new: int, period_sec: float) -> Self:
        """Return what is known after a request.

        Args:
            waited_sec: from the start of the one before to its start.
            new: how many segments it found.
            period_sec: between two publications.
        """
        moved_sec = waited_sec - new * period_sec
        least_sec = max(0.0, self.least_sec + moved_sec)
        most_sec = min(period_sec, self.most_sec + moved_sec + DRIFT_SEC)
        if least_sec > most_sec + self.margin_sec / 2:
            return self._surprised(new, period_sec)
        looks, margin_sec = self.looks + 1, self.margin_sec
        if looks >= CALM_LOOKS and margin_sec > MARGIN_SEC:
            looks, margin_sec = 0, max(MARGIN_SEC, margin_sec / 2)
        least_sec = min(least_sec, most_sec)
        return replace(
            self, least_sec=least_sec, most_sec=most_sec, margin_sec=margin_sec, looks=looks
        )

    def _surprised(self, new: int, period_sec: float) -> Self:
        """Return what is known when segments came earlier or later than they should."""
        margin_sec = min(2 * self.margin_sec, period_sec)
        is_early = new == 0  # the next segment is due at any moment
        least_sec = max(0.0, period_sec - self.margin_sec) if is_early else 0.0
        return replace(
            self, least_sec=least_sec, most_sec=period_sec, margin_sec=margin_sec, looks=0
        )

    def later_sec(self, period_sec: float) -> float:
        """Return by how much the next request should be later than usual."""
        if self.margin_sec > period_sec / 4:
            return 0.0  # too irregular to be met
        most_sec = min(self.most_sec, period_sec)
        if most_sec - self.least_sec > self.margin_sec:
            is_good = most_sec <= UNSURE_MARGINS * self.margin_sec
            middle_sec = (self.least_sec + most_sec) / 2
            return 0.0 if is_good and self.looks else period_sec - middle_sec
        if self.margin_sec / 2 <= self.least_sec and most_sec <= UNSURE_MARGINS * self.margin_sec:
            return 0.0
        return (self.margin_sec - self.least_sec) % period_sec


def publication_period_sec(playlist: MediaPlaylist, interval_sec: float) -> float | None:
    """Return the time between two publications; None where it is not regular.

    Args:
        interval_sec: how long to wait for the next segment, by RFC 8216.
    """
    latest = playlist.segments[-REGULAR_SEGMENTS:]
    if len(latest) < REGULAR_SEGMENTS or not playlist.is_numbered or playlist.partial:
        return None
    if any(abs(it.duration_sec - interval_sec) > EQUAL_SHARE * interval_sec for it in latest):
        return None
    return (
        interval_sec if playlist.window_sec >= (LEAST_WINDOW - EQUAL_SHARE) * interval_sec else None
    )
