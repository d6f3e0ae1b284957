"""How soon after its publication a segment is seen, once a stream has been followed for a while."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from media.hls.playlist import MediaPlaylist
from media.hls.reload import MARGIN_SEC, PublicationPhase, publication_period_sec
from tests.media.hls.build import window

SEGMENTS = 400
LEARNING = 20
"""Segments until the time of publication is known."""


@dataclass
class Seen:
    """Delays of segments, in their order, and the times between requests after news."""

    delays_sec: list[float] = field(default_factory=list)
    waits_sec: list[float] = field(default_factory=list)
    requests: int = 0


def follow(published: Sequence[float], period_sec: float, began_at: float) -> Seen:
    """Ask for a playlist whose segments are published at these times, in simulated time."""
    phase, seen = PublicationPhase(), Seen()
    now, known = began_at, sum(at <= began_at for at in published)
    wait_sec = period_sec
    while now + 2 * period_sec < published[-1]:
        now += wait_sec
        found = sum(at <= now for at in published)
        seen.delays_sec += [now - at for at in published[known:found]]
        seen.requests += 1
        phase = phase.after(wait_sec, found - known, period_sec)
        if found > known:
            wait_sec = period_sec + phase.later_sec(period_sec)
            seen.waits_sec.append(wait_sec)
        else:
            wait_sec = period_sec / 2
        known = found
    return seen


def regular(period_sec: float, jitter_sec: float) -> list[float]:
    dice = random.Random(3)
    return [number * period_sec + dice.uniform(0, jitter_sec) for number in range(SEGMENTS)]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.5, 0.8, 0.99])
@pytest.mark.parametrize(
    ("period_sec", "jitter_sec"), [(1, 0.02), (2, 0), (2, 0.1), (4.004, 0.1), (6, 0.2)]
)
def test_segments_are_seen_soon_after_publication_wherever_a_watch_begins(
    period_sec: float, jitter_sec: float, share: float
) -> None:
    seen = follow(regular(period_sec, jitter_sec), period_sec, (3 + share) * period_sec)
    delays_sec = sorted(seen.delays_sec[LEARNING:])
    assert delays_sec[int(0.95 * len(delays_sec))] <= 0.5 + jitter_sec
    assert seen.delays_sec[0] <= 2 * period_sec
    assert seen.requests <= 1.02 * len(seen.delays_sec)


@pytest.mark.parametrize("jitter_sec", [0.0, 0.1, 0.5, 1.5, 5.0])
def test_no_request_is_early_and_none_misses_a_segment(jitter_sec: float) -> None:
    seen = follow(sorted(regular(2.0, jitter_sec)), 2.0, 7.3)
    assert min(seen.waits_sec) >= 2.0
    assert max(seen.waits_sec) < 2 * 2.0


def test_an_irregular_packager_is_asked_as_it_always_was() -> None:
    in_pairs = [4.0 * (number // 2) for number in range(SEGMENTS)]
    seen = follow(in_pairs, 2.0, 9.1)
    assert set(seen.waits_sec[LEARNING:]) == {2.0}


def test_a_surprise_widens_the_margin_and_calm_narrows_it_again() -> None:
    phase = PublicationPhase(least_sec=0.1, most_sec=0.2)
    early = phase.after(2.0, 0, 2.0)
    assert early.margin_sec == 2 * MARGIN_SEC
    for _ in range(200):
        early = early.after(2.0, 1, 2.0)
    assert early.margin_sec == MARGIN_SEC


@pytest.mark.parametrize(
    ("playlist", "period_sec"),
    [
        pytest.param(window(0, 5, duration_sec=2, target_sec=2), 2.0, id="regular"),
        pytest.param(window(0, 1, duration_sec=2, target_sec=2), None, id="only two segments"),
        pytest.param(window(0, 5, duration_sec=1.9, target_sec=2), None, id="shorter segments"),
    ],
)
def test_the_period_is_known_where_segments_last_the_interval(
    playlist: MediaPlaylist, period_sec: float | None
) -> None:
    assert publication_period_sec(playlist, 2.0) == period_sec
